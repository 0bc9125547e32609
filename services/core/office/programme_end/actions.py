"""The end of a programme for each family: notification, 30 days of notice, erasure.

A family's state is computed, not stored: running (no last day), announced (not notified yet), notice (notified, the
30 days are running), due (erasure may begin). core.privacy erases the families of :func:`families_due_for_erasure`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import ScalarSelect, Select, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.core.people.households.queries import guardians_of
from services.core.people.households.rules import END_NOTICE, END_REMINDERS_DAYS, erased_from, reminder_due
from services.core.people.households.sms_texts import programme_ending_text, programme_reminder_text
from services.core.people.households.tables import Enrolment, Family, FamilyEnding
from services.core.people.programme.actions import set_last_day
from services.core.people.programme.tables import Programme, Site
from services.core.platform.audit.actions import Actor
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import send_sms


@dataclass(frozen=True)
class ProgrammeEnd:
    """The announced end for a family: the last day, and the time of erasure (None: the family is not notified yet)."""

    ends_on: date
    told_at: datetime | None
    erased_from: datetime | None


async def announce_end(work: UnitOfWork, actor: Actor, programme: Programme, ends_on: date | None) -> bool:
    """Announce, change or cancel (None) the programme's last day; repeating the call returns False.

    Each change notifies every family again and restarts its 30 days. Raises EndTooSoonError.
    """
    if not await set_last_day(work, actor, programme, ends_on):
        return False
    deleted = await work.run(
        delete(FamilyEnding)
        .where(col(FamilyEnding.family_id).in_(_families_of(programme.programme_id)))
        .returning(col(FamilyEnding.family_id))
    )
    if ends_on is None:
        # Families in a fixed order: each event locks its family's row.
        for family_id in sorted(deleted.scalars()):
            await record_event(work, family_id, "programme.continues")
    return True


async def notify_one_family(work: UnitOfWork) -> bool:
    """Notify one family of its programme's end; return whether one was due. Safe to run twice and concurrently."""
    result = await work.session.exec(
        select(Enrolment.family_id)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .join(Programme, col(Programme.programme_id) == col(Site.programme_id))
        .where(
            col(Programme.ends_on).is_not(None),
            col(Enrolment.enrolment_id) == _latest_enrolment(),
            ~select(FamilyEnding.family_id).where(col(FamilyEnding.family_id) == col(Enrolment.family_id)).exists(),
        )
        .limit(1)
        .with_for_update(of=Enrolment, key_share=True, skip_locked=True)
    )
    family_id = result.first()
    if family_id is None:
        return False
    days_left = await _days_left(work, family_id)
    made = await work.run(
        insert(FamilyEnding)
        # The notification is the reminder of the span that has begun.
        .values(family_id=family_id, told_at=work.now, reminded_days=reminder_due(days_left, None))
        .on_conflict_do_nothing()
        .returning(col(FamilyEnding.family_id))
    )
    if made.scalar_one_or_none() is None:
        return True
    for _, guardian in await guardians_of(work, family_id):
        await send_sms(work, guardian.phone, programme_ending_text(guardian.locale, work.host))
    record_fact(work, "end_told", family_id=family_id)
    await record_event(work, family_id, "programme.ends")
    return True


async def remind_one_family(work: UnitOfWork) -> bool:
    """Remind one family 30, 7 or 1 days before its programme's last day; return whether one was due.

    By event, push and text message, as with the notification. Safe to run twice and concurrently.
    """
    result = await work.run(_TO_REMIND, {"now": work.now, "spans": list(END_REMINDERS_DAYS)})
    row = result.first()
    if row is None:
        return False
    ending = await work.session.get_one(FamilyEnding, row.family_id)
    ending.reminded_days = reminder_due(row.days_left, ending.reminded_days)
    work.add(ending)
    for _, guardian in await guardians_of(work, ending.family_id):
        await send_sms(work, guardian.phone, programme_reminder_text(guardian.locale, work.host, row.days_left))
    await record_event(work, ending.family_id, "programme.ends", detail={"days": row.days_left})
    return True


