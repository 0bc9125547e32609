"""Mosquitto's files are damaged while it is down: they are set aside or replaced, and it serves again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from services.broker.configuration import SHIPPED
from services.broker.folder import BROKEN_KEPT_S
from services.broker.persistence import is_damaged, session_sizes
from services.broker.process import MosquittoProcess
from services.devstack.ports import is_answering
from tests.integration.broker.conftest import ANA, BEN, KNOWN, Broker
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import refused

Damage = Callable[[bytes], bytes]

DAMAGES: dict[str, Damage] = {
    "cut in half": lambda content: content[: len(content) // 2],
    "cut in its header": lambda content: content[:10],
    "cut behind its header": lambda content: content[:25],
    "zeroed": lambda content: bytes(len(content)),
    "zeroed from the middle": lambda content: content[:400] + bytes(len(content) - 400),
    "made of noise": lambda content: os.urandom(len(content)),
    "longer than any chunk says": lambda content: content + b"\xff" * 9,
}


@dataclass
class Stopped:
    """A broker that was stopped with a session and messages in its persistence file."""

    process: MosquittoProcess
    plain_port: int
    backend_port: int
    state: Path

    @property
    def broken(self) -> Path:
        return self.state.with_name("mosquitto.db.broken")


@pytest_asyncio.fixture(loop_scope="session")
async def stopped(broker: Broker) -> AsyncIterator[Stopped]:
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        await uplink.subscribe("sw/v1/+/up/#")
    async with broker.watch() as ana:
        for number in range(3):
            await ana.publish(f"sw/v1/{ANA}/up/text", f"{number}" * 500)
    await broker.process.stop()
    state = broker.process.folder / "state/mosquitto.db"
    assert session_sizes(state)["sw-uplink"] > 1500
    yield Stopped(broker.process, broker.plain_port, broker.backend_port, state)


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_damaged_persistence_file_is_set_aside_and_the_broker_serves_within_thirty_seconds(
    stopped: Stopped, name: str
) -> None:
    damaged = DAMAGES[name](stopped.state.read_bytes())
    stopped.state.write_bytes(damaged)
    started_at_s = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN)
    assert time.monotonic() - started_at_s < 30
    assert not await refused(stopped.plain_port, ANA, ANA)
    assert stopped.broken.read_bytes() == damaged
    assert [line["event"] for line in lines if line["log_level"] == "critical"] == ["broker_state_damaged"]


async def test_damage_that_only_mosquitto_notices_is_set_aside_and_so_is_one_while_it_runs(stopped: Stopped) -> None:
    # The length of a topic inside a chunk whose own length is right.
    content = stopped.state.read_bytes()
    at = content.index(b"sw/v1/")
    damaged = content[: at - 40] + b"\xff" * 36 + content[at - 4 :]
    assert len(damaged) == len(content)
    stopped.state.write_bytes(damaged)
    assert not is_damaged(stopped.state)
    await stopped.process.start(KNOWN)
    assert not await refused(stopped.plain_port, ANA, ANA)
    pid = stopped.process.pid
    assert pid is not None
    stopped.state.write_bytes(b"not a database")
    os.kill(pid, 9)
    await becomes_true(lambda: stopped.process.restarts > 0 and stopped.process.problem is None, 30)
    assert not await refused(stopped.plain_port, ANA, ANA)


async def test_a_whole_or_empty_file_is_left_as_it_is(stopped: Stopped) -> None:
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN)
        await stopped.process.stop()
        stopped.state.write_bytes(b"")
        await stopped.process.start(KNOWN)
    assert not stopped.broken.exists()
    assert not [line for line in lines if line["log_level"] == "critical"]


@pytest.mark.parametrize("damage", [b"", b"half a line", b"\x00" * 500, b"w-aaaaaaaaaaaa:$7$101$AAAA$AAAA\n"])
async def test_a_damaged_password_file_is_set_aside_and_written_anew(stopped: Stopped, damage: bytes) -> None:
    (stopped.process.folder / "passwords").write_bytes(damage)
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN)
    assert not await refused(stopped.plain_port, BEN, BEN)
    assert (stopped.process.folder / "passwords.broken").read_bytes() == damage
    assert "broker_password_file_damaged" in [line["event"] for line in lines if line["log_level"] == "critical"]


async def test_the_password_file_of_an_earlier_run_is_no_damage(stopped: Stopped) -> None:
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN[1:])
    assert not (stopped.process.folder / "passwords.broken").exists()
    assert not [line for line in lines if line["log_level"] == "critical"]


@pytest.mark.parametrize("damage", [b"", b"topic readwrite #\n"])
async def test_a_damaged_access_file_is_replaced_by_the_packaged_one_before_the_start(
    stopped: Stopped, damage: bytes
) -> None:
    (stopped.process.folder / "acl").write_bytes(damage)
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN)
    assert (stopped.process.folder / "acl").read_bytes() == (SHIPPED / "acl").read_bytes()
    assert [line["event"] for line in lines if line["log_level"] == "critical"] == ["broker_access_file_restored"]


@pytest.mark.parametrize(("name", "problem"), [("acl", "access_file_broken"), ("passwords", "password_file_broken")])
async def test_where_a_file_can_be_neither_verified_nor_replaced_the_broker_stays_down_and_says_so(
    stopped: Stopped, name: str, problem: str
) -> None:
    for blocked in (stopped.process.folder / name, stopped.process.folder / f"{name}.broken"):
        blocked.unlink(missing_ok=True)
        (blocked / "in the way").mkdir(parents=True)
    with structlog.testing.capture_logs() as lines:
        await stopped.process.start(KNOWN)
        assert stopped.process.problem == problem
        assert stopped.process.pid is None
        assert not is_answering(stopped.plain_port)
    assert {line["event"] for line in lines if line["log_level"] == "critical"} == {f"broker_{problem}"}
    shutil.rmtree(stopped.process.folder / name)
    await becomes_true(lambda: stopped.process.problem is None)
    assert not await refused(stopped.plain_port, ANA, ANA)


async def test_what_was_set_aside_is_deleted_before_a_day_has_passed(stopped: Stopped) -> None:
    stopped.state.write_bytes(b"noise")
    await stopped.process.start(KNOWN)
    stopped.process.files.purge_broken()
    assert stopped.broken.exists()
    earlier = time.time() - BROKEN_KEPT_S - 1
    os.utime(stopped.broken, (earlier, earlier))
    stopped.process.files.purge_broken()
    assert not stopped.broken.exists()
