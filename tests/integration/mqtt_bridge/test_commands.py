"""A command reaches the watch that is there, names who asked, and is answered by the watch alone."""

from __future__ import annotations

from services.core.devices.commands.actions import Asker, commands_of, queue_command
from services.core.devices.commands.rules import CommandKind
from tests.support.clock import FakeClock
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home


async def _give(stand: Stand, home: Home, kind: CommandKind) -> str:
    async with stand.database.begin() as work:
        return (await queue_command(work, home.child_id, kind, Asker(home.guardian_id, "g-1"))).ref


async def _states(stand: Stand, home: Home) -> list[str]:
    async with stand.database.begin() as work:
        commands = await commands_of(work, home.child_id, kinds=[kind.value for kind in CommandKind])
        return [command.state for command in commands]


async def _after(watch: HandWatch) -> None:
    """Return once everything that the watch said, and what it was told, is committed: both hold the identity's row."""
    await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
    await watch.hears("receipt")


async def test_a_command_is_told_at_once_with_who_asked_and_until_when(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = await _give(stand, home, CommandKind.LOCATE)
        assert await watch.hears("command") == {
            "id": ref, "kind": "locate", "by": "g-1", "ttl_s": 90, "expires_tst": int(clock.now.timestamp()) + 90,
            "topic": "command",
        }  # fmt: skip
        await _after(watch)
        assert await _states(stand, home) == ["sent"]
        for ack_state, state in (("taken", "delivered"), ("done", "done"), ("failed", "done")):
            await watch.say("ack", {"ref": ref, "state": ack_state})
            await _after(watch)
            assert await _states(stand, home) == [state]


async def test_a_puback_is_not_a_delivery_a_new_connection_is_told_again(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    async with stand.bridge():
        async with stand.watch(worn.username, worn.password) as watch:
            await watch.hello()
            ref = await _give(stand, home, CommandKind.RING)
            assert (await watch.hears("command"))["id"] == ref
        clock.advance(seconds=20)
        async with stand.watch(worn.username, worn.password) as watch:
            await watch.hello(conn="n2")
            assert (await watch.hears("command"))["id"] == ref
            await _after(watch)
            assert await _states(stand, home) == ["sent"]


async def test_what_is_too_late_is_never_told(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    await _give(stand, home, CommandKind.LOCATE)
    lost = await _give(stand, home, CommandKind.LOST)
    clock.advance(seconds=91)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        assert (await watch.hears("command"))["id"] == lost
        await watch.say("ack", {"ref": lost, "state": "failed", "detail": "unsupported"})
        await _after(watch)
    assert sorted(await _states(stand, home)) == ["failed", "waiting"]


async def test_an_ack_of_something_unknown_changes_nothing_and_the_next_message_is_taken(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = await _give(stand, home, CommandKind.RING)
        for ack in ({"ref": "nothing", "state": "done"}, {"ref": ref, "state": "teleported"}):
            await watch.say("ack", ack)
        await _after(watch)
        assert await _states(stand, home) == ["sent"]
