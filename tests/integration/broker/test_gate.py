"""The gate before Mosquitto: bytes pass as they are, strangers are bounded, and a watch always gets in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from services.broker.configuration import BrokerConfiguration
from services.broker.gate import Gate
from services.broker.gate_rules import (
    DELAY_FIRST_S,
    FIRST_BYTE_DEADLINE_S,
    FREE_FAILURES,
    LOGIN_DEADLINE_S,
    PENDING_PER_ADDRESS,
)
from services.broker.probe import connect_packet
from services.broker.process import MosquittoProcess
from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.platform.clock import system_clock
from services.core.platform.db.columns import new_id
from services.core.platform.settings import Settings
from tests.integration.broker.conftest import ANA, BACKEND_PASSWORD, BEN, FACTORY, KNOWN, Broker
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import connected

HERE, THERE = "127.0.0.1", "127.0.0.2"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_LET_IN = b"\x20\x02\x00\x00"


@dataclass
class Gated:
    """A broker, and the gate before its watches' listener."""

    broker: Broker
    gate: Gate
    port: int

    async def open(self, source: str = HERE) -> Streams:
        """Connect from an address of loopback and stay silent."""
        return await asyncio.open_connection(HERE, self.port, local_addr=(source, 0))

    async def silent(self, count: int, source: str = HERE) -> list[Streams]:
        """Open so many silent connections, and wait until the gate has them."""
        before = self.pending
        opened = [await self.open(source) for _ in range(count)]
        await becomes_true(lambda: self.pending >= min(before + count, PENDING_PER_ADDRESS))
        return opened

    @property
    def pending(self) -> int:
        """How many connections have not logged in."""
        return len(self.gate._pending)  # noqa: SLF001 - what is bounded

    def failures(self, source: str = HERE) -> int:
        """How many failures of an address count now."""
        return self.gate._failures.count(source, asyncio.get_running_loop().time())  # noqa: SLF001

    async def log_in(self, password: str = ANA, source: str = HERE) -> bytes:
        """Try to log in from an address of loopback; return the answer to CONNECT, empty if there was none."""
        reader, writer = await self.open(source)
        writer.write(connect_packet(ANA, ANA, password))
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
async def gated(
    configuration: BrokerConfiguration, mosquitto: Path, claim_port: Callable[[], int]
) -> AsyncIterator[Gated]:
    """A running broker that knows two watches, behind its gate."""
    port = claim_port()
    # Enough for the bound of an address, also where a process may open 1,024 files.
    gate = Gate(HERE, port, configuration.plain_port, connections_max=4 * PENDING_PER_ADDRESS)
    process = MosquittoProcess(configuration, mosquitto, BACKEND_PASSWORD, on_login=gate.record_login)
    gate.epoch = process.epoch
    await process.start(KNOWN)
    await gate.start()
    yield Gated(Broker(process, configuration.plain_port, configuration.backend_port), gate, port)
    await gate.stop()
    await process.stop()


async def test_what_passes_the_gate_arrives_as_it_was(gated: Gated) -> None:
    sound = os.urandom(40_000).hex()[:79_000]
    async with connected(gated.port, ANA, ANA) as ana, gated.broker.backend() as backend:
        await ana.subscribe(f"sw/v1/{ANA}/down/#")
        await backend.subscribe("sw/v1/+/up/#")
        for _ in range(5):
            await ana.publish(f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
            assert await backend.hears() == (f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
            await backend.publish(f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)
            assert await ana.hears() == (f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)


async def close_all(connections: list[Streams]) -> None:
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in connections), return_exceptions=True)


async def test_failed_logins_slow_their_own_address_and_no_other(gated: Gated) -> None:
    await gated.fail(FREE_FAILURES + 1)
    await becomes_true(lambda: gated.gate.delay_s(HERE) > 0)
    # A correct password still gets in after a delay; another address is not affected.
    assert await gated.waits_s() >= DELAY_FIRST_S
    assert gated.gate.delay_s(THERE) == 0
    assert await gated.waits_s(THERE) < DELAY_FIRST_S


async def test_an_address_with_a_login_within_the_hour_is_not_delayed_whatever_fails_behind_it(gated: Gated) -> None:
    assert await gated.log_in() == _LET_IN
    await gated.fail(FREE_FAILURES + 5)
    await becomes_true(lambda: gated.failures() == FREE_FAILURES + 5)
    assert gated.gate.delay_s(HERE) == 0
    assert gated.gate.delay_s(THERE) == 0


async def test_watches_that_come_and_go_are_no_failures(gated: Gated) -> None:
    for _ in range(FREE_FAILURES * 2):
        assert await gated.log_in() == _LET_IN
    await gated.fail(1)
    # The one failure is counted after all that were none.
    await becomes_true(lambda: gated.failures() > 0)
    assert gated.failures() == 1


