"""Transient database errors: the same request may pass later, and the answer is not an internal error."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import create_async_engine

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable


async def test_when_no_connection_comes_free_in_time_the_database_counts_as_away(database_url: str) -> None:
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    async with engine.connect():
        with pytest.raises(NoConnectionFreeError) as refused:
            await engine.connect()
    await engine.dispose()
    assert is_database_unavailable(refused.value)


def test_a_mistake_of_ours_does_not() -> None:
    assert not is_database_unavailable(ValueError("ours"))


async def _run(work: UnitOfWork) -> None:
    await work.run(text("SELECT 1"))


async def _fetch(work: UnitOfWork) -> None:
    await work.fetch("SELECT 1")


async def _read(work: UnitOfWork) -> None:
    await work.read("SELECT 1")


@pytest.mark.parametrize("ask", [_run, _fetch, _read])
async def test_a_connection_of_which_only_the_last_words_were_read_counts_as_lost(
    database: Database, ask: Callable[[UnitOfWork], Awaitable[None]]
) -> None:
    with pytest.raises(Exception, match=r"cannot switch to state|connection is closed") as lost:  # noqa: PT012 - the block is the transaction
        async with database.begin() as work:
            await ask(work)
            connection = (await (await work.session.connection()).get_raw_connection()).driver_connection
            assert connection is not None
            # FATAL, as of a transaction that was idle for too long; the end of the connection comes a moment later.
            words = b"SFATAL\0C25P03\0Midle\0\0"
            connection._protocol.data_received(b"E" + (4 + len(words)).to_bytes(4) + words)  # noqa: SLF001
            await ask(work)
    assert is_database_unavailable(lost.value)


async def test_a_statement_that_is_cancelled_while_postgres_stands_still_holds_nobody_up(database: Database) -> None:
    begun = asyncio.Event()
    frozen: list[int] = []

    async def ask() -> None:
        async with database.begin() as work:
            frozen.append((await work.fetch("SELECT pg_backend_pid()"))[0][0])
            os.kill(frozen[0], signal.SIGSTOP)
            begun.set()
            await work.fetch("SELECT 1")

    asking = asyncio.create_task(ask())
    await begun.wait()
    try:
        await asyncio.sleep(0)
        asking.cancel()
        done, _ = await asyncio.wait({asking}, timeout=60)
        assert done
        assert asking.cancelled()
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    async with database.begin() as work:
        assert (await work.fetch("SELECT 1"))[0][0] == 1


async def test_a_unit_of_work_that_is_cancelled_while_it_begins_leaves_no_open_transaction(database: Database) -> None:
    # A connection with an open transaction would swallow everything that later units of work commit on it.
    async def begin_slowly(connections: list[Any]) -> None:
        async with database.begin() as work:
            connection = await work.session.connection()
            connections.append((await connection.get_raw_connection()).dbapi_connection)
            await work.fetch("SELECT 1")

    for _ in range(5):
        connections: list[Any] = []
        beginning = asyncio.create_task(begin_slowly(connections))
        # BEGIN is on its way.
        while not connections or connections[0].driver_connection._top_xact is None:  # noqa: ASYNC110, SLF001
            await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        assert beginning.cancelled()
        async with database.begin() as work:
            connection = await work.session.connection()
            adapted = (await connection.get_raw_connection()).dbapi_connection
            assert adapted is not None
            assert not adapted.driver_connection.is_in_transaction()
