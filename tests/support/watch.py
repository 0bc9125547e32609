"""A watch that sends messages written by a test, and a broker with bridges for it to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.broker.passwords import BrokerLogin
from services.broker.process import MosquittoProcess
from services.core.devices.watches.queries import broker_logins
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.mqtt_bridge.main import Bridge
from tests.support.mqtt_client import HEARD_WITHIN_S, MqttClient, connected
from tests.support.world import Home, Worn, make_home, wear

DEADLINE_S = 60.0


async def eventually(holds: Callable[[], bool]) -> None:
    """Return once a condition holds; TimeoutError when it never does."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - a connection's state has no event
            await asyncio.sleep(0.01)


class HandWatch:
    """A watch whose messages the test writes itself."""

    def __init__(self, client: MqttClient, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self._unread: list[tuple[str, str]] = []

    async def say(self, leaf: str, message: object) -> None:
        """Publish a JSON message, or bytes as they are, on one of its up topics."""
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.client.publish(f"{self.prefix}/up/{leaf}", payload)

    async def hears(self, leaf: str, *, within_s: float = HEARD_WITHIN_S) -> dict[str, Any]:
        """Return the oldest unread message on a down topic (or below it); others stay unread."""
        start = f"{self.prefix}/down/{leaf}"
        chunk = re.compile(r".*/item/[^/]+/[0-9]+")
        while not (
            matching := [
                message for message in self._unread if message[0].startswith(start) and not chunk.fullmatch(message[0])
            ]
        ):
            self._unread.append(await self.client.hears(within_s))
        self._unread.remove(matching[0])
        topic, payload = matching[0]
        return {**json.loads(payload), "topic": topic.removeprefix(f"{self.prefix}/down/")}

    async def hears_chunks(self, ref: str, count: int) -> dict[int, bytes]:
        """Return the next ``count`` chunks of an item by their numbers."""
        start = f"{self.prefix}/down/item/{ref}/"
        chunks: dict[int, bytes] = {}
        waiting, self._unread = self._unread, []
        while len(chunks) < count:
            topic, payload = waiting.pop(0) if waiting else await self.client.hears()
            if topic.startswith(start):
                chunks[int(topic.removeprefix(start))] = payload.encode("utf-8", "surrogateescape")
            else:
                self._unread.append((topic, payload))
        self._unread += waiting
        return chunks

    async def leaves_until(self, last: str) -> list[str]:
        """Return the kinds of all messages from the oldest unread to the first of kind ``last``."""
        leaves: list[str] = []
        while not leaves or leaves[-1] != last:
            topic, _ = self._unread.pop(0) if self._unread else await self.client.hears()
            leaves.append(topic.removeprefix(f"{self.prefix}/down/").split("/")[0])
        return leaves

    async def hello(self, **fields: object) -> dict[str, Any]:
        """Say hello and return the time."""
        await self.say("hello", {"tst": 0, "conn": "n1", "contacts_version": 0, "config_version": 0, **fields})
        return await self.hears("time")


@dataclass
class Stand:
    """Broker, database and settings, and bridges on them."""

    broker: MosquittoProcess
    settings: Settings
    database: Database
    plain_port: int

    async def install(self) -> None:
        """Let everybody log in whom the database knows."""
        async with self.database.begin() as work:
            logins = await broker_logins(work)
        await self.broker.set_logins([BrokerLogin(login.username, login.password_hash) for login in logins])

    @contextlib.asynccontextmanager
    async def bridge(self, *, reads: bool = True) -> AsyncIterator[Bridge]:
        """Run a bridge for the block; with ``reads`` wait until it is the one that reads uplinks."""
        bridge = Bridge(self.settings, self.database, BlobStore.of(self.settings))
        running = asyncio.create_task(bridge.run())
        try:
            await eventually(lambda: bridge.downlink.connected and (bridge.uplink.connected or not reads))
            yield bridge
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def watch(self, username: str, password: str) -> AsyncIterator[HandWatch]:
        """Connect a watch that has subscribed to its own topics."""
        async with connected(self.plain_port, username, password) as client:
            await client.subscribe(f"sw/v1/{username}/down/#")
            yield HandWatch(client, f"sw/v1/{username}")

    async def home(self, *, since: datetime | None = None) -> tuple[Home, Worn]:
        """Make a family whose watch is paired and may log in; ``since``: it is paired that long."""
        home = await make_home(self.database)
        worn = await wear(self.database, home, since=since)
        await self.install()
        return home, worn