# A day is one of the family's site. `due` is the shortest span that has begun, as in rules.reminder_due.
_TO_REMIND = text("""
    SELECT ending.family_id, here.days_left
      FROM family_ending AS ending
      JOIN family ON family.family_id = ending.family_id AND family.erased_at IS NULL
      JOIN LATERAL (SELECT site_id FROM enrolment WHERE enrolment.family_id = ending.family_id
                     ORDER BY enrolled_at DESC, enrolment_id LIMIT 1) AS latest ON true
      JOIN site ON site.site_id = latest.site_id
      JOIN programme ON programme.programme_id = site.programme_id
      CROSS JOIN LATERAL (SELECT programme.ends_on - (CAST(:now AS timestamptz) AT TIME ZONE site.timezone)::date
                                 AS days_left) AS here
      CROSS JOIN LATERAL (SELECT min(span) AS due FROM unnest(CAST(:spans AS integer[])) AS span
                           WHERE here.days_left <= span) AS next
     WHERE here.days_left >= 0 AND next.due IS NOT NULL
       AND (ending.reminded_days IS NULL OR next.due < ending.reminded_days)
     LIMIT 1 FOR UPDATE OF ending SKIP LOCKED
""")


async def _days_left(work: UnitOfWork, family_id: uuid.UUID) -> int:
    result = await work.session.exec(
        select(Programme, Site)
        .select_from(Enrolment)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .join(Programme, col(Programme.programme_id) == col(Site.programme_id))
        .where(col(Enrolment.family_id) == family_id, col(Enrolment.enrolment_id) == _latest_enrolment())
    )
    programme, site = result.one()
    today = work.now.astimezone(ZoneInfo(site.timezone)).date()
    # The caller found a last day in this transaction.
    return -1 if programme.ends_on is None else (programme.ends_on - today).days


async def end_of_family(work: UnitOfWork, family_id: uuid.UUID) -> ProgrammeEnd | None:
    """Return the announced end of the family's programme, or None if no end is announced."""
    result = await work.session.exec(
        select(Programme, Site)
        .select_from(Enrolment)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .join(Programme, col(Programme.programme_id) == col(Site.programme_id))
        .where(col(Enrolment.family_id) == family_id, col(Enrolment.enrolment_id) == _latest_enrolment())
    )
    place = result.first()
    if place is None or place[0].ends_on is None:
        return None
    ending = await work.session.get(FamilyEnding, family_id)
    return end_as_told(place[0].ends_on, place[1].timezone, None if ending is None else ending.told_at)


def end_as_told(ends_on: date, timezone: str, told_at: datetime | None) -> ProgrammeEnd:
    """Return the end of a programme at a site for a family that was notified at ``told_at`` (None: not yet)."""
    return ProgrammeEnd(ends_on, told_at, None if told_at is None else erased_from(ends_on, timezone, told_at))


async def families_due_for_erasure(work: UnitOfWork, most: int = 100) -> list[uuid.UUID]:
    """Return families whose notice has expired, earliest notification first; the erasure deletes the ending's row."""
    result = await work.session.exec(
        select(FamilyEnding, Programme, Site)
        .join(Family, col(Family.family_id) == col(FamilyEnding.family_id))
        .join(Enrolment, col(Enrolment.family_id) == col(FamilyEnding.family_id))
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .join(Programme, col(Programme.programme_id) == col(Site.programme_id))
        .where(
            col(FamilyEnding.told_at) <= work.now - END_NOTICE,
            # Families already marked as erased are excluded; their rows are about to be deleted.
            col(Family.erased_at).is_(None),
            col(Programme.ends_on).is_not(None),
            # The UTC date preselects; erased_from below compares exactly, in each site's time zone.
            col(Programme.ends_on) <= work.now.date(),
            col(Enrolment.enrolment_id) == _latest_enrolment(),
        )
        .order_by(col(FamilyEnding.told_at), col(FamilyEnding.family_id))
    )
    due = [
        ending.family_id
        for ending, programme, site in result
        if programme.ends_on is not None and erased_from(programme.ends_on, site.timezone, ending.told_at) <= work.now
    ]
    return due[:most]


def _latest_enrolment() -> ScalarSelect[uuid.UUID]:
    """Select the family's newest enrolment: a family that left still ends with the programme of that enrolment."""
    newest = aliased(Enrolment)
    return (
        select(newest.enrolment_id)
        .where(col(newest.family_id) == col(Enrolment.family_id))
        .order_by(col(newest.enrolled_at).desc(), col(newest.enrolment_id))
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )


def _families_of(programme_id: uuid.UUID) -> Select[uuid.UUID]:
    return (
        sqlalchemy.select(col(Enrolment.family_id))
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Site.programme_id) == programme_id)
    )
