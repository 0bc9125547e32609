"""The kicks of an external broker that answers slowly: each is done once, and none ends the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import datetime

import pytest_asyncio

from services.broker.external.kicks import ExternalBroker
from services.broker.passwords import BrokerLogin
from services.core.platform.clock import system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.settings import Settings
from tests.integration.broker.waiting import becomes_true

# Longer than the wait before a failed kick is repeated, shorter than the log-in may take.
ANSWERS_AFTER_S = 0.9
ACCEPTED = b"\x20\x02\x00\x00"


@dataclass
class SlowBroker:
    """Lets everybody in, after a while; ``logins`` counts the attempts."""

    port: int = 0
    logins: int = 0
    second: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.logins += 1
        if self.logins > 1:
            self.second.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERS_AFTER_S):
                await self.second.wait()
        writer.write(ACCEPTED)
        await reader.read()
        writer.close()


@pytest_asyncio.fixture
async def slow() -> AsyncIterator[SlowBroker]:
    broker = SlowBroker()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    async with server:
        broker.port = server.sockets[0].getsockname()[1]
        yield broker


async def test_a_kick_that_takes_long_is_done_once(slow: SlowBroker, settings: Settings) -> None:
    async def nobody(_: datetime) -> Collection[str]:
        return ()

    ours = settings.model_copy(update={"broker": "external", "broker_addresses": f"127.0.0.1:{slow.port}"})
    kicks = ExternalBroker(ours, Vault.of(settings), system_clock, nobody)
    await kicks.set_logins([BrokerLogin("w-aaaaaaaaaa", "hash")])
    running = asyncio.create_task(kicks.run())
    removing = asyncio.create_task(kicks.set_logins([]))
    try:
        await removing

        async def is_kicked() -> bool:
            return kicks.unkicked is None and not kicks._due  # noqa: SLF001 - whether another one would follow

        await becomes_true(is_kicked, 30.0)
        assert not running.done(), running.exception()
        assert slow.logins == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
