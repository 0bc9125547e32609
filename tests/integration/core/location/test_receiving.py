"""Fixes that come in: kept once, annotated, sealed; thrown away before they are kept where nobody agreed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.core.devices.contacts.guardians import withdraw_consent
from services.core.devices.presence.actions import HelloReport
from services.core.location.checkins.actions import ReceivedFix
from services.core.location.checkins.sealing import checkin_context, latest_context, open_place
from services.core.location.checkins.tables import LatestCheckin
from services.core.location.geometry import Point
from services.core.people.consents.rules import Part
from services.core.people.households.child_key import data_key
from services.core.people.households.queries import membership_in
from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import SealBrokenError
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from tests.support.clock import FakeClock
from tests.support.places import HOME, agree, allow_places, away, sent, turn_location
from tests.support.statements import statements
from tests.support.uplinks import receive_fixes, receive_hello
from tests.support.world import LONG_AGO, Home, Worn, make_home, wear


async def receive(database: Database, *fixes: ReceivedFix) -> list[str]:
    """Receive fixes in one transaction; return code or detail of each answer."""
    async with database.begin() as work:
        return [answer.detail or answer.code for answer in await receive_fixes(work, fixes)]


async def rows(database: Database, home: Home) -> list[Any]:
    """Return the child's check-ins in order of time."""
    async with database.begin() as work:
        rows = await work.run(
            text("SELECT * FROM checkin WHERE child_id = :child_id ORDER BY happened_at, ref"),
            {"child_id": home.child_id},
        )
        return list(rows)


async def latest(database: Database, home: Home) -> tuple[Point, datetime] | None:
    async with database.begin() as work:
        row = await work.session.get(LatestCheckin, home.child_id)
        if row is None:
            return None
        key = data_key(work, await work.session.get_one(Child, home.child_id))
        return open_place(key, row.sealed_place, latest_context(home.child_id)).point, row.happened_at


