"""Mosquitto dies, its files are damaged, its folder is shared: it comes back as it was, or stays away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from services.broker.configuration import BrokerConfiguration
from services.broker.errors import AccessFileBrokenError, FolderInUseError, MosquittoNotServingError
from services.devstack.ports import is_answering
from tests.integration.broker.conftest import ANA, BEN, KNOWN, Broker, login, make_process
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import refused

BEFORE = (f"sw/v1/{ANA}/up/text", "before")


def kill(broker: Broker) -> None:
    """Kill Mosquitto without giving it time to save anything."""
    assert broker.process.pid is not None
    os.kill(broker.process.pid, signal.SIGKILL)


async def is_back(broker: Broker, restarts: int = 1) -> None:
    """Wait until Mosquitto was started again and serves."""
    await becomes_true(lambda: broker.process.restarts >= restarts and broker.process.problem is None)


async def say_while_the_bridge_is_away(broker: Broker) -> None:
    """Queue one message for the bridge."""
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        await uplink.subscribe("sw/v1/+/up/#")
    async with broker.watch() as ana:
        await ana.publish(*BEFORE)


async def is_saved(broker: Broker) -> None:
    """Wait until Mosquitto has written its state anew."""
    state = broker.process.folder / "state/mosquitto.db"
    since_ns = time.time_ns()
    async with broker.watch(BEN) as ben:  # while nothing changes nothing is saved
        await ben.publish(f"sw/v1/{BEN}/up/text", "more")
    await becomes_true(lambda: state.exists() and state.stat().st_mtime_ns > since_ns)


async def test_after_a_kill_it_is_back_with_what_waited_for_the_bridge(broker: Broker) -> None:
    await say_while_the_bridge_is_away(broker)
    # Two saves: the first may have begun before the message came.
    await is_saved(broker)
    await is_saved(broker)
    kill(broker)
    await is_back(broker)
    async with broker.watch() as ana:
        await ana.publish(f"sw/v1/{ANA}/up/text", "after")
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        heard = await uplink.heard_before((f"sw/v1/{ANA}/up/text", "after"))
    assert BEFORE in heard


async def test_killed_again_and_again_it_comes_back_with_the_newest_users(broker: Broker) -> None:
    for number in range(5):
        users = [login(ANA, f"password {number}")]
        await broker.process.set_logins(users)
        kill(broker)
        await is_back(broker, number + 1)
        assert not await refused(broker.plain_port, ANA, f"password {number}")
        assert not await broker.process.set_logins(users)


async def test_users_changed_while_it_is_down_are_in_force_when_it_is_back(broker: Broker) -> None:
    kill(broker)
    await becomes_true(lambda: broker.process.pid is None)
    with contextlib.suppress(MosquittoNotServingError):  # it may be back already
        await broker.process.set_logins(KNOWN[1:])
    await is_back(broker)
    await broker.process.set_logins(KNOWN[1:])
    assert await refused(broker.plain_port, ANA, ANA)
    assert not await refused(broker.plain_port, BEN, BEN)


async def test_stopped_in_order_it_keeps_what_waited_for_the_bridge(broker: Broker) -> None:
    await say_while_the_bridge_is_away(broker)
    await broker.process.stop()
    assert not is_answering(broker.plain_port)
    await broker.process.start(KNOWN)
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        assert await uplink.hears() == BEFORE


@pytest.mark.parametrize("damage", [None, b"", b"topic readwrite #\n", b"\x00\xff nonsense", b"user sw-backend\n"])
async def test_a_damaged_access_file_is_restored_before_mosquitto_is_told_anything(
    broker: Broker, damage: bytes | None
) -> None:
    access = broker.process.folder / "acl"
    shipped = access.read_bytes()
    if damage is None:
        access.unlink()
    else:
        access.write_bytes(damage)
    await broker.process.set_logins([login(ANA), login(BEN)])
    assert access.read_bytes() == shipped
    async with broker.watch() as ana, broker.watch(BEN) as ben:
        await ana.subscribe("#")
        await ben.publish(f"sw/v1/{BEN}/up/text", "not for Ana")
        async with broker.backend() as backend:
            await backend.publish(f"sw/v1/{ANA}/down/time", "last")
        assert await ana.heard_before((f"sw/v1/{ANA}/down/time", "last")) == []


@pytest.mark.parametrize("by_users", [True, False], ids=["at a change of users", "between changes"])
async def test_an_access_file_that_cannot_be_restored_stops_the_broker_until_it_can(
    broker: Broker, *, by_users: bool
) -> None:
    access = broker.process.folder / "acl"
    access.unlink()
    (access / "in the way").mkdir(parents=True)
    notice = partial(broker.process.set_logins, KNOWN[:1]) if by_users else broker.process.verify_files
    with pytest.raises(AccessFileBrokenError):
        await notice()
    await becomes_true(lambda: not is_answering(broker.plain_port))
    assert not is_answering(broker.backend_port)
    assert broker.process.problem == "access_file_broken"
    shutil.rmtree(access)
    await is_back(broker)
    assert not await refused(broker.plain_port, ANA, ANA)


def listening_sockets(pid: int) -> set[int]:
    """Return the ports on which a process of this machine listens, on any address."""
    names = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        # It opens and closes files while they are listed.
        with contextlib.suppress(FileNotFoundError):
            names.append(descriptor.readlink().name)
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in names if name.startswith("socket:[")}
    ports = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                ports.add(int(columns[1].rpartition(":")[2], 16))
    return ports


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux' list of sockets")
async def test_it_listens_where_it_was_told_and_nowhere_else(broker: Broker) -> None:
    # Some options, put above the first listener, make Mosquitto open one more on 0.0.0.0:1883.
    assert broker.process.pid is not None
    expected = {broker.plain_port, broker.backend_port}
    assert listening_sockets(broker.process.pid) == expected
    await broker.process.set_logins(KNOWN[1:])
    assert listening_sockets(broker.process.pid) == expected


async def test_a_second_broker_in_the_same_folder_does_not_start(broker: Broker, mosquitto: Path) -> None:
    with pytest.raises(FolderInUseError):
        await make_process(broker.process.configuration, mosquitto).start(KNOWN)
    assert not await refused(broker.plain_port, ANA, ANA)


async def test_on_a_port_that_is_taken_it_says_so_and_disturbs_nobody(
    broker: Broker, mosquitto: Path, folder: Path
) -> None:
    configuration = replace(broker.process.configuration, folder=folder / "another")
    second = make_process(configuration, mosquitto)
    with pytest.raises(MosquittoNotServingError, match="Address already in use"):
        await second.start(KNOWN)
    assert second.pid is None
    assert not await refused(broker.plain_port, ANA, ANA)
    await second.stop()


async def test_mosquitto_ends_with_the_process_that_started_it(
    configuration: BrokerConfiguration, mosquitto: Path
) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from services.broker.configuration import BrokerConfiguration\n"
        "from services.broker.process import MosquittoProcess\n"
        "async def main():\n"
        "    configuration = BrokerConfiguration(Path(sys.argv[1]), int(sys.argv[2]), plain_port=int(sys.argv[3]))\n"
        "    await MosquittoProcess(configuration, Path(sys.argv[4]), 'backend').start()\n"
        "    print('started', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    arguments = [configuration.folder, configuration.backend_port, configuration.plain_port, mosquitto]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        while b"started\n" not in await parent.stdout.readline():
            pass
    assert is_answering(configuration.plain_port)
    parent.kill()
    await parent.wait()
    await becomes_true(lambda: not is_answering(configuration.plain_port))
    # The folder is free as soon as that Mosquitto has saved and ended.
    again = make_process(configuration, mosquitto)
    async with asyncio.timeout(60):
        while True:
            try:
                await again.start(KNOWN)
                break
            except FolderInUseError:
                continue
    await again.stop()
