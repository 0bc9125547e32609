"""Watches reconnect behind few addresses while one address is attacked: every watch gets in, descriptors stay flat."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from services.broker.configuration import BrokerConfiguration
from services.broker.gate import Gate
from services.broker.gate_rules import FREE_FAILURES
from services.broker.passwords import BrokerLogin
from services.broker.probe import connect_packet
from services.broker.process import MosquittoProcess
from services.core.platform.crypto.broker_password import mosquitto_hash
from tests.integration.broker.conftest import BACKEND_PASSWORD, KNOWN
from tests.integration.broker.waiting import becomes_true

SILENT = 200
ATTACKED = "127.0.0.11"
ADDRESSES = (ATTACKED, "127.0.0.12", "127.0.0.13")
_LET_IN = b"\x20\x02\x00\x00"
# The same for all: hashing takes a millisecond, and which secret a watch has is not what is tested here.
_PASSWORD = "the same for every watch"


@dataclass
class Storm:
    """A gate before a broker with many watches, and the connections that are open."""

    gate: Gate
    port: int
    mosquitto_pid: int
    watches: list[str]
    open: list[asyncio.StreamWriter] = field(default_factory=list)

    async def enter(self, username: str, address: str) -> float:
        """Log a watch in as its retries would, and return how long that took, in seconds."""
        started_at_s = time.monotonic()
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
                    writer.write(connect_packet(username, username, _PASSWORD))
                    try:
                        if await reader.read(4) == _LET_IN:
                            self.open.append(writer)
                            return time.monotonic() - started_at_s
                    finally:
                        if writer not in self.open:
                            writer.transport.abort()

    async def attack(self, ended: asyncio.Event) -> None:
        """Keep the attacked address full of connections: silent ones, garbage, and wrong passwords."""
        silent: list[asyncio.StreamWriter] = []
        number = 0
        try:
            while not ended.is_set():
                number += 1
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(ATTACKED, 0))
                    silent.append(writer)
                    if number % 3 == 1:
                        writer.write(b"GET / HTTP/1.1\r\n\r\n")
                    elif number % 3 == 2:
                        writer.write(connect_packet(self.watches[0], self.watches[0], "wrong"))
                if len(silent) > SILENT * 2:
                    oldest = silent.pop(0)
                    oldest.transport.abort()
                await asyncio.sleep(0.002)
        finally:
            for writer in silent:
                writer.transport.abort()

    @contextlib.asynccontextmanager
    async def attacked(self) -> AsyncIterator[None]:
        """Attack one address for the block."""
        ended = asyncio.Event()
        attack = asyncio.create_task(self.attack(ended))
        try:
            yield
        finally:
            ended.set()
            await attack

    async def leave(self) -> None:
        """Break every watch's connection."""
        for writer in self.open:
            writer.transport.abort()
        self.open.clear()
        await becomes_true(lambda: not self.gate._clients, 30)  # noqa: SLF001

    def descriptors(self) -> int:
        """Return how many files Mosquitto has open."""
        return len(list(Path(f"/proc/{self.mosquitto_pid}/fd").iterdir()))


@pytest_asyncio.fixture(loop_scope="session")
async def storm(
    configuration: BrokerConfiguration, mosquitto: Path, claim_port: Callable[[], int], request: pytest.FixtureRequest
) -> AsyncIterator[Storm]:
    """A broker that knows as many watches as the test asks for, behind its gate."""
    watches = [
        f"w-{number:04d}".translate(str.maketrans("0189", "abcd")).ljust(14, "q") for number in range(request.param)
    ]
    password_hash = mosquitto_hash(_PASSWORD)
    port = claim_port()
    gate = Gate("127.0.0.1", port, configuration.plain_port)
    process = MosquittoProcess(configuration, mosquitto, BACKEND_PASSWORD, on_login=gate.record_login)
    gate.epoch = process.epoch
    await process.start([*KNOWN, *(BrokerLogin(name, password_hash) for name in watches)])
    await gate.start()
    assert process.pid is not None
    yield Storm(gate, port, process.pid, watches)
    await gate.stop()
    await process.stop()


@pytest.mark.parametrize(
    ("storm", "rounds"), [(90, 2), pytest.param(1000, 5, marks=pytest.mark.long)], indirect=["storm"]
)
async def test_every_watch_gets_in_while_one_address_is_attacked_and_descriptors_stay_flat(
    storm: Storm, rounds: int
) -> None:
    opened: list[int] = []
    times_s: list[float] = []
    for _ in range(rounds):
        async with storm.attacked():
            took_s = await asyncio.gather(
                *(storm.enter(name, ADDRESSES[number % 3]) for number, name in enumerate(storm.watches))
            )
            times_s += took_s
            assert len(storm.open) == len(storm.watches)
            # One watch more behind the attacked address, while everybody is there.
            first = storm.open.pop(0)
            first.transport.abort()
            assert await storm.enter(storm.watches[0], ATTACKED) < 5
            opened.append(storm.descriptors())
        await storm.leave()
    print(f"log-in median {sorted(times_s)[len(times_s) // 2]:.2f} s, longest {max(times_s):.2f} s; files {opened}")  # noqa: T201
    assert opened[-1] <= opened[0] + SILENT * 2
    # The attacked address is not slowed for it, since watches log in there; the others have no failure at all.
    assert storm.gate.delay_s(ATTACKED) == 0
    assert [storm.gate._failures.count(address, time.monotonic()) for address in ADDRESSES[1:]] == [0, 0]  # noqa: SLF001


@pytest.mark.parametrize("storm", [3], indirect=True)
async def test_behind_two_hundred_silent_connections_a_watch_gets_in_at_once(storm: Storm) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", storm.port, local_addr=(ATTACKED, 0)) for _ in range(SILENT)]
    for name in storm.watches:
        assert await storm.enter(name, ATTACKED) < 1
    for _, writer in silent:
        writer.transport.abort()
    await storm.leave()


@pytest.mark.parametrize("storm", [3], indirect=True)
async def test_a_watch_that_flaps_in_the_middle_of_its_log_in_delays_nobody_behind_its_address(storm: Storm) -> None:
    flapping, *others = storm.watches
    for _ in range(FREE_FAILURES + 5):
        # Gets through and vanishes, then vanishes again when Mosquitto has the first byte of CONNECT.
        await storm.enter(flapping, ATTACKED)
        await storm.leave()
        _, writer = await asyncio.open_connection("127.0.0.1", storm.port, local_addr=(ATTACKED, 0))
        writer.write(b"\x10")
        await becomes_true(lambda: any(client.inner for client in storm.gate._clients), 30)  # noqa: SLF001
        writer.transport.abort()
    await storm.enter(flapping, ATTACKED)
    # The breaks count as failures: without its log-ins the address would be delayed.
    failures = storm.gate._failures  # noqa: SLF001
    await becomes_true(lambda: failures.count(ATTACKED, time.monotonic()) > FREE_FAILURES, 30)
    assert storm.gate.delay_s(ATTACKED) == 0
    for name in others:
        assert await storm.enter(name, ATTACKED) < 1
    await storm.leave()