async def test_a_good_fix_is_kept_sealed_and_is_the_latest_place(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    fix = sent(worn.username, clock.now, altitude_m=12.0)
    assert await receive(database, fix) == ["stored"]
    [row] = await rows(database, home)
    assert (row.quality, row.reasons, row.accuracy_m, row.source) == ("good", "", 10.0, "gps")
    async with database.begin() as work:
        key = data_key(work, await work.session.get_one(Child, home.child_id))
    place = open_place(
        key, row.sealed_place, checkin_context(home.child_id, worn.username, fix.ref or "", fix.tst)
    )  # fmt: skip
    assert (place.point, place.altitude_m) == (HOME, 12.0)
    with pytest.raises(SealBrokenError):
        open_place(bytes(32), row.sealed_place, checkin_context(home.child_id, worn.username, fix.ref or "", fix.tst))
    assert await latest(database, home) == (HOME, clock.now)


async def test_nothing_that_stands_in_plain_says_where(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    fixes = [sent(worn.username, clock.now), sent(worn.username, clock.now, ref=None, tst=0)]
    await receive(database, *fixes)
    for row in await rows(database, home):
        plain = " ".join(str(value) for name, value in row._mapping.items() if name != "child_id")  # noqa: SLF001
        assert "23.02" not in plain
        assert "113.75" not in plain
        assert row.ref not in {fix.fingerprint[: len(row.ref)] for fix in fixes if row.ref}


async def test_a_repeat_is_a_duplicate_and_other_content_a_conflict(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    fix = sent(worn.username, clock.now)
    other = sent(worn.username, clock.now + timedelta(days=40), ref=fix.ref)
    assert await receive(database, fix, fix, other) == ["stored", "duplicate", "id_conflict"]
    assert await receive(database, fix) == ["duplicate"]
    # Another instant lies in another part of the table: the id is taken all the same.
    assert await receive(database, other) == ["id_conflict"]
    assert len(await rows(database, home)) == 1


async def test_an_id_that_stood_for_a_text_is_taken(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    fix = sent(worn.username, clock.now)
    async with database.begin() as work:
        await work.run(
            text(
                "INSERT INTO uplink (username, ref, kind, fingerprint, code, received_at)"
                " VALUES (:username, :ref, 'text', 'x', 'stored', :now)"
            ),
            {"username": worn.username, "ref": fix.ref, "now": work.now},
        )
    assert await receive(database, fix) == ["id_conflict"]
    assert await rows(database, home) == []


async def test_what_has_no_id_is_kept_once_an_instant_and_without_a_time_once_a_content(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    first = sent(worn.username, clock.now, ref=None)
    same_instant = sent(worn.username, clock.now, away(5, 5), ref=None)
    next_instant = sent(worn.username, clock.now + timedelta(seconds=1), ref=None)
    undated = sent(worn.username, clock.now, ref=None, tst=0)
    other_undated = sent(worn.username, clock.now, away(9, 9), ref=None, tst=0)
    assert await receive(database, first, same_instant, next_instant) == ["stored", "duplicate", "stored"]
    assert await receive(database, first, undated, other_undated, undated) == [
        "duplicate", "stored", "stored", "duplicate",
    ]  # fmt: skip
    assert len(await rows(database, home)) == 4


async def test_only_good_news_moves_the_latest_place(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    now = clock.advance(hours=1)
    near = away(200, 0)
    await receive(database, sent(worn.username, now - timedelta(minutes=9), near))
    poor = sent(worn.username, now - timedelta(minutes=8), accuracy_m=400.0)
    nowhere = sent(worn.username, now - timedelta(minutes=7), Point(0, 0))
    vague = sent(worn.username, now - timedelta(minutes=6), accuracy_m=None)
    flown = sent(worn.username, now - timedelta(minutes=5), away(90_000, 0))
    late = sent(worn.username, now - timedelta(minutes=20))
    ahead = sent(worn.username, now + timedelta(hours=3))
    assert await receive(database, poor, nowhere, vague, flown, late, ahead) == ["stored"] * 6
    assert await latest(database, home) == (near, now - timedelta(minutes=9))
    kept = {row.ref: (row.quality, row.reasons) for row in await rows(database, home)}
    assert kept[poor.ref] == ("poor", "accuracy_low")
    assert kept[nowhere.ref] == ("bad", "null_island speed")
    assert kept[vague.ref] == ("poor", "accuracy_unknown")
    assert kept[flown.ref] == ("bad", "speed")
    assert kept[late.ref] == ("good", "late")
    assert kept[ahead.ref] == ("bad", "clock_ahead")


async def test_an_array_that_comes_newest_first_is_not_late_for_that(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    fixes = [sent(worn.username, clock.now - timedelta(minutes=minutes)) for minutes in range(5)]
    await receive(database, *fixes)
    assert {row.reasons for row in await rows(database, home)} == {""}
    assert await latest(database, home) == (HOME, clock.now)


async def test_a_wrong_clock_is_corrected_by_what_hello_taught(
    database: Database, clock: FakeClock, home: Home, worn: Worn
) -> None:
    then = datetime(1970, 1, 3, tzinfo=UTC)
    async with database.begin() as work:
        await receive_hello(work, worn.username, HelloReport("9d2f", int(then.timestamp()), 0, 0, {}))
    await receive(database, sent(worn.username, then))
    [row] = await rows(database, home)
    assert (row.happened_at, row.quality, row.reasons) == (clock.now, "good", "clock_corrected")


async def test_with_location_off_or_without_consent_nothing_is_kept(database: Database, clock: FakeClock) -> None:
    home = await make_home(database)
    worn = await wear(database, home)
    fix = sent(worn.username, clock.now)
    assert await receive(database, fix) == ["location_off"]
    async with database.begin() as work:
        await turn_location(work, home.child_id, on=True)
    assert await receive(database, fix) == ["location_off"]
    async with database.begin() as work:
        await agree(work, home.family_id, home.guardian_id)
    assert await receive(database, fix) == ["stored"]
    async with database.begin() as work:
        membership = await membership_in(work, home.family_id, home.guardian_id)
        assert membership is not None
        await withdraw_consent(work, membership, Part.LOCATION)
    assert await receive(database, sent(worn.username, clock.now)) == ["location_off"]
    async with database.begin() as work:
        # Even if the setting were left on.
        await turn_location(work, home.child_id, on=True)
    assert await receive(database, sent(worn.username, clock.now)) == ["location_off"]
    assert len(await rows(database, home)) == 1


async def test_fixes_of_ten_watches_take_as_many_statements_as_one(database: Database, clock: FakeClock) -> None:
    worn = []
    for _ in range(10):
        home = await make_home(database)
        worn.append(await wear(database, home, since=LONG_AGO))
        await allow_places(database, home)

    async def statements_of(*wearers: Worn, seconds_ago: int) -> int:
        fixes = [sent(wearer.username, clock.now - timedelta(seconds=seconds_ago)) for wearer in wearers]
        with statements() as sent_to_postgres:
            assert await receive(database, *fixes) == ["stored"] * len(fixes)
        return len(sent_to_postgres)

    # The first message of a watch makes it online.
    await statements_of(*worn, seconds_ago=3)
    of_one = await statements_of(worn[0], seconds_ago=2)
    assert await statements_of(*worn, seconds_ago=1) == of_one
    assert of_one <= 10


async def test_many_watches_at_once_and_each_family_hears_of_its_own(database: Database, clock: FakeClock) -> None:
    homes = [await make_home(database) for _ in range(3)]
    worn = [await wear(database, home, since=LONG_AGO) for home in homes]
    for home in homes:
        await allow_places(database, home)
    fixes = [sent(watch.username, clock.now - timedelta(seconds=second)) for second in range(3) for watch in worn]
    assert await receive(database, *fixes, sent("w-stranger222222", clock.now)) == ["stored"] * 9 + ["not_paired"]
    for home in homes:
        assert len(await rows(database, home)) == 3
        async with database.begin() as work:
            events = await work.session.exec(
                select(Event).where(col(Event.family_id) == home.family_id, col(Event.kind) == "checkin.latest")
            )
            [event] = events.all()
            newest = await work.session.exec(
                select(Event.seq).where(col(Event.family_id) == home.family_id).order_by(col(Event.seq).desc())
            )
            assert (event.child_id, event.needs_right, event.seq) == (home.child_id, "locate", newest.first())
