"""Who is cancelled while the database is lost ends by the cancellation, and soon."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from sqlalchemy import text

from services.core.platform.db.database import Database, UnitOfWork


@pytest.mark.parametrize("way", ["fetch", "read", "run"])
async def test_a_loss_in_the_moment_of_a_cancellation_does_not_replace_it(database: Database, way: str) -> None:
    """Otherwise what tries again after a loss goes on, and whoever has cancelled it waits for ever."""
    for turns in range(8):
        works: list[UnitOfWork] = []

        async def work_on(works: list[UnitOfWork] = works) -> None:
            async with database.begin() as work:
                await work.fetch("SELECT 1")
                works.append(work)
                if way == "run":
                    await work.run(text("SELECT pg_sleep(60)"))
                else:
                    await getattr(work, way)("SELECT pg_sleep(60)")

        working = asyncio.create_task(work_on())
        while not works:  # noqa: ASYNC110 - a matter of turns of the event loop
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        adapted = (await (await works[0].session.connection()).get_raw_connection()).dbapi_connection
        assert adapted is not None
        adapted.driver_connection.terminate()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_cancelled = working.cancel()
        async with asyncio.timeout(60):
            await asyncio.gather(working, return_exceptions=True)
        assert working.cancelled() or not was_cancelled, turns


async def test_a_failure_of_what_ends_a_cancelled_transaction_does_not_replace_the_cancellation(
    database: Database,
) -> None:
    begun = asyncio.Event()

    async def work_on() -> None:
        async with database.begin() as work:
            await work.fetch("SELECT 1")
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                message = "lost while ending"
                raise ConnectionError(message)

    working = asyncio.create_task(work_on())
    await begun.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert working.cancelled()


async def test_the_end_of_a_process_does_not_wait_for_a_server_that_stands_still(database: Database) -> None:
    closing = Database(database.url, vault=database.vault)
    async with closing.begin() as work:
        (row,) = await work.fetch("SELECT pg_backend_pid()")
    os.kill(row[0], signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            await closing.close()
    finally:
        os.kill(row[0], signal.SIGCONT)