async def test_beyond_its_bound_the_oldest_connection_of_an_address_is_closed_and_a_watch_gets_in_at_once(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take longer to open that many than the gate waits for a first byte.
    monkeypatch.setattr("services.broker.gate.FIRST_BYTE_DEADLINE_S", 120)
    silent = await gated.silent(PENDING_PER_ADDRESS)
    assert await gated.waits_s() < 1
    assert await gated.log_in(source=THERE) == _LET_IN
    oldest_reader, _ = silent[0]
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(oldest_reader.read(1), 60) == b""
    assert not silent[-1][0].at_eof()
    for _ in range(5):
        assert await gated.waits_s() < 1
    await close_all(silent)
    assert gated.failures() == 0


async def test_a_connection_that_says_nothing_is_closed_and_costs_mosquitto_nothing(gated: Gated) -> None:
    reader, writer = await gated.open()
    started_at_s = time.monotonic()
    with contextlib.suppress(ConnectionError):
        assert await reader.read(1) == b""
    assert FIRST_BYTE_DEADLINE_S - 0.5 < time.monotonic() - started_at_s < FIRST_BYTE_DEADLINE_S + 5
    writer.close()
    assert not gated.gate._by_inner  # noqa: SLF001 - no connection to Mosquitto was opened for it
    assert gated.failures() == 0


async def test_a_connection_that_never_logs_in_is_closed_and_is_no_failure(gated: Gated) -> None:
    reader, writer = await gated.open()
    started_at_s = time.monotonic()
    writer.write(b"\x10")
    with contextlib.suppress(ConnectionError):
        assert await reader.read(1) == b""
    assert LOGIN_DEADLINE_S - 0.5 < time.monotonic() - started_at_s < LOGIN_DEADLINE_S + 5
    writer.close()
    await becomes_true(lambda: not gated.gate._by_inner)  # noqa: SLF001 - judged
    assert gated.failures() == 0


async def test_a_watch_that_has_logged_in_has_no_deadline(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.broker.gate.LOGIN_DEADLINE_S", 0.2)
    async with connected(gated.port, ANA, ANA) as ana:
        with pytest.raises(TimeoutError):
            await ana.is_thrown_out(within_s=1)


async def test_whoever_leaves_while_delayed_has_not_failed(gated: Gated) -> None:
    await gated.fail(FREE_FAILURES + 4)
    await becomes_true(lambda: gated.failures() == FREE_FAILURES + 4)
    assert gated.gate.delay_s(HERE) == 2
    for _ in range(10):
        _, writer = await gated.open()
        writer.write(connect_packet(ANA, ANA, "wrong"))
        writer.transport.abort()
    await becomes_true(lambda: gated.pending == 0)
    # A failure that does count is judged after those would have been.
    assert await gated.log_in("wrong") != _LET_IN
    await becomes_true(lambda: gated.failures() > FREE_FAILURES + 4)
    assert gated.failures() == FREE_FAILURES + 5


async def test_nothing_is_counted_while_mosquitto_does_not_know_its_users(gated: Gated) -> None:
    known = gated.gate.epoch
    gated.gate.epoch = lambda: None
    await gated.fail(FREE_FAILURES + 1)
    gated.gate.epoch = known
    await gated.fail(1)
    await becomes_true(lambda: gated.failures() > 0)
    assert gated.failures() == 1


async def test_what_a_client_sends_before_its_login_is_bounded(gated: Gated) -> None:
    _, writer = await gated.open()
    writer.transport.set_write_buffer_limits(high=0)
    # A CONNECT of 81,000 bytes, which Mosquitto waits for, and more behind it.
    writer.write(b"\x10\xe8\xf8\x04" + bytes(60_000_000))
    await becomes_true(lambda: bool(gated.gate._clients))  # noqa: SLF001
    (client,) = gated.gate._clients  # noqa: SLF001
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.drain(), 2)
    assert client._early_bytes < 2 * 65_536  # noqa: SLF001 - what it was let send
    writer.transport.abort()


async def test_a_full_gate_closes_who_has_not_logged_in_and_only_then_refuses_the_newcomer(
    configuration: BrokerConfiguration, mosquitto: Path, claim_port: Callable[[], int]
) -> None:
    port = claim_port()
    gate = Gate(HERE, port, configuration.plain_port, connections_max=3)
    process = MosquittoProcess(configuration, mosquitto, BACKEND_PASSWORD, on_login=gate.record_login)
    await process.start(KNOWN)
    await gate.start()
    gated = Gated(Broker(process, configuration.plain_port, configuration.backend_port), gate, port)
    try:
        async with connected(port, ANA, ANA) as ana:
            silent = [await gated.open() for _ in range(20)]
            async with connected(port, BEN, BEN) as ben, connected(port, FACTORY, FACTORY) as factory:
                await becomes_true(lambda: len(gate._clients) == 3)  # noqa: SLF001
                assert gated.pending == 0
                assert await gated.log_in() == b""
                assert [ana.connected, ben.connected, factory.connected] == [True, True, True]
            await close_all(silent)
            assert gated.failures() == 0
    finally:
        await gate.stop()
        await process.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
async def test_mosquitto_is_reached_from_several_addresses_each_with_local_ports_of_its_own(gated: Gated) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in (ANA, BEN, FACTORY):
            await stack.enter_async_context(connected(gated.port, name, name))
        addresses = {address for address, _ in gated.gate._by_inner}  # noqa: SLF001
    assert len(addresses) == 3


async def test_while_mosquitto_is_started_again_nobody_is_blamed(gated: Gated) -> None:
    pid = gated.broker.process.pid
    assert pid is not None
    os.kill(pid, 9)
    for _ in range(3):
        await gated.log_in()

    async def back() -> bool:
        return await gated.log_in() == _LET_IN

    await becomes_true(back, 20)
    assert gated.failures() == 0


async def test_a_watch_whose_access_is_taken_is_cut_off_through_the_gate(gated: Gated) -> None:
    async with connected(gated.port, ANA, ANA) as ana, connected(gated.port, BEN, BEN) as ben:
        await gated.broker.process.set_logins([login for login in KNOWN if login.username != ANA])
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
