"""Locks with one holder: tried, freed with their block or their process, on connections that are used again."""

from __future__ import annotations

import asyncio

import pytest

from services.core.platform.db.database import Database

_HELD = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND datname = current_database()
"""
_LOSE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE query LIKE '%pg_advisory_unlock%' AND pid <> pg_backend_pid() AND datname = current_database()
"""


async def _held(database: Database) -> int:
    async with database.begin() as work:
        return int((await work.fetch(_HELD))[0][0])


async def test_a_lock_has_one_holder_and_ends_with_its_block(database: Database) -> None:
    async with database.try_lock("a") as first, database.try_lock("a") as second, database.try_lock("b") as other:
        assert (first, second, other) == (True, False, True)
        assert await _held(database) == 2
    assert await _held(database) == 0
    async with database.try_lock("a") as again:
        assert again


async def test_a_cancelled_holder_frees_its_lock(database: Database) -> None:
    is_there = asyncio.Event()

    async def hold() -> None:
        async with database.try_lock("a"):
            is_there.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await is_there.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert await _held(database) == 0


async def test_a_connection_that_was_lost_is_replaced(database: Database) -> None:
    async with database.try_lock("a"):
        pass
    async with database.begin() as work:
        assert await work.fetch(_LOSE)
    async with database.try_lock("a") as is_ours:
        assert is_ours
