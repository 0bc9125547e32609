"""Break-glass: a guardian's name and number, for a child's safety, and nothing else.

Entries in the audit log name no family before its guardian is told: the log is the family's to read.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.sms_texts import looked_up_text
from services.core.people.households.errors import BreakGlassClosedError, NotFoundError, SecondPersonNeededError
from services.core.people.households.queries import family_at_site, primary_guardian
from services.core.people.households.rules import APPROVAL_LIFETIME, BREAK_GLASS_LASTS
from services.core.people.households.tables import BreakGlass, Family
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.text_rules import TextRule, check_text

_REASON = TextRule(max_characters=500, max_bytes=2000)


@dataclass(frozen=True)
class Shown:
    """What is shown, and all that ever is."""

    name: str
    phone: str


async def ask_break_glass(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, *, family_code: str, reason: str, tell_after_days: int
) -> BreakGlass:
    """Ask to see the primary guardian's name and number. Raises NotFoundError, TextNotAllowedError."""
    checked = check_text("reason", reason, _REASON)
    found = await family_at_site(work, site.site_id, family_code)
    if found is None or await primary_guardian(work, found[0].family_id) is None:
        raise NotFoundError
    asked = BreakGlass(
        family_id=found[0].family_id, site_id=site.site_id, reason=checked, tell_after_days=tell_after_days,
        asked_by=staff_id, asked_at=work.now,
    )  # fmt: skip
    work.add(asked)
    record_audit(work, staff_actor(staff_id), "break_glass.asked", subject_id=asked.break_glass_id)
    return asked


async def approve_break_glass(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, break_glass_id: uuid.UUID
) -> BreakGlass:
    """Agree as another person; where telling the guardian is delayed, a third one agrees to that. Then an hour begins.

    The guardian is told at once, or when the delay is over. Raises NotFoundError, SecondPersonNeededError,
    BreakGlassClosedError.
    """
    asked = await _of_site(work, site, break_glass_id)
    if asked.opened_at is not None or asked.asked_at <= work.now - APPROVAL_LIFETIME:
        raise BreakGlassClosedError
    if staff_id in {asked.asked_by, asked.approved_by}:
        record_audit(
            work, staff_actor(staff_id), "break_glass.approved", subject_id=break_glass_id,
            refused=SecondPersonNeededError.code,
        )  # fmt: skip
        work.keep_refusal()
        raise SecondPersonNeededError
    record_audit(work, staff_actor(staff_id), "break_glass.approved", subject_id=break_glass_id)
    if asked.approved_by is None:
        asked.approved_by = staff_id
    else:
        asked.delay_approved_by = staff_id
    if asked.tell_after_days == 0 or asked.delay_approved_by is not None:
        asked.opened_at = work.now
        asked.closes_at = work.now + BREAK_GLASS_LASTS
        asked.tell_at = work.now + timedelta(days=asked.tell_after_days)
    work.add(asked)
    if asked.tell_at == work.now:
        await _tell(work, asked)
    return asked


async def look(work: UnitOfWork, staff_id: uuid.UUID, site: Site, break_glass_id: uuid.UUID) -> Shown:
    """Return the guardian's name and number to whoever asked, within the hour; each look is logged.

    Raises NotFoundError, BreakGlassClosedError.
    """
    asked = await _of_site(work, site, break_glass_id)
    guardian = await primary_guardian(work, asked.family_id)
    is_open = asked.closes_at is not None and work.now < asked.closes_at
    if not is_open or staff_id != asked.asked_by or guardian is None:
        record_audit(
            work, staff_actor(staff_id), "break_glass.looked", subject_id=break_glass_id,
            refused=BreakGlassClosedError.code,
        )  # fmt: skip
        work.keep_refusal()
        raise BreakGlassClosedError
    record_audit(work, staff_actor(staff_id), "break_glass.looked", subject_id=break_glass_id)
    return Shown(guardian.display_name, guardian.phone)


async def break_glass_of_site(
    work: UnitOfWork, site_id: uuid.UUID, *, most: int, after: uuid.UUID | None = None, family_code: str | None = None
) -> Sequence[tuple[BreakGlass, str]]:
    """Return those of a site, or of one family of it, with the families' codes, the newest first.

    At most so many, and after one of them, for pages.
    """
    statement = (
        select(BreakGlass, Family.family_code)
        .join(Family, col(Family.family_id) == col(BreakGlass.family_id))
        .where(BreakGlass.site_id == site_id)
        .order_by(col(BreakGlass.asked_at).desc(), col(BreakGlass.break_glass_id).desc())
        .limit(most)
    )
    if family_code is not None:
        statement = statement.where(col(Family.family_code) == family_code)
    if after is not None:
        newer = select(BreakGlass.asked_at).where(BreakGlass.site_id == site_id, BreakGlass.break_glass_id == after)
        # One of another site is as unknown as one that never was: then nothing comes after it.
        place = tuple_(newer.scalar_subquery(), after)
        statement = statement.where(tuple_(col(BreakGlass.asked_at), col(BreakGlass.break_glass_id)) < place)
    return (await work.session.exec(statement)).all()


async def tell_one_break_glass(work: UnitOfWork) -> bool:
    """Tell a guardian whose delay is over; return whether there was one. Safe to run twice."""
    found = await work.session.exec(
        select(BreakGlass)
        .where(col(BreakGlass.told_at).is_(None), col(BreakGlass.tell_at) <= work.now)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    due = found.first()
    if due is not None:
        await _tell(work, due)
    return due is not None


async def _tell(work: UnitOfWork, shown: BreakGlass) -> None:
    shown.told_at = work.now
    work.add(shown)
    guardian = await primary_guardian(work, shown.family_id)
    if guardian is None or shown.opened_at is None:
        return
    await send_sms(work, guardian.phone, guardian.locale, looked_up_text(guardian.locale))
    record_audit(work, SYSTEM, "break_glass.told", family_id=shown.family_id, subject_id=shown.break_glass_id)
    await record_event(
        work, shown.family_id, "guardian.looked_up", ref_id=shown.break_glass_id, guardian_id=guardian.guardian_id,
        detail={"opened_at": shown.opened_at.isoformat()},
    )  # fmt: skip


async def _of_site(work: UnitOfWork, site: Site, break_glass_id: uuid.UUID) -> BreakGlass:
    found = await work.session.get(
        BreakGlass, break_glass_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if found is None or found.site_id != site.site_id:
        raise NotFoundError
    return found
