"""The gate before Mosquitto: bytes pass as they are, failed logins are counted by address and slow that one only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from services.broker.configuration import BrokerConfiguration
from services.broker.gate import Gate
from services.broker.gate_rules import DELAY_FIRST_S, FREE_FAILURES, PENDING_MAX
from services.broker.process import MosquittoProcess
from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.platform.clock import system_clock
from services.core.platform.db.columns import new_id
from services.core.platform.settings import Settings
from services.devstack.ports import free_port
from tests.integration.broker.conftest import ANA, BACKEND_PASSWORD, BEN, KNOWN, Broker
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import connected

HERE, THERE = "127.0.0.1", "127.0.0.2"
_LET_IN = b"\x20\x02\x00\x00"


@dataclass
class Gated:
    """A broker, and the gate before its watches' listener."""

    broker: Broker
    gate: Gate
    port: int

    async def log_in(self, password: str = ANA, source: str = HERE) -> bytes:
        """Try to log in from an address of loopback; return the answer to CONNECT, empty if there was none."""

        def text(value: str) -> bytes:
            return len(value).to_bytes(2, "big") + value.encode()

        body = text("MQTT") + bytes([4, 0b1100_0010]) + (60).to_bytes(2, "big") + text(ANA) + text(ANA) + text(password)
        reader, writer = await asyncio.open_connection(HERE, self.port, local_addr=(source, 0))
        writer.write(bytes([0x10, len(body)]) + body)
        with contextlib.suppress(ConnectionError):
            answer = await reader.read(4)
            writer.close()
            await writer.wait_closed()
            return answer
        return b""

    async def fail(self, times: int, source: str = HERE) -> None:
        """Fail so many logins from an address, and wait until they are counted."""
        for _ in range(times):
            assert await self.log_in("wrong", source) != _LET_IN

    async def waits_s(self, source: str = HERE) -> float:
        """Return how long a good login from an address takes."""
        started_at_s = time.monotonic()
        assert await self.log_in(source=source) == _LET_IN
        return time.monotonic() - started_at_s


@pytest_asyncio.fixture(loop_scope="session")
async def gated(configuration: BrokerConfiguration, mosquitto: Path) -> AsyncIterator[Gated]:
    """A running broker that knows two watches, behind its gate."""
    port = free_port((), {configuration.plain_port, configuration.backend_port})
    gate = Gate(HERE, port, configuration.plain_port)
    process = MosquittoProcess(configuration, mosquitto, BACKEND_PASSWORD, on_login=gate.note_login)
    await process.start(KNOWN)
    await gate.start()
    yield Gated(Broker(process, configuration.plain_port, configuration.backend_port), gate, port)
    await gate.stop()
    await process.stop()


async def test_what_passes_the_gate_arrives_as_it_was(gated: Gated) -> None:
    sound = os.urandom(200_000).hex()[:200_000]
    async with connected(gated.port, ANA, ANA) as ana, gated.broker.backend() as backend:
        await ana.subscribe(f"sw/v1/{ANA}/down/#")
        await backend.subscribe("sw/v1/+/up/#")
        for _ in range(5):
            await ana.publish(f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
            assert await backend.hears() == (f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
            await backend.publish(f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)
            assert await ana.hears() == (f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)


async def test_failed_logins_slow_their_own_address_and_no_other(gated: Gated) -> None:
    await gated.fail(FREE_FAILURES + 1)

    async def slowed() -> bool:
        return gated.gate.delay_s(HERE) > 0

    await becomes_true(slowed)
    # Whoever knows the password still gets in, later; another address notices nothing.
    assert await gated.waits_s() >= DELAY_FIRST_S
    assert gated.gate.delay_s(THERE) == 0
    assert await gated.waits_s(THERE) < DELAY_FIRST_S


async def test_watches_that_come_and_go_are_no_failures(gated: Gated) -> None:
    for _ in range(FREE_FAILURES * 2):
        assert await gated.log_in() == _LET_IN
    await gated.fail(1)

    async def counted() -> bool:
        return len(gated.gate._failures) == 1  # noqa: SLF001 - the one failure is counted after all that were none

    await becomes_true(counted)
    assert gated.gate.delay_s(HERE) == 0
    assert gated.gate._failures.count(HERE, asyncio.get_running_loop().time()) == 1  # noqa: SLF001


async def test_connections_that_never_log_in_are_bounded_by_address(gated: Gated) -> None:
    silent = [await asyncio.open_connection(HERE, gated.port, local_addr=(HERE, 0)) for _ in range(PENDING_MAX)]
    assert await gated.log_in() == b""
    assert await gated.log_in(source=THERE) == _LET_IN
    for _, writer in silent:
        writer.close()

    async def let_in() -> bool:
        return await gated.log_in() == _LET_IN

    await becomes_true(let_in)


async def test_while_mosquitto_is_started_again_nobody_is_blamed(gated: Gated) -> None:
    pid = gated.broker.process.pid
    assert pid is not None
    os.kill(pid, 9)
    for _ in range(3):
        await gated.log_in()

    async def back() -> bool:
        return await gated.log_in() == _LET_IN

    await becomes_true(back, 20)
    assert gated.gate.delay_s(HERE) == 0


async def test_a_watch_whose_access_is_taken_is_cut_off_through_the_gate(gated: Gated) -> None:
    async with connected(gated.port, ANA, ANA) as ana, connected(gated.port, BEN, BEN) as ben:
        await gated.broker.process.set_logins([one for one in KNOWN if one.username != ANA])
        await ana.is_thrown_out()
        assert ben.connected


async def test_an_apps_token_is_no_password_of_a_watch(gated: Gated) -> None:
    token = AccessTokens.of(Settings()).issue(AccessClaims(new_id(), new_id()), system_clock())
    for username in (ANA, "sw-backend", "guardian"):
        for port in (gated.port, gated.broker.backend_port):
            with pytest.raises(aiomqtt.MqttError):
                async with connected(port, username, token):
                    pass
    assert await gated.log_in() == _LET_IN
