"""The months check-ins are cut into: the traps of a DEFAULT partition, and places that are gone when their time is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.core.devices.presence.actions import HelloReport
from services.core.location.checkins.partitions import drop_one_month, make_one_month, purge_old_places
from services.core.location.checkins.rules import KEPT_FOR, Month, months_wanted
from services.core.location.checkins.tables import LatestCheckin
from services.core.platform.db.database import Database
from services.devstack.postgres import LocalPostgres
from tests.support.clock import FakeClock
from tests.support.places import sent
from tests.support.uplinks import receive_fixes, receive_hello
from tests.support.world import Home, Worn


async def make_all(database: Database) -> int:
    """Make every month that is missing; return how many were."""
    made = 0
    while True:
        async with database.begin() as work:
            if not await make_one_month(work):
                return made
        made += 1


async def where(database: Database, worn: Worn) -> dict[int, str]:
    """Return in which partition each raw time of a watch lies."""
    async with database.begin() as work:
        rows = await work.run(
            text("SELECT tst, tableoid::regclass::text AS name FROM checkin WHERE username = :username"),
            {"username": worn.username},
        )
        return {row.tst: row.name.removeprefix("checkin_months.") for row in rows}


async def keep(database: Database, worn: Worn, *moments: datetime) -> None:
    async with database.begin() as work:
        answers = await receive_fixes(work, [sent(worn.username, moment) for moment in moments])
    assert {answer.code for answer in answers} == {"stored"}


async def test_rows_that_came_before_their_month_was_made_are_moved_into_it(
    database: Database, clock: FakeClock, worn: Worn
) -> None:
    clock.now = datetime(2025, 3, 15, 12, tzinfo=UTC)  # each test has months of its own
    this, outlier = clock.now, datetime(1970, 1, 2, tzinfo=UTC)
    await keep(database, worn, this, outlier)
    assert set((await where(database, worn)).values()) == {"checkin_default"}
    assert await make_all(database) == len(months_wanted(clock.now)) == 4  # February to May
    assert await where(database, worn) == {
        int(this.timestamp()): "checkin_2025_03",
        int(outlier.timestamp()): "checkin_default",
    }
    assert await make_all(database) == 0
    next_month = clock.now + timedelta(days=30)
    await keep(database, worn, next_month)
    assert (await where(database, worn))[int(next_month.timestamp())] == "checkin_2025_04"


async def test_what_is_moved_is_still_a_repeat(database: Database, clock: FakeClock, worn: Worn) -> None:
    clock.now = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
    await make_all(database)
    # As if the worker had not run for months: September is not made yet.
    fix = sent(worn.username, datetime(2026, 9, 10, tzinfo=UTC))
    async with database.begin() as work:
        await receive_fixes(work, [fix])
    assert set((await where(database, worn)).values()) == {"checkin_default"}
    clock.now = datetime(2026, 7, 1, tzinfo=UTC)
    assert await make_all(database) == 1
    assert set((await where(database, worn)).values()) == {"checkin_2026_09"}
    async with database.begin() as work:
        assert [answer.code for answer in await receive_fixes(work, [fix])] == ["duplicate"]


async def test_attaching_without_moving_is_what_postgres_refuses(
    postgres: LocalPostgres, database: Database, clock: FakeClock, worn: Worn
) -> None:
    # The trap itself, so that the test above cannot pass for a version of Postgres that has none.
    clock.now = datetime(2027, 1, 10, tzinfo=UTC)
    await keep(database, worn, clock.now)
    month = Month(2027, 1)
    owner = await asyncpg.connect(postgres.owner_dsn(database.url.rpartition("/")[2]))
    try:
        await owner.execute("CREATE TABLE trap (LIKE checkin INCLUDING ALL)")
        bounds = f"FROM ({month.first_tst}) TO ({month.next.first_tst})"
        with pytest.raises(asyncpg.CheckViolationError, match="would be violated by some row"):
            await owner.execute(f"ALTER TABLE checkin ATTACH PARTITION trap FOR VALUES {bounds}")
        await owner.execute("DROP TABLE trap")
    finally:
        await owner.close()


async def test_the_processes_drop_no_month_by_themselves_and_make_only_whole_ones(
    database: Database, clock: FakeClock
) -> None:
    clock.now = datetime(2027, 3, 10, tzinfo=UTC)
    await make_all(database)
    for statement, code in (
        ("DROP TABLE checkin_months.checkin_2027_03", "42501"),
        ("ALTER TABLE checkin DETACH PARTITION checkin_months.checkin_2027_03", "42501"),
        ("SELECT * FROM checkin_months.checkin_2027_03", "42501"),
        (f"SELECT checkin_make_month({Month(2027, 3).first_tst + 1})", "22023"),
    ):
        with pytest.raises(DBAPIError) as refused:
            await _run(database, statement)
        assert getattr(refused.value.orig, "sqlstate", None) == code


async def _run(database: Database, statement: str) -> None:
    async with database.begin() as work:
        await work.run(text(statement))


async def test_two_workers_at_once_make_each_month_once_while_fixes_come_in(
    database: Database, clock: FakeClock, worn: Worn
) -> None:
    clock.now = datetime(2027, 9, 15, tzinfo=UTC)
    moments = [clock.now - timedelta(minutes=minute) for minute in range(40)]

    async def come_in() -> None:
        for moment in moments:
            await keep(database, worn, moment)

    before = await _months(database)
    await asyncio.gather(make_all(database), make_all(database), come_in())
    assert sorted(await _months(database) - before) == [f"checkin_2027_{month:02d}" for month in (8, 9, 10, 11)]
    places = await where(database, worn)
    assert [places[int(moment.timestamp())] for moment in moments] == ["checkin_2027_09"] * len(moments)


async def test_a_month_is_dropped_when_all_of_it_is_too_old_and_not_before(
    database: Database, clock: FakeClock, worn: Worn
) -> None:
    clock.now = datetime(2028, 1, 20, tzinfo=UTC)
    await make_all(database)
    await keep(database, worn, clock.now)
    clock.now = datetime(2028, 3, 1, 23, 59, tzinfo=UTC)  # the last of January is 29 days and 23 hours old
    while await _drop(database):
        pass
    assert "checkin_2028_01" in await _months(database)
    clock.now = datetime(2028, 3, 2, tzinfo=UTC)
    assert await _drop(database)
    assert not await _drop(database)
    assert "checkin_2028_01" not in await _months(database)
    assert await where(database, worn) == {}


async def test_what_a_slow_clock_dated_too_early_outlives_its_month(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    clock.now = datetime(2029, 1, 25, tzinfo=UTC)
    await make_all(database)
    behind = clock.now - timedelta(days=20)
    async with database.begin() as work:
        await receive_hello(work, worn.username, HelloReport("9d2f", int(behind.timestamp()), 0, 0, {}))
    clock.advance(days=13)
    raw = behind + timedelta(days=13)  # said on 7 February, dated 18 January
    await keep(database, worn, raw)
    assert await where(database, worn) == {int(raw.timestamp()): "checkin_2029_01"}
    clock.now = datetime(2029, 3, 3, 1, tzinfo=UTC)
    while await _drop(database):
        pass
    assert await where(database, worn) == {int(raw.timestamp()): "checkin_default"}
    async with database.begin() as work:
        count = await work.run(text("SELECT count(*) FROM checkin WHERE child_id = :id"), {"id": home.child_id})
        assert count.scalar_one() == 1
    clock.now = datetime(2029, 3, 9, 1, tzinfo=UTC)
    async with database.begin() as work:
        await purge_old_places(work)
    assert await where(database, worn) == {}


async def test_single_places_go_with_their_day_and_outliers_by_when_they_came(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    clock.now = datetime(2030, 5, 20, tzinfo=UTC)
    await make_all(database)
    old, young = clock.now - timedelta(days=2), clock.now
    outlier = datetime(1970, 1, 2, tzinfo=UTC)
    await keep(database, worn, old, young, outlier)
    clock.now = young + KEPT_FOR - timedelta(hours=1)
    async with database.begin() as work:
        await purge_old_places(work)
        assert await work.session.get(LatestCheckin, home.child_id) is not None
    assert set(await where(database, worn)) == {int(young.timestamp()), int(outlier.timestamp())}
    clock.advance(hours=2)
    async with database.begin() as work:
        await purge_old_places(work)
        assert await work.session.get(LatestCheckin, home.child_id) is None
    assert await where(database, worn) == {}


async def _drop(database: Database) -> bool:
    async with database.begin() as work:
        return await drop_one_month(work)


async def _months(database: Database) -> set[str]:
    async with database.begin() as work:
        partitions = await work.run(
            text("SELECT relname FROM pg_class WHERE relname LIKE 'checkin_20%' AND relkind = 'r'")
        )
        return set(partitions.scalars())
