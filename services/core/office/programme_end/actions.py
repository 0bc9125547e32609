"""The end of a programme for each family: notification, 30 days of notice, erasure.

A family's state is computed, not stored: running (no last day), announced (not notified yet), notice (notified, the
30 days are running), due (erasure may begin). core.privacy erases the families of :func:`families_due_for_erasure`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy
from sqlalchemy import ScalarSelect, Select, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.core.people.households.queries import guardians_of
from services.core.people.households.rules import END_NOTICE, erased_from
from services.core.people.households.sms_texts import programme_ending_text
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
    told = await work.run(
        delete(FamilyEnding)
        .where(col(FamilyEnding.family_id).in_(_families_of(programme.programme_id)))
        .returning(col(FamilyEnding.family_id))
    )
    if ends_on is None:
        # Families in a fixed order: each event locks its family's row.
        for family_id in sorted(told.scalars()):
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
    made = await work.run(
        insert(FamilyEnding)
        .values(family_id=family_id, told_at=work.now)
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
    told = await work.session.get(FamilyEnding, family_id)
    if told is None:
        return ProgrammeEnd(place[0].ends_on, None, None)
    return ProgrammeEnd(place[0].ends_on, told.told_at, erased_from(place[0].ends_on, place[1].timezone, told.told_at))


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
        told.family_id
        for told, programme, site in result
        if programme.ends_on is not None and erased_from(programme.ends_on, site.timezone, told.told_at) <= work.now
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
