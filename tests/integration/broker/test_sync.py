"""Mosquitto follows whoever knows the users: woken or polled, through the loss of either side."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Collection
from functools import partial

from services.broker.passwords import BrokerLogin
from services.broker.sync import UserSync
from services.broker.users import Changes, UsersUnavailableError
from tests.integration.broker.conftest import ANA, BEN, KNOWN, Broker, login
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import refused

CARL = "w-cccccccccccc"


class UsersOfATest:
    """Users in memory, a wake-up by hand, and a switch that takes everything away."""

    def __init__(self, port: int) -> None:
        self.users = list(KNOWN)
        self.away = False
        self.read = 0
        self.could_log_in: dict[str, bool] = {}
        self.thrown_out: set[str] = set()
        self.changed = asyncio.Event()
        self.asked = asyncio.Event()
        self._port = port

    async def version(self) -> str:
        self.asked.set()
        if self.away:
            raise UsersUnavailableError("away")
        return repr(self.users)

    async def logins(self) -> list[BrokerLogin]:
        if self.away:
            raise UsersUnavailableError("away")
        self.read += 1
        return list(self.users)

    async def installed(self, usernames: Collection[str]) -> None:
        for name in usernames:
            self.could_log_in[name] = not await refused(self._port, name, name)

    async def kicked(self, usernames: Collection[str]) -> None:
        self.thrown_out |= set(usernames)

    @contextlib.asynccontextmanager
    async def changes(self) -> AsyncIterator[Changes]:
        if self.away:
            raise UsersUnavailableError("away")
        yield self

    async def wait(self, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), timeout_s)
        self.changed.clear()
        if self.away:
            raise UsersUnavailableError("away")


@contextlib.asynccontextmanager
async def following(broker: Broker) -> AsyncIterator[tuple[UserSync, UsersOfATest]]:
    """Follow a test's users for the block."""
    source = UsersOfATest(broker.plain_port)
    sync = UserSync(broker.process, source)
    running = asyncio.create_task(sync.run())
    try:
        await becomes_true(partial(is_in_step, sync))
        yield sync, source
    finally:
        while not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=1)


async def is_in_step(sync: UserSync) -> bool:
    return await sync.in_step() is None


async def let_in(broker: Broker, name: str) -> None:
    """Wait until a user can log in."""

    async def enters() -> bool:
        return not await refused(broker.plain_port, name, name)

    await becomes_true(enters)


async def test_a_user_is_said_to_be_installed_only_when_it_can_log_in(broker: Broker) -> None:
    async with following(broker) as (_, source):
        source.users.append(login(CARL))
        source.changed.set()
        await becomes_true(lambda: CARL in source.could_log_in)
        assert source.could_log_in == {user.username: True for user in source.users}


async def test_whose_connection_was_closed_is_said_after_it_is(broker: Broker) -> None:
    async with following(broker) as (_, source), broker.watch() as ana:
        assert source.thrown_out == set()
        source.users = [user for user in source.users if user.username != ANA]
        source.changed.set()
        await becomes_true(lambda: source.thrown_out == {ANA})
        await ana.is_thrown_out(within_s=1)


async def test_a_change_nobody_told_of_is_found_by_the_poll_within_five_seconds(broker: Broker) -> None:
    async with following(broker) as (_, source), broker.watch() as ana:
        del source.users[0]
        await ana.is_thrown_out(within_s=5)


async def test_the_users_are_read_when_their_version_changed_and_not_at_every_look(broker: Broker) -> None:
    async with following(broker) as (_, source):
        read = source.read
        for _ in range(5):
            source.asked.clear()
            source.changed.set()
            await source.asked.wait()
        assert source.read == read
        source.users.append(login(CARL))
        source.changed.set()
        await let_in(broker, CARL)
        assert source.read == read + 1


async def test_users_that_mosquitto_did_not_take_are_read_again_although_their_version_is_the_same(
    broker: Broker,
) -> None:
    async with following(broker) as (sync, source):
        read = source.read
        broker.process.problem = "the newest users are not in force yet"
        await sync.sync_once()
        assert source.read > read
        assert broker.process.problem is None


async def test_while_the_users_are_unknown_the_last_ones_stay_and_it_says_so(broker: Broker) -> None:
    async with following(broker) as (sync, source), broker.watch() as ana:
        source.away = True
        source.asked.clear()
        source.changed.set()
        await becomes_true(lambda: sync.source_problem is not None)
        await ana.publish(f"sw/v1/{ANA}/up/text", "still here")
        assert not await refused(broker.plain_port, BEN, BEN)
        source.users.append(login(CARL))
        source.away = False
        await let_in(broker, CARL)
        await becomes_true(partial(is_in_step, sync))
        assert ana.connected


async def test_mosquitto_killed_at_every_change_ends_in_step(broker: Broker) -> None:
    async with following(broker) as (sync, source):
        for number in range(5):
            source.users = [*KNOWN, login(f"w-{'abcde'[number] * 12}")]
            source.changed.set()
            if broker.process.pid is not None:
                os.kill(broker.process.pid, signal.SIGKILL)
            await let_in(broker, source.users[-1].username)
        await becomes_true(lambda: broker.process.problem is None)
        assert await is_in_step(sync)


async def test_a_source_that_fails_in_an_unforeseen_way_stops_nothing(broker: Broker) -> None:
    async with following(broker) as (_, source):

        async def fails(usernames: Collection[str]) -> None:
            raise ZeroDivisionError(len(usernames))

        source.installed = fails  # type: ignore[method-assign]
        source.users.append(login(CARL))
        source.changed.set()
        await let_in(broker, CARL)
        source.users.append(login("w-dddddddddddd"))
        source.changed.set()
        await let_in(broker, "w-dddddddddddd")
