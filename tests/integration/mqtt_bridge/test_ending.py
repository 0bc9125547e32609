"""A bridge that is told to end ends, whatever happens in that moment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from unittest.mock import patch

import asyncpg
import pytest

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.mqtt_bridge.connection import connect
from services.mqtt_bridge.main import Bridge, keep_running
from tests.support.watch import Stand, eventually

# It takes some seven seconds; a busy machine may take longer, and a bridge that waits for Postgres never ends.
ENDS_WITHIN_S = 60.0


async def test_a_cancellation_together_with_the_brokers_answer_is_not_swallowed(stand: Stand) -> None:
    async with connect(stand.settings, "sw-ending", keep_session=False) as connection:
        publishing = asyncio.create_task(connection.publish_all([("sw/v1/w-nobody/down/time", b"{}")]))
        received = connection.data_received

        def answered_and_cancelled(data: bytes) -> None:
            received(data)
            publishing.cancel()

        # The one place where both can be made to come together.
        with patch.object(connection, "data_received", answered_and_cancelled), pytest.raises(asyncio.CancelledError):
            await publishing


async def test_a_part_that_fails_while_it_is_cancelled_does_not_begin_again() -> None:
    begun = asyncio.Event()
    times = 0

    async def run_once() -> None:
        nonlocal times
        times += 1
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            message = "lost while ending"
            raise ConnectionError(message)

    running = asyncio.create_task(keep_running("part", run_once))
    await begun.wait()
    running.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    assert times == 1


def _signal(servers: list[asyncpg.Record], number: signal.Signals) -> None:
    for row in servers:
        # Those that keep the tables tidy come and go.
        with contextlib.suppress(ProcessLookupError):
            os.kill(row["pid"], number)


@contextlib.asynccontextmanager
async def _servers_frozen(stand: Stand) -> AsyncIterator[None]:
    """Have the processes that serve the connections of the database stand still for the block."""
    connection = await asyncpg.connect(stand.settings.database_url)
    others = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        _signal(others, signal.SIGSTOP)
        yield
    finally:
        _signal(others, signal.SIGCONT)
        await connection.close()


async def test_a_bridge_ends_while_postgres_stands_still(stand: Stand) -> None:
    _, worn = await stand.home()
    database = Database.of(stand.settings)
    bridge = Bridge(stand.settings, database, BlobStore.of(stand.settings))
    async with stand.watch(worn.username, worn.password) as watch:
        running = asyncio.create_task(bridge.run())
        await eventually(lambda: bridge.downlink.connected and bridge.uplink.connected)
        async with _servers_frozen(stand):
            for number in range(5):
                await watch.say("text", {"id": f"t81kd02mq7z{number}", "to": "family", "text": "hi", "tst": 0})
            await watch.say("hello", {"conn": "n1"})
            await eventually(lambda: bridge.uplink.backlog.messages > 0)
            running.cancel()
            async with asyncio.timeout(ENDS_WITHIN_S):
                await asyncio.gather(running, return_exceptions=True)
                await database.close()
        assert running.cancelled()
