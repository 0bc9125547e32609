"""Facts and reports become days: in any order, however often, at any time, and again the same from the beginning."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import SQLModel, col, select

from services.core.devices.watches.queries import settings_of_child, standing_identity
from services.core.measurement.counting.actions import count_some, rebuild
from services.core.measurement.counting.purging import purge_one_unmeasured
from services.core.measurement.tables import FamilyDay, UsageReport, WatchDay
from services.core.people.consents.actions import end_consent
from services.core.people.consents.rules import Part
from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from services.core.platform.facts.actions import record_fact
from services.core.platform.facts.tables import Fact
from tests.integration.core.measurement.conftest import Household, count_all, settle
from tests.support.clock import FakeClock


def published(rows: Sequence[SQLModel]) -> list[dict[str, object]]:
    return [row.model_dump() for row in rows]


async def test_a_conversation_becomes_the_days_numbers_of_the_sites_time_zone(
    household: Household, clock: FakeClock
) -> None:
    # 08:00 UTC is 16:00 in Shanghai. Nine hours later it is the next day there.
    day = (clock.now + timedelta(hours=8)).date()
    up = await household.note("message_to_family_stored", at=clock.now)
    clock.advance(minutes=4)
    await household.note("message_to_family_delivered", ref=up)
    clock.advance(minutes=6)
    await household.note("message_to_family_played", ref=up)
    down = await household.note("message_to_child_stored")
    clock.advance(hours=9)
    await household.note("message_to_child_delivered", ref=down)
    clock.advance(minutes=30)
    await household.note("message_to_family_stored", at=clock.now)
    await count_all(household.database)
    first, second = await household.days()
    assert (first.day, first.to_child, first.to_family, first.voice_s) == (day, 1, 1, 8)
    # Up after 4 minutes, down after 9 hours; the one going up was played.
    assert (first.delivered, first.delivered_5_min, first.delivered_24_h, first.played_7_d) == (2, 1, 2, 1)
    # The child waited 6 minutes for its answer from when its word arrived; the parents half an hour.
    assert (first.child_waits, first.parent_waits) == ([[360, True]], [[1800, True]])
    assert (second.day, second.to_family, second.delivered) == (day + timedelta(days=1), 1, 0)


async def test_what_came_of_a_reminder_counts_on_the_day_of_the_reminder(
    household: Household, clock: FakeClock
) -> None:
    reminded_at = clock.now
    day = (reminded_at + timedelta(hours=8)).date()
    await household.note("starter_nudged")
    clock.advance(days=1)
    await household.note("starter_followed", at=reminded_at)
    await household.note("starter_not_followed", at=clock.now)
    await count_all(household.database)
    assert [(day.day, day.reminders, day.reminders_followed, day.to_child) for day in await household.days()] == [
        (day, 1, 1, 0), (day + timedelta(days=1), 1, 0, 0),
    ]  # fmt: skip


async def test_any_order_and_any_repeat_counts_the_same_as_a_rebuild(household: Household, clock: FakeClock) -> None:
    order = random.Random(3)
    for _ in range(40):
        clock.advance(hours=order.randint(0, 30), minutes=order.randint(0, 59))
        late = timedelta(hours=order.choice([0, 0, 1, 100]))
        ref = await household.note("message_to_family_stored", at=clock.now - late)
        if order.random() < 0.8:
            await household.note("message_to_family_played", ref=ref)
        if order.random() < 0.6:
            await household.note("message_to_child_stored")
        tst = int(clock.now.timestamp()) - order.choice([0, 0, 400_000])
        await household.report(f"u{order.getrandbits(60):015x}", tst - 3600, tst, worn_s=60, calls_in=1, reboots=1)
        if order.random() < 0.3:
            await household.note(order.choice(["starter_followed", "starter_not_followed"]), at=clock.now - late)
        if order.random() < 0.4:
            await count_all(household.database)
    await count_all(household.database)
    counted = published(await household.days()), published(await household.watch_days())
    assert sum(day["calls"] for day in counted[0]) == 40  # type: ignore[misc]
    async with household.database.begin() as work:
        await rebuild(work, [household.home.family_id])
    assert (published(await household.days()), published(await household.watch_days())) == counted


async def test_a_fact_that_commits_late_is_counted_all_the_same(household: Household, clock: FakeClock) -> None:
    async with household.database.begin() as late:
        record_fact(
            late, "message_to_child_stored", family_id=household.home.family_id, child_id=household.home.child_id,
            ref_id=household.watch_id,
        )  # fmt: skip
        await late.flush()
        clock.advance(hours=1)
        await household.note("message_to_child_stored")
        await count_all(household.database)
        assert [day.to_child for day in await household.days()] == [1]
    await count_all(household.database)
    assert [day.to_child for day in await household.days()] == [2]


async def test_two_workers_at_once_count_once(household: Household) -> None:
    for _ in range(3):
        await household.note("message_to_child_stored")
    await asyncio.gather(*(count_all(household.database) for _ in range(4)))
    await count_all(household.database)
    assert [day.to_child for day in await household.days()] == [3]


async def test_reports_are_dated_by_the_watchs_clock_as_hello_measured_it(
    household: Household, clock: FakeClock
) -> None:
    async with household.database.begin() as work:
        identity = await standing_identity(work, household.worn.username, lock=True)
        assert identity is not None
        identity.presence.clock_skew_s = -56 * 365 * 86400
        work.add(identity)
    clock.now = clock.now.replace(hour=8, minute=0) + timedelta(days=10)
    wrong = int(clock.now.timestamp()) - 56 * 365 * 86400
    assert (
        await household.report("u5d8k2m1h6v1", wrong - 90_000, wrong - 86_400, worn_s=900, battery_min_pct=9)
        == "stored"
    )
    assert (
        await household.report("u5d8k2m1h6v1", wrong - 90_000, wrong - 86_400, worn_s=900, battery_min_pct=9)
        == "duplicate"
    )
    assert await household.report("u5d8k2m1h6v1", wrong - 90_000, wrong - 86_400, worn_s=901) == "rejected"
    # Its clock was set in the middle of this one: 1970 to now is no period, it counts where it ended.
    assert await household.report("u5d8k2m1h6v2", 1, wrong, worn_s=60) == "stored"
    # And nobody can tell when this was: kept, and on no day.
    assert await household.report("u5d8k2m1h6v3", 0, 0, worn_s=10_000) == "stored"
    await count_all(household.database)
    today = (clock.now + timedelta(hours=8)).date()
    assert [(day.day, day.worn_s) for day in await household.days()] == [(today - timedelta(days=1), 900), (today, 60)]
    yesterday = next(day for day in await household.watch_days() if day.day == today - timedelta(days=1))
    # 90,000 s ago to a day ago: 15:00 to 16:00 in Shanghai.
    assert (yesterday.battery_min_pct, bin(yesterday.hours)) == (9, bin(1 << 15))


async def test_without_consent_the_watchs_health_is_all_that_is_kept(database: Database, clock: FakeClock) -> None:
    stranger = await settle(database, clock)
    tst = int(clock.now.timestamp())
    clock.advance(hours=2)
    await stranger.report("u5d8k2m1h6vb", tst, tst + 3600, worn_s=900, calls_in=2, plays=3, battery_min_pct=50)
    await stranger.note("message_to_child_stored")
    await count_all(database)
    assert await stranger.days() == []
    assert [day.battery_min_pct for day in await stranger.watch_days() if day.battery_min_pct] == [50]
    async with database.begin() as work:
        report = (await work.session.exec(select(UsageReport).where(UsageReport.watch_id == stranger.watch_id))).one()
        facts = await work.session.exec(select(Fact.kind).where(Fact.family_id == stranger.home.family_id))
        assert not [kind for kind in facts if kind.startswith("message")]
    assert (report.worn_s, report.calls_in, report.plays, report.battery_min_pct) == (None, None, None, 50)

    # Agreed to later: it counts from then on, and nothing from before.
    await stranger.agree()
    clock.advance(minutes=1)
    await stranger.note("message_to_child_stored")
    await count_all(database)
    assert [day.to_child for day in await stranger.days()] == [1]

    # Taken back: gone, but for the watch's health.
    async with database.begin() as work:
        await end_consent(work, stranger.home.guardian_id, stranger.home.family_id, Part.MEASUREMENT)
    async with database.begin() as work:
        assert await purge_one_unmeasured(work)
    async with database.begin() as work:
        assert not await purge_one_unmeasured(work)
    assert await stranger.days() == []
    assert await stranger.watch_days() != []


async def test_changed_quiet_times_count_from_their_change_on(household: Household, clock: FakeClock) -> None:
    async def exchange() -> None:
        ref = await household.note("message_to_child_stored")
        await household.note("message_to_child_delivered", ref=ref)
        clock.advance(hours=3)
        await household.note("message_to_family_stored", at=clock.now)

    clock.now = clock.now.replace(hour=4) + timedelta(days=1)
    await exchange()
    await count_all(household.database)
    clock.advance(hours=30)
    clock.now = clock.now.replace(hour=4)
    async with household.database.begin() as work:
        settings = await settings_of_child(work, household.home.child_id)
        # From 13:00 to 14:30 in Shanghai, one and a half of the three hours.
        settings.quiet = [{"days": [1, 2, 3, 4, 5, 6, 7], "from": "13:00", "to": "14:30"}]
        settings.changed_at = work.now
        work.add(settings)
    await exchange()
    await count_all(household.database)
    waits = [day.parent_waits[0][0] for day in await household.days() if day.parent_waits]
    assert waits == [3 * 3600, 5400]
    async with household.database.begin() as work:
        await rebuild(work, [household.home.family_id])
    assert [day.parent_waits[0][0] for day in await household.days() if day.parent_waits] == waits


async def test_counting_anew_goes_on_while_a_family_is_being_erased(household: Household, clock: FakeClock) -> None:
    await household.note("message_to_child_stored")
    await count_all(household.database)
    before = await household.days()
    async with household.database.begin() as work:
        settings = await settings_of_child(work, household.home.child_id)
        clock.advance(hours=1)
        settings.changed_at = clock.now
        work.add(settings)
    async with household.database.begin() as eraser:
        await eraser.session.delete(await eraser.session.get_one(Family, household.home.family_id))
        await eraser.flush()
        async with asyncio.timeout(60), household.database.begin() as work:
            await rebuild(work, [household.home.family_id])
        await eraser.roll_back()
    # Erased after all it was not: nothing of it was lost, and the next count takes it.
    assert await household.days() == before
    async with household.database.begin() as work:
        await rebuild(work, [household.home.family_id])
    assert published(await household.days()) == published(before)


async def test_an_erased_family_is_gone_from_days_and_facts_alike(household: Household) -> None:
    await household.note("message_to_child_stored")
    await count_all(household.database)
    assert await household.days()
    async with household.database.begin() as work:
        await work.session.delete(await work.session.get_one(Family, household.home.family_id))
    async with household.database.begin() as work:
        for table in (FamilyDay, WatchDay, UsageReport, Fact):
            rows = await work.session.exec(select(table).where(col(table.family_id) == household.home.family_id))
            assert rows.all() == []
        await count_some(work)
    assert await household.days() == []
