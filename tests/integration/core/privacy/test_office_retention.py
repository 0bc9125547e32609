"""Retention of the office's rows: actions, log-ins and counts are purged in time; open cases stay."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import httpx
from sqlmodel import SQLModel, col, func, select

from services.core.measurement.counting.purging import purge_one_long_over
from services.core.measurement.tables import FamilyDay, UsagePopulation, UsageReport, WatchDay
from services.core.office.prompts.tables import Nudge
from services.core.people.accounts.tables import GuardianDevice, Session, Staff, StaffSession
from services.core.people.households.tables import (
    BreakGlass,
    HandOut,
    HelpRequest,
    Invitation,
    LogInSlip,
    Notice,
    Recovery,
)
from services.core.people.programme.tables import Programme
from services.core.people.staff_accounts.tables import StaffRequest
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.facts.actions import record_fact
from services.core.platform.facts.tables import Fact
from services.core.privacy.purging.actions import purge_one_device_batch, purge_one_office_batch
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, make_family, make_place, new_phone
from tests.support.world import make_watch


async def _run(database: Database, sweep: Callable[[UnitOfWork], Awaitable[bool]]) -> None:
    purged = True
    while purged:
        async with database.begin() as work:
            purged = await sweep(work)


async def _count(database: Database, *tables: type[SQLModel]) -> dict[str, int]:
    async with database.begin() as work:
        return {
            table.__name__: (await work.session.exec(select(func.count()).select_from(table))).one()
            for table in tables
        }  # fmt: skip


async def _staff(work: UnitOfWork) -> uuid.UUID:
    staff = Staff(
        email=f"{uuid.uuid4().hex}@example.org", display_name="Office", role="site_coordinator", password_hash="x",
        appointed_at=work.now, created_at=work.now,
    )  # fmt: skip
    work.add(staff)
    await work.flush()
    return staff.staff_id


async def _at_work(parent: Parent, place: Place, *, ended: bool) -> None:
    """Have the office do one of everything for a family; all of it over now, or all of it still running."""
    async with parent.database.begin() as work:
        now, staff_id, family_id = work.now, await _staff(work), uuid.UUID(str(parent.family_id))
        site_id, child_id = place.site.site_id, uuid.UUID(parent.child_id)
        over_at: datetime | None = now if ended else None
        hand_out = HandOut(
            site_id=site_id, opened_by=staff_id, code_hash=uuid.uuid4().bytes, families=1, codes_left=3, opened_at=now,
            closes_at=now if ended else now + timedelta(days=365),
        )  # fmt: skip
        work.add(hand_out)
        await work.flush()
        work.add(
            LogInSlip(
                hand_out_id=hand_out.hand_out_id, family_id=family_id, code_hash=uuid.uuid4().bytes, printed_at=now
            ),
            HelpRequest(family_id=family_id, child_id=child_id, kind="broken", asked_at=now, done_at=over_at),
            Recovery(
                family_id=family_id, site_id=site_id, kind="phone", guardian_id=uuid.UUID(parent.guardian_id),
                new_phone="" if ended else new_phone(), document="passport", number_hash=b"",
                state="done" if ended else "waiting", asked_by=staff_id, asked_at=now, ended_at=over_at,
            ),
            BreakGlass(
                family_id=family_id, site_id=site_id, reason="canary reason", asked_by=staff_id, asked_at=now,
                opened_at=now, closes_at=now, tell_at=now, told_at=over_at,
            ),
        )  # fmt: skip
        if ended:
            work.add(
                StaffRequest(
                    kind="open", email="canary@example.org", display_name="Office", role="staff", asked_by=staff_id,
                    asked_at=now, site_id=site_id, state="done", ended_at=now,
                )
            )  # fmt: skip
            work.add(Notice(family_id=family_id, kind="news", text="canary notice", created_at=now))


OFFICE = (Notice, HandOut, LogInSlip, HelpRequest, Recovery, BreakGlass, Invitation, StaffRequest)


async def test_what_the_office_did_is_kept_half_a_year_and_what_still_runs_stays(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    for ended in (True, False):
        parent = await make_family(client, database, place)
        await _at_work(parent, place, ended=ended)
        invited = await parent.told(
            "POST", f"{parent.family}/invitations", json={"phone": new_phone(), "relation": "aunt"}
        )
        if ended:
            await parent.told("DELETE", f"{parent.family}/invitations/{invited['invitation_id']}")
    both = {table.__name__: 2 for table in OFFICE} | {"Notice": 1, "StaffRequest": 1}
    clock.advance(days=180, seconds=-1)
    await _run(database, purge_one_office_batch)
    assert await _count(database, *OFFICE) == both
    clock.advance(seconds=1)
    for _ in range(2):
        await _run(database, purge_one_office_batch)
        left = await _count(database, *OFFICE)
        assert left == {table.__name__: 1 for table in OFFICE} | {"Notice": 0, "StaffRequest": 0}
    # It had no answer, and its own time was over for as long.
    clock.advance(days=30)
    await _run(database, purge_one_office_batch)
    assert (await _count(database, Invitation))["Invitation"] == 0


async def test_devices_sessions_of_staff_and_reminders_go_when_nobody_uses_them(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    # Of other tests nothing is left.
    clock.advance(days=400)
    await _run(database, purge_one_device_batch)
    mother, aunt = await make_family(client, database), await make_family(client, database)
    async with database.begin() as work:
        staff_id = await _staff(work)
        work.add(StaffSession(staff_id=staff_id, created_at=work.now, last_used_at=work.now))
        for judged_at in (work.now, None):
            nudge = Nudge(
                guardian_id=uuid.UUID(mother.guardian_id), child_id=uuid.UUID(mother.child_id),
                local_day=date(2026, 1, 1 if judged_at else 2), nudged_at=work.now, judged_at=judged_at,
            )  # fmt: skip
            work.add(nudge)
    tables = (GuardianDevice, StaffSession, Nudge)
    before = await _count(database, *tables)
    assert before["StaffSession"] == 1
    clock.advance(days=29)
    await _run(database, purge_one_device_batch)
    assert await _count(database, *tables) == before
    clock.advance(days=1)
    await _run(database, purge_one_device_batch)
    assert await _count(database, *tables) == before | {"Nudge": 1}
    await aunt.log_in()
    clock.advance(days=60)
    await _run(database, purge_one_device_batch)
    async with database.begin() as work:
        devices = (await work.session.exec(select(GuardianDevice.guardian_id))).all()
        sessions = (
            await work.session.exec(
                select(Session.device_id).where(col(Session.guardian_id) == uuid.UUID(mother.guardian_id))
            )
        ).all()
    # The session itself is another sweep's; it has let go of its device.
    assert (set(devices), set(sessions)) == ({uuid.UUID(aunt.guardian_id)}, {None})
    assert (await _count(database, StaffSession))["StaffSession"] == 0


async def _count_something(database: Database, family_id: uuid.UUID, place: Place) -> None:
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
        ids: dict[str, Any] = {"family_id": family_id, "watch_id": watch.watch_id}
        record_fact(work, "hello", **ids)
        record_fact(work, "hello", watch_id=watch.watch_id)
        work.add(
            UsageReport(**ids, received_at=work.now), WatchDay(**ids, day=work.now.date()),
            FamilyDay(family_id=family_id, day=work.now.date()),
            UsagePopulation(
                quarter=work.now.date(), family_id=family_id, programme_id=place.site.programme_id,
                site_id=place.site.site_id, cohort_id=place.cohort.cohort_id,
            ),
        )  # fmt: skip


async def test_facts_are_kept_ninety_days_after_the_end_of_their_programme_and_no_other(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ending, running = await make_place(database), await make_place(database)
    theirs, others = await make_family(client, database, ending), await make_family(client, database, running)
    tables = (Fact, UsageReport, WatchDay, FamilyDay, UsagePopulation)
    async with database.begin() as work:
        (await work.session.get_one(Programme, ending.site.programme_id)).ends_on = work.now.date()
    for parent, place in ((theirs, ending), (others, running)):
        assert parent.family_id is not None
        await _count_something(database, parent.family_id, place)
    before = await _count(database, *tables)
    clock.advance(days=90)
    await _run(database, purge_one_long_over)
    assert await _count(database, *tables) == before
    clock.advance(days=1)
    for _ in range(2):
        await _run(database, purge_one_long_over)
        async with database.begin() as work:
            families = [set((await work.session.exec(select(table.family_id))).all()) for table in tables]
            watches = (await work.session.exec(select(Fact.watch_id).where(col(Fact.family_id).is_(None)))).all()
    assert [theirs.family_id in family for family in families] == [False] * len(tables)
    assert [others.family_id in family for family in families] == [True] * len(tables)
    assert len([watch for watch in watches if watch is not None]) == 1
