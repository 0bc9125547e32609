"""Statements of the driver and of the session are one transaction on one connection, whichever comes first."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.outbox.tables import OutboxRow

INSERT = (
    "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
    " VALUES ($1, $2, '{}', 2, $3, $3, 0)"
)


class Rows:
    """Rows of a kind that no other test has, written by either way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kind = f"t-{uuid.uuid4().hex[:6]}"

    async def by_driver(self, work: UnitOfWork, target: str) -> None:
        await work.fetch(INSERT, self._kind, target, work.now)

    def by_session(self, work: UnitOfWork, target: str) -> None:
        at = work.now
        work.add(OutboxRow(kind=self._kind, target=target, payload={}, priority=2, created_at=at, available_at=at))

    async def stored(self) -> list[str]:
        async with self._database.begin() as work:
            rows = await work.read("SELECT target FROM outbox WHERE kind = $1 ORDER BY outbox_id", self._kind)
        return [target for (target,) in rows]

    async def delete(self) -> None:
        async with self._database.begin() as work:
            await work.fetch_last("DELETE FROM outbox WHERE kind = $1", self._kind)


@pytest_asyncio.fixture
async def rows(database: Database) -> AsyncIterator[Rows]:
    rows = Rows(database)
    yield rows
    await rows.delete()


async def connection_of(work: UnitOfWork) -> Any:
    return (await (await work.session.connection()).get_raw_connection()).driver_connection


async def test_both_are_committed_together_in_any_order(database: Database, rows: Rows) -> None:
    async with database.begin() as work:
        await rows.by_driver(work, "a")
        rows.by_session(work, "b")
    async with database.begin() as work:
        rows.by_session(work, "c")
        await rows.by_driver(work, "d")
        assert [target for (target,) in await work.read("SELECT target FROM outbox WHERE target = 'c'")] == ["c"]
    async with database.begin() as work:
        await work.read("SELECT 1")
        await work.run(text("SELECT 1"))
        await rows.by_driver(work, "e")
    assert await rows.stored() == ["a", "b", "c", "d", "e"]


async def test_an_error_rolls_both_back_and_leaves_the_connection_clean(database: Database, rows: Rows) -> None:
    async def fails(*, with_session: bool) -> None:
        async with database.begin() as work:
            await rows.by_driver(work, "a")
            if with_session:
                rows.by_session(work, "b")
                await work.flush()
            raise ValueError

    for with_session in (False, True):
        with pytest.raises(ValueError, match=r"^$"):
            await fails(with_session=with_session)
        async with database.begin() as work:
            assert not (await connection_of(work)).is_in_transaction()
    assert await rows.stored() == []


async def test_what_a_dry_run_wrote_is_gone_whoever_wrote_it(database: Database, rows: Rows) -> None:
    async with database.begin() as work:
        await rows.by_driver(work, "a")
        rows.by_session(work, "b")
        await work.roll_back()
    assert await rows.stored() == []


async def test_a_connection_goes_back_with_an_early_commit_and_another_part_can_follow(
    database: Database, rows: Rows
) -> None:
    async with database.begin() as work:
        await rows.by_driver(work, "a")
        await work.commit_early()
        assert await rows.stored() == ["a"]
        await rows.by_driver(work, "b")
        rows.by_session(work, "c")
    assert await rows.stored() == ["a", "b", "c"]


async def test_a_cancelled_commit_leaves_no_connection_in_the_middle_of_it(
    database: Database, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    committing = asyncio.Event()
    commit = asyncpg.transaction.Transaction.commit

    async def slowly(transaction: asyncpg.transaction.Transaction) -> None:
        committing.set()
        await asyncio.Event().wait()
        await commit(transaction)

    async def write() -> None:
        async with database.begin() as work:
            await rows.by_driver(work, "a")

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.transaction.Transaction, "commit", slowly)
        writing = asyncio.create_task(write())
        await committing.wait()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert writing.cancelled()
    async with database.begin() as work:
        assert not (await connection_of(work)).is_in_transaction()
    assert await rows.stored() == []
