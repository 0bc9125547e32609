"""A command is told while it is worth something, answered once, and never carried out late."""

from __future__ import annotations

import uuid

import pytest
import pytest_asyncio

from services.core.devices.commands.actions import (
    Asker,
    answer_command,
    claim_commands,
    command_by_id,
    commands_of,
    expire_one_command,
    purge_old_commands,
    queue_command,
)
from services.core.devices.commands.rules import CommandKind
from services.core.devices.presence.actions import HelloReport
from services.core.devices.watches.errors import CommandTooOftenError, NoWatchError
from services.core.devices.watches.queries import standing_identity
from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.uplinks import receive_hello
from tests.support.world import Home, Worn, make_home, wear


class Wearer:
    """A child with its watch, and what the family and the watch do to each other."""

    def __init__(self, database: Database, home: Home, worn: Worn) -> None:
        self.database = database
        self.home = home
        self.username = worn.username

    async def give(self, kind: CommandKind = CommandKind.LOCATE, guardian_id: uuid.UUID | None = None) -> str:
        """Give a command and return its name on the wire."""
        async with self.database.begin() as work:
            asker = Asker(guardian_id or self.home.guardian_id, "g-1")
            return (await queue_command(work, self.home.child_id, kind, asker)).ref

    async def refs_told(self) -> list[str]:
        """Return what the watch is told now."""
        async with self.database.begin() as work:
            identity = await standing_identity(work, self.username, lock=True)
            assert identity is not None
            return [command.ref for command in await claim_commands(work, identity)]

    async def hello(self) -> None:
        async with self.database.begin() as work:
            await receive_hello(work, self.username, HelloReport("n1", int(work.now.timestamp()), 0, 0, {}))

    async def answer(self, ref: str, state: str, detail: str | None = None) -> bool:
        async with self.database.begin() as work:
            identity = await standing_identity(work, self.username, lock=True)
            assert identity is not None
            return await answer_command(work, identity, ref, state, detail)

    async def states(self) -> list[tuple[str, str | None]]:
        async with self.database.begin() as work:
            kinds = [kind.value for kind in CommandKind]
            return [
                (command.state, command.detail) for command in await commands_of(work, self.home.child_id, kinds=kinds)
            ]

    async def sweep(self) -> int:
        swept = 0
        while True:
            async with self.database.begin() as work:
                if not await expire_one_command(work):
                    return swept
            swept += 1


@pytest_asyncio.fixture(loop_scope="session")
async def wearer(database: Database) -> Wearer:
    """A family whose child wears its watch, which has said hello."""
    home = await make_home(database)
    wearer = Wearer(database, home, await wear(database, home))
    await wearer.hello()
    return wearer


async def test_a_command_goes_from_waiting_over_sent_and_delivered_to_done(wearer: Wearer) -> None:
    ref = await wearer.give()
    assert await wearer.states() == [("waiting", None)]
    assert await wearer.refs_told() == [ref]
    assert await wearer.states() == [("sent", None)]
    assert await wearer.answer(ref, "taken")
    assert await wearer.states() == [("delivered", None)]
    assert await wearer.answer(ref, "done")
    assert not await wearer.answer(ref, "done")
    assert not await wearer.answer(ref, "failed", "no_fix")
    assert await wearer.states() == [("done", None)]


async def test_what_the_watch_could_not_do_is_failed_with_its_reason(wearer: Wearer) -> None:
    ref = await wearer.give()
    assert await wearer.answer(ref, "failed", "no_fix")
    assert await wearer.states() == [("failed", "no_fix")]


async def test_it_is_told_once_on_a_connection_and_again_on_the_next(wearer: Wearer, clock: FakeClock) -> None:
    ref = await wearer.give()
    assert await wearer.refs_told() == [ref]
    clock.advance(seconds=5)
    assert await wearer.refs_told() == []
    await wearer.hello()
    clock.advance(seconds=1)
    assert await wearer.refs_told() == [ref]


