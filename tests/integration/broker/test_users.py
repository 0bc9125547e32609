"""The users in force are those last given, and only those; nobody else notices the change."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from pathlib import Path

import pytest

from services.broker.errors import BrokerError, PasswordFileBrokenError
from services.devstack.ports import is_answering
from tests.integration.broker.conftest import ANA, BEN, KNOWN, Broker, login
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import refused

CARL = "w-cccccccccccc"


async def test_a_removed_user_is_cut_off_at_once_and_nobody_else_notices(broker: Broker) -> None:
    async with broker.watch() as ana, broker.watch(BEN) as ben, broker.backend() as backend:
        await ben.subscribe(f"sw/v1/{BEN}/down/#")
        started_s = time.monotonic()
        assert await broker.process.set_logins(KNOWN[1:])
        await ana.is_thrown_out()
        assert time.monotonic() - started_s < 5  # the promise; measured are 5 ms
        assert await refused(broker.plain_port, ANA, ANA)
        await backend.publish(f"sw/v1/{BEN}/down/time", "still here")
        assert await ben.hears() == (f"sw/v1/{BEN}/down/time", "still here")


async def test_what_a_removed_watch_had_said_before_still_arrives(broker: Broker) -> None:
    async with broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        async with broker.watch() as ana:
            await ana.publish(f"sw/v1/{ANA}/up/text", "before")
            await broker.process.set_logins(KNOWN[1:])
        assert await backend.hears() == (f"sw/v1/{ANA}/up/text", "before")


async def test_a_new_user_can_log_in_as_soon_as_it_is_said_to_be_in_force(broker: Broker) -> None:
    assert await refused(broker.plain_port, CARL, CARL)
    for number in range(10):
        password = f"password {number}"
        assert await broker.process.set_logins([login(CARL, password)])
        assert not await refused(broker.plain_port, CARL, password)


async def test_the_same_users_again_change_nothing(broker: Broker) -> None:
    users = [login(ANA), login(BEN)]
    assert await broker.process.set_logins(users)
    async with broker.watch() as ana:
        written_at = (broker.process.folder / "passwords").stat().st_mtime_ns
        assert not await broker.process.set_logins(list(reversed(users)))
        assert (broker.process.folder / "passwords").stat().st_mtime_ns == written_at
        assert ana.connected


async def test_a_changed_password_cuts_off_whoever_uses_the_old_one(broker: Broker) -> None:
    async with broker.watch() as ana:
        await broker.process.set_logins([login(ANA, "another")])
        await ana.is_thrown_out()
        assert await refused(broker.plain_port, ANA, ANA)
        assert not await refused(broker.plain_port, ANA, "another")


async def test_without_any_watch_the_bridge_still_has_its_place(broker: Broker) -> None:
    async with broker.backend() as backend:
        assert await broker.process.set_logins([])
        await backend.subscribe("sw/v1/+/up/#")
        assert backend.connected
        assert broker.process.problem is None


@pytest.mark.parametrize(
    "name",
    ["sw-backend", "sw-probe", "#", "+", "w-", "w-aaaa/aaaaaaaa", "f-sim00001", "w-a:b", ""],
)
async def test_a_name_that_is_no_watchs_is_left_out_and_keeps_nobody_else_out(broker: Broker, name: str) -> None:
    await broker.process.set_logins([login(ANA), login(name, "stolen")])
    assert not await refused(broker.plain_port, ANA, ANA)
    assert await refused(broker.plain_port, name, "stolen")
    assert await refused(broker.backend_port, name, "stolen")


def block(passwords: Path) -> None:
    """Put a folder where the password file belongs, and another where a damaged file is set aside."""
    for path in (passwords, passwords.with_name("passwords.broken")):
        path.unlink(missing_ok=True)
        (path / "in the way").mkdir(parents=True)


async def test_a_password_file_that_cannot_be_written_is_never_signalled(broker: Broker) -> None:
    passwords = broker.process.folder / "passwords"
    async with broker.watch() as ana, broker.backend() as backend:
        block(passwords)
        with pytest.raises(PasswordFileBrokenError, match="passwords"):
            await broker.process.set_logins([login(CARL)])
        assert broker.process.problem is not None
        assert ana.connected
        assert backend.connected
        shutil.rmtree(passwords)
        # A repeat with the same users takes up what is still to be done.
        await broker.process.set_logins([login(CARL)])
        await ana.is_thrown_out()
        assert not await refused(broker.plain_port, CARL, CARL)
        assert broker.process.problem is None


async def test_when_access_cannot_be_taken_away_in_time_the_broker_is_stopped_until_it_can(broker: Broker) -> None:
    passwords = broker.process.folder / "passwords"
    async with broker.watch() as ana:
        block(passwords)
        started_at_s = time.monotonic()

        async def gone() -> bool:
            with contextlib.suppress(BrokerError):
                await broker.process.set_logins(KNOWN[1:])
            return not ana.connected

        await becomes_true(gone)
        assert time.monotonic() - started_at_s < 5
    assert broker.process.problem == "password_file_broken"
    assert not is_answering(broker.backend_port)
    shutil.rmtree(passwords)
    await becomes_true(lambda: broker.process.problem is None)
    assert await refused(broker.plain_port, ANA, ANA)
    assert not await refused(broker.plain_port, BEN, BEN)


async def test_a_password_file_emptied_by_somebody_else_locks_nobody_out(broker: Broker) -> None:
    for damage in (b"", b"half a line", b"w-aaaaaaaaaaaa:$7$101$AAAA$AAAA\n"):
        (broker.process.folder / "passwords").write_bytes(damage)
        async with broker.backend() as backend:
            await broker.process.set_logins([login(ANA)])
            assert not await refused(broker.plain_port, ANA, ANA)
            assert (broker.process.folder / "passwords.broken").read_bytes() == damage
            await backend.subscribe("sw/v1/+/up/#")
            assert backend.connected


async def test_two_hundred_identities_come_and_go_and_the_broker_is_well_and_in_step(broker: Broker) -> None:
    names = [f"w-{number:03d}".translate(str.maketrans("0189", "abcd")).ljust(14, "q") for number in range(200)]
    logins = {name: login(name) for name in names}
    async with broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        chance, waiting, present = random.Random(3), names[1:], names[:1]
        chance.shuffle(waiting)
        while waiting:
            # One comes, none to two go, whichever they are; then whoever is left can speak.
            present.append(waiting.pop())
            for _ in range(min(chance.randrange(3), len(present) - 1)):
                present.pop(chance.randrange(len(present)))
            await broker.process.set_logins([logins[name] for name in present])
            name = chance.choice(present)
            async with broker.watch(name) as watch:
                await watch.publish(f"sw/v1/{name}/up/text", "hi")
            assert await backend.hears() == (f"sw/v1/{name}/up/text", "hi")
        assert backend.connected
        assert broker.process.restarts == 0
        assert broker.process.problem is None
        for name in names:
            assert await refused(broker.plain_port, name, name) == (name not in present)
