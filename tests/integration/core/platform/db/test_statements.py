"""What the count of statements counts: what it says of a use case must not depend on what else runs in the process."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from services.core.platform.db.database import Database
from tests.support.statements import statements


async def test_what_tasks_of_before_send_is_not_counted_and_every_way_is(database: Database) -> None:
    may_send = asyncio.Event()

    async def send(number: int) -> None:
        await may_send.wait()
        async with database.begin() as work:
            await work.read(f"SELECT {number}")
            await work.fetch(f"SELECT {number}")
            await work.run(text(f"SELECT {number}"))

    before = asyncio.create_task(send(1))
    await asyncio.sleep(0)
    with statements() as sent:
        may_send.set()
        await before
        await asyncio.create_task(send(2))
        async with database.begin() as work:
            await work.fetch_last("SELECT 3")
    assert sent == ["SELECT 2"] * 3 + ["SELECT 3"]
