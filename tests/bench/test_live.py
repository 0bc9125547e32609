"""How much our own parts add on the way of a message: the gate to the broker's, the event stream to Postgres' own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest_asyncio

from services.core.platform.db.database import Database
from services.core.platform.events.actions import record_event
from services.core.platform.settings import Settings
from tests.bench.ratios import measure_ratio
from tests.integration.api.conftest import Live, live, serve
from tests.integration.broker.conftest import ANA, BEN, configuration, folder, mosquitto
from tests.integration.broker.test_gate import Gated, gated
from tests.support.http import make_family
from tests.support.mqtt_client import MqttClient, connected

__all__ = ["configuration", "folder", "gated", "live", "mosquitto", "serve"]


@pytest_asyncio.fixture(loop_scope="session")
async def raw(settings: Settings) -> AsyncIterator[tuple[asyncpg.Connection, asyncio.Queue[str]]]:
    """A connection that listens to itself: the least a notification can take."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    connection = await asyncpg.connect(settings.database_url)
    await connection.add_listener("raw", lambda *arguments: heard.put_nowait(arguments[3]))
    yield connection, heard
    await connection.close()


async def test_an_event_reaches_an_open_stream_in_a_few_times_a_raw_notification(
    live: Live, client: httpx.AsyncClient, database: Database, raw: tuple[asyncpg.Connection, asyncio.Queue[str]]
) -> None:
    parent = await make_family(client, database)
    assert parent.family_id is not None
    family_id: uuid.UUID = parent.family_id
    connection, heard = raw
    async with live.follow(parent) as stream:

        async def ours() -> None:
            async with database.begin() as work:
                await record_event(work, family_id, "guardians.changed")
            assert await stream.next() is not None

        async def baseline() -> None:
            async with connection.transaction():
                await connection.execute("SELECT 1")
                await connection.execute("SELECT pg_notify('raw', 'x')")
            await heard.get()

        ratio = await measure_ratio("an event to an open stream", ours, "a raw notification", baseline)
    assert ratio.times < 80


async def test_the_gate_adds_little_to_the_brokers_own_way(gated: Gated) -> None:
    async with (
        connected(gated.port, ANA, ANA) as through,
        gated.broker.watch(BEN) as direct,
        gated.broker.backend() as backend,
    ):
        await backend.subscribe("sw/v1/+/up/#")

        async def say(watch: MqttClient, username: str) -> None:
            await watch.publish(f"sw/v1/{username}/up/text", "hi")
            await backend.hears()

        ratio = await measure_ratio(
            "a word through the gate", lambda: say(through, ANA), "the broker alone", lambda: say(direct, BEN)
        )
    assert ratio.times < 5
