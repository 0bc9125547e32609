"""A programme ends: every family is told, has thirty days, and is then due for erasure; leaving is not ending."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from sqlmodel import col, select

from services.core.office.enrolment.participation import end_enrolment
from services.core.office.programme_end import actions as ending
from services.core.people.households.errors import EndReasonUnknownError, FamilyUnknownError
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.errors import EndTooSoonError
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from services.core.platform.outbox.tables import OutboxRow
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, make_family, make_place, sms_to


async def announce(database: Database, place: Place, ends_on: date | None) -> bool:
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, place.site.programme_id)
        return await ending.announce_end(work, OPERATOR, programme, ends_on)


async def tell_all(database: Database) -> int:
    count = 0
    while True:
        async with database.begin() as work:
            if not await ending.notify_one_family(work):
                return count
            count += 1


async def due(database: Database) -> list[uuid.UUID]:
    async with database.begin() as work:
        return await ending.families_due_for_erasure(work)


async def kinds(database: Database, parent: Parent) -> list[str]:
    async with database.begin() as work:
        kinds = await work.session.exec(
            select(Event.kind).where(col(Event.family_id) == parent.family_id, col(Event.kind).like("programme.%"))
        )
        return list(kinds)


async def code_of(database: Database, parent: Parent) -> str:
    async with database.begin() as work:
        return (await work.session.get_one(Family, parent.family_id)).family_code


async def test_every_family_is_told_once_and_is_due_after_thirty_days_and_the_last_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    other = await make_family(client, database)
    last_day = clock.now.date() + timedelta(days=40)
    await tell_all(database)

    assert await announce(database, place, last_day)
    assert not await announce(database, place, last_day)
    assert (await tell_all(database), await tell_all(database)) == (1, 0)

    assert await kinds(database, parent) == ["programme.ends"]
    assert await kinds(database, other) == []
    assert "programme will end" in (await sms_to(database, parent.phone))[-1]
    # The last day ends at midnight in Shanghai, which is 16:00 UTC.
    ends_at = datetime.combine(last_day, datetime.min.time(), UTC) + timedelta(hours=16)
    async with database.begin() as work:
        assert parent.family_id is not None
        end = await ending.end_of_family(work, parent.family_id)
    assert end == ending.ProgrammeEnd(last_day, clock.now, ends_at)
    clock.now = ends_at - timedelta(minutes=1)
    assert parent.family_id not in await due(database)
    clock.now = ends_at
    assert parent.family_id in await due(database)
    assert other.family_id not in await due(database)


async def test_a_family_that_is_told_late_has_its_thirty_days_all_the_same(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    await announce(database, place, clock.now.date() + timedelta(days=30))
    clock.advance(days=20)
    parent = await make_family(client, database, place)
    await tell_all(database)
    clock.advance(days=29, hours=23)
    assert parent.family_id not in await due(database)
    clock.advance(hours=1)
    assert parent.family_id in await due(database)


async def test_an_end_that_is_moved_is_told_anew_and_one_taken_back_erases_nobody(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await announce(database, place, clock.now.date() + timedelta(days=60))
    await tell_all(database)
    clock.advance(days=20)
    await announce(database, place, clock.now.date() + timedelta(days=30))
    assert await tell_all(database) == 1
    clock.advance(days=29)
    assert parent.family_id not in await due(database)
    assert await announce(database, place, None)
    clock.advance(days=90)
    assert parent.family_id not in await due(database)
    assert await tell_all(database) == 0
    assert await kinds(database, parent) == ["programme.ends", "programme.ends", "programme.continues"]


async def test_each_family_is_reminded_thirty_seven_and_one_day_before_by_event_push_and_text(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    # Midnight in Shanghai, so that days of the site and hours of the test agree.
    clock.now = datetime.combine(clock.now.date() + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=16)
    last_day = (clock.now + timedelta(hours=8)).date() + timedelta(days=60)
    await announce(database, place, last_day)
    await tell_all(database)

    async def reminded() -> int:
        count = 0
        while True:
            async with database.begin() as work:
                if not await ending.remind_one_family(work):
                    return count
                count += 1

    seen = []
    for _ in range(62):
        seen += [(clock.now + timedelta(hours=8)).date()] * await reminded()
        # A day that a worker did not run is made up for by the next shorter span, not by every missed one.
        clock.advance(hours=24)
    assert [(last_day - day).days for day in seen] == [30, 7, 1]
    async with database.begin() as work:
        events = await work.session.exec(
            select(Event.detail)
            .where(col(Event.family_id) == parent.family_id, col(Event.kind) == "programme.ends")
            .order_by(col(Event.seq))
        )
        assert events.all() == [{}, {"days": 30}, {"days": 7}, {"days": 1}]
        wakes = await work.session.exec(
            select(OutboxRow.target).where(OutboxRow.kind == "wake", OutboxRow.target == str(parent.family_id))
        )
        assert len(wakes.all()) == 4, "each wakes the phones"
    texts = [text for text in await sms_to(database, parent.phone) if "album" in text]
    assert [text.partition("ends: ")[2].partition(".")[0] for text in texts] == ["30", "7", "1"]

    # Announced with thirty days left, the notification itself is the first reminder; a moved end begins anew.
    await announce(database, place, None)
    await announce(database, place, (clock.now + timedelta(hours=8)).date() + timedelta(days=30))
    await tell_all(database)
    assert await reminded() == 0
    clock.advance(days=29)
    assert (await reminded(), await reminded()) == (1, 0)


async def test_nobody_can_announce_less_than_the_notice(database: Database, clock: FakeClock) -> None:
    place = await make_place(database)
    with pytest.raises(EndTooSoonError) as refused:
        await announce(database, place, clock.now.date() + timedelta(days=29))
    assert refused.value.fields() == {"earliest": (clock.now.date() + timedelta(days=30)).isoformat()}


async def test_leaving_the_factory_ends_the_enrolment_and_the_talking_goes_on(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    code = await code_of(database, parent)

    async with database.begin() as work:
        await end_enrolment(work, OPERATOR, code.lower(), "left_factory")

    assert (await parent.send("good morning"))["seq"] == 1
    # Also after logging in anew: the account stays, though no enrolment expects the phone any more.
    clock.advance(minutes=5)
    await parent.log_in()
    assert len((await parent.told("GET", f"{parent.child}/messages"))["messages"]) == 1
    assert await kinds(database, parent) == []
    async with database.begin() as work:
        enrolment = (await work.session.exec(select(Enrolment).where(Enrolment.family_id == parent.family_id))).one()
        assert enrolment.end_reason == "left_factory"
        with pytest.raises(FamilyUnknownError):
            await end_enrolment(work, OPERATOR, code, "left_factory")


async def test_a_family_that_left_is_told_when_the_programme_it_came_from_ends(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    code = await code_of(database, parent)
    async with database.begin() as work:
        await end_enrolment(work, OPERATOR, code, "moved_away")
    await announce(database, place, clock.now.date() + timedelta(days=31))
    assert await tell_all(database) == 1
    assert await kinds(database, parent) == ["programme.ends"]


async def test_a_reason_is_a_word_of_the_list(database: Database) -> None:
    async with database.begin() as work:
        with pytest.raises(EndReasonUnknownError):
            await end_enrolment(work, OPERATOR, "DG-001", "dismissed because of a strike")