async def test_it_is_never_sent_after_its_time(wearer: Wearer, clock: FakeClock) -> None:
    ref = await wearer.give()
    clock.advance(seconds=90)
    assert await wearer.refs_told() == []
    await wearer.sweep()
    assert await wearer.states() == [("waiting", None)], "an answer may still be on its way"
    clock.advance(seconds=31)
    await wearer.sweep()
    assert await wearer.sweep() == 0
    assert await wearer.states() == [("expired", None)]
    assert await wearer.answer(ref, "done"), "the watch did it in time, and only its word came late"
    assert await wearer.states() == [("done", None)]


async def test_the_same_guardian_asking_again_gets_the_command_that_is_open(wearer: Wearer) -> None:
    assert await wearer.give() == await wearer.give()
    assert len(await wearer.states()) == 1


async def test_a_watch_is_located_once_in_half_a_minute_and_twenty_times_an_hour(
    wearer: Wearer, clock: FakeClock
) -> None:
    await wearer.answer(await wearer.give(), "done")
    with pytest.raises(CommandTooOftenError) as refused:
        await wearer.give()
    assert 29 <= refused.value.retry_after_s <= 31
    for _ in range(19):
        clock.advance(seconds=31)
        await wearer.answer(await wearer.give(), "done")
    clock.advance(seconds=31)
    with pytest.raises(CommandTooOftenError) as refused:
        await wearer.give()
    assert refused.value.retry_after_s > 2900
    clock.advance(seconds=refused.value.retry_after_s)
    await wearer.give()


async def test_lost_and_found_take_each_other_back_and_the_last_word_holds(wearer: Wearer, clock: FakeClock) -> None:
    async def give(kind: CommandKind) -> str:
        clock.advance(seconds=11)
        return await wearer.give(kind)

    first = await give(CommandKind.LOST)
    command = await give(CommandKind.FOUND)
    assert await wearer.states() == [("waiting", None), ("expired", "cancelled")]
    second = await give(CommandKind.LOST)
    assert second != first, "it is no repeat of what was taken back"
    # The watch comes into reach: only the last word is told.
    assert await wearer.refs_told() == [second]
    assert await wearer.answer(second, "done")
    last = await give(CommandKind.FOUND)
    assert await wearer.refs_told() == [last]
    assert await wearer.answer(last, "done")
    assert await wearer.states() == [("done", None), ("done", None), ("expired", "cancelled"), ("expired", "cancelled")]
    assert len({first, command, second, last}) == 4


async def test_other_commands_are_not_taken_back(wearer: Wearer) -> None:
    for kind in (CommandKind.RING, CommandKind.LOST, CommandKind.LOCATE):
        await wearer.give(kind)
    assert await wearer.states() == [("waiting", None)] * 3


async def test_another_watch_cannot_answer_it(database: Database, wearer: Wearer) -> None:
    ref = await wearer.give()
    home = await make_home(database)
    other = Wearer(database, home, await wear(database, home))
    assert not await other.answer(ref, "done")
    assert await wearer.states() == [("waiting", None)]


async def test_without_a_watch_there_is_nobody_to_tell(database: Database) -> None:
    home = await make_home(database)
    with pytest.raises(NoWatchError):
        async with database.begin() as work:
            await queue_command(work, home.child_id, CommandKind.RING, Asker(home.guardian_id, "g-1"))


async def test_another_childs_command_is_not_found(database: Database, wearer: Wearer) -> None:
    home = await make_home(database)
    async with database.begin() as work:
        command = await queue_command(work, wearer.home.child_id, CommandKind.RING, Asker(home.guardian_id, None))
    with pytest.raises(NotFoundError):
        async with database.begin() as work:
            await command_by_id(work, home.child_id, command.command_id)


async def test_old_commands_are_forgotten_after_half_a_year(wearer: Wearer, clock: FakeClock) -> None:
    await wearer.give()

    async def kept() -> int:
        purged = True
        while purged:
            async with wearer.database.begin() as work:
                purged = await purge_old_commands(work)
        return len(await wearer.states())

    clock.advance(days=180)
    assert await kept() == 1
    clock.advance(seconds=90)
    assert await kept() == 0
