"""Effects of a fix: alarms of zones, an answered command, the battery; and those of a poor fix."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from services.core.devices.alerts.tables import Alert
from services.core.devices.commands.actions import Asker, expire_one_command, queue_command
from services.core.devices.commands.rules import CommandKind
from services.core.devices.presence.queries import battery_now
from services.core.devices.watches.queries import current_identity
from services.core.devices.watches.tables import WatchCommand
from services.core.location.zones.actions import create_zone
from services.core.location.zones.rules import check_circle
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.places import HOME, allow_places, away, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import Home, Worn, make_home, wear


async def alerts(database: Database, home: Home) -> list[Alert]:
    async with database.begin() as work:
        rows = await work.session.exec(
            select(Alert).where(col(Alert.child_id) == home.child_id).order_by(col(Alert.raised_at), col(Alert.kind))
        )
        return list(rows)


async def draw(database: Database, home: Home) -> None:
    async with database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        await create_zone(work, child, home.guardian_id, "Home", check_circle(HOME, 150), [])


async def test_leaving_and_entering_a_zone_alarm_the_guardians_once_each(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    async with database.begin() as work:
        await receive_fixes(work, [sent(worn.username, clock.now)])
    await draw(database, home)
    for point in (away(2000, 0), away(2100, 0), HOME, HOME):
        clock.advance(minutes=3)
        async with database.begin() as work:
            await receive_fixes(work, [sent(worn.username, clock.now, point)])
    raised = await alerts(database, home)
    assert [(alert.kind, alert.watch_id is not None, alert.subject_id is not None) for alert in raised] == [
        ("zone_left", True, True), ("zone_entered", True, True),
    ]  # fmt: skip
    assert raised[0].subject_id == raised[1].subject_id


@pytest.mark.parametrize(
    ("fields", "behind"),
    [
        ({"accuracy_m": 500.0}, timedelta()),
        ({"accuracy_m": None}, timedelta()),
        ({"tst": 0}, timedelta()),
        ({}, timedelta(minutes=31)),  # long after
        ({}, timedelta(hours=-2)),  # a clock that runs ahead
    ],
    ids=["poor", "no accuracy", "undated", "stale", "ahead"],
)
async def test_what_is_not_good_news_alarms_nobody(
    database: Database, clock: FakeClock, home: Home, worn: Worn, fields: dict[str, object], behind: timedelta
) -> None:
    now = clock.advance(hours=2)
    async with database.begin() as work:
        await receive_fixes(work, [sent(worn.username, now - timedelta(hours=1))])
    await draw(database, home)
    fixes = [
        sent(worn.username, now - behind + timedelta(seconds=second), away(2000, 0), **fields) for second in range(3)
    ]
    async with database.begin() as work:
        answers = await receive_fixes(work, fixes)
    assert {answer.code for answer in answers} == {"stored"}
    assert await alerts(database, home) == []


async def test_a_late_fix_alarms_nobody(database: Database, clock: FakeClock, home: Home, worn: Worn) -> None:
    now = clock.advance(hours=1)
    async with database.begin() as work:
        await receive_fixes(work, [sent(worn.username, now)])
    await draw(database, home)
    late = [sent(worn.username, now - timedelta(minutes=minute), away(2000, 0)) for minute in (3, 2, 1)]
    async with database.begin() as work:
        await receive_fixes(work, late)
    assert await alerts(database, home) == []


async def ask_where(database: Database, home: Home) -> WatchCommand:
    async with database.begin() as work:
        return await queue_command(work, home.child_id, CommandKind.LOCATE, Asker(home.guardian_id, "g-1"))


async def state(database: Database, command: WatchCommand) -> str:
    async with database.begin() as work:
        return (await work.session.get_one(WatchCommand, command.command_id)).state


async def test_a_fix_that_names_its_command_answers_it_even_a_poor_one(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    command = await ask_where(database, home)
    fix = sent(worn.username, clock.now, accuracy_m=700.0, reply_to=command.ref)
    async with database.begin() as work:
        await receive_fixes(work, [fix])
    assert await state(database, command) == "done"


async def test_a_fix_of_another_watch_answers_no_command(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    assert worn.username
    command = await ask_where(database, home)
    other = await make_home(database)
    others = await wear(database, other)
    await allow_places(database, other)
    async with database.begin() as work:
        await receive_fixes(work, [sent(others.username, clock.now, reply_to=command.ref)])
    assert await state(database, command) in {"waiting", "sent"}


async def test_commands_that_expire_while_they_are_answered_end_in_one_of_both(
    database: Database, clock: FakeClock
) -> None:
    homes = [await make_home(database) for _ in range(4)]
    worn = [await wear(database, home) for home in homes]
    for home in homes:
        await allow_places(database, home)
    commands = [await ask_where(database, home) for home in homes]
    clock.advance(hours=1)

    async def answer() -> None:
        async with database.begin() as work:
            fixes = [
                sent(watch.username, clock.now, reply_to=command.ref)
                for watch, command in zip(worn, commands, strict=True)
            ]
            await receive_fixes(work, fixes)

    async def expire() -> None:
        expired = True
        while expired:
            async with database.begin() as work:
                expired = await expire_one_command(work)

    async with asyncio.timeout(60):
        await asyncio.gather(answer(), expire(), expire())
    assert {await state(database, command) for command in commands} <= {"done", "expired"}


async def test_the_battery_told_with_a_fix_is_the_watchs_and_a_low_one_calls_the_guardians(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    now = clock.advance(hours=1)
    fixes = [
        sent(worn.username, now, battery_pct=12),
        sent(worn.username, now - timedelta(minutes=1), battery_pct=60),
    ]
    async with database.begin() as work:
        await receive_fixes(work, fixes)
        identity = await current_identity(work, home.child_id)
        assert identity is not None
        assert battery_now(identity).level_pct == 12
    assert [alert.kind for alert in await alerts(database, home)] == ["low_battery"]
