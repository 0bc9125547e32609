"""Break-glass: two staff members release a guardian's name and phone number when a child's safety requires it.

Until the guardian is notified, audit entries carry no family id, because the family can read its audit log. The
notification copies every earlier step to the family's log, with the original author and time.
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
from services.core.people.staff_accounts.approvals import check_second_person
from services.core.people.staff_accounts.errors import ApproverTooNewError
from services.core.platform.audit.actions import SYSTEM, Actor, record_audit
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.text_rules import PROSE, check_text


@dataclass(frozen=True)
class Shown:
    """The contact details that a break-glass case releases; nothing else is ever released."""

    name: str
    phone: str


async def request_break_glass(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, *, family_code: str, reason: str, tell_after_days: int
) -> BreakGlass:
    """Request the primary guardian's name and number. Raises NotFoundError, TextNotAllowedError."""
    checked = check_text("reason", reason, PROSE)
    enrolled = await family_at_site(work, site.site_id, family_code)
    if enrolled is None or await primary_guardian(work, enrolled[0].family_id) is None:
        raise NotFoundError
    break_glass = BreakGlass(
        family_id=enrolled[0].family_id, site_id=site.site_id, reason=checked, tell_after_days=tell_after_days,
        asked_by=staff_id, asked_at=work.now,
    )  # fmt: skip
    work.add(break_glass)
    record_audit(work, staff_actor(staff_id), "break_glass.asked", subject_id=break_glass.break_glass_id)
    return break_glass


async def approve_break_glass(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, break_glass_id: uuid.UUID
) -> BreakGlass:
    """Approve a case as a second person, or a delayed notification as a third; the last approval opens it for an hour.

    The guardian is notified at once, or after the requested delay. Only accounts older than the case can approve a
    delay. A refused approval is recorded. Raises NotFoundError, SecondPersonNeededError, ApproverTooNewError,
    BreakGlassClosedError.
    """
    break_glass = await _of_site(work, site, break_glass_id)
    if break_glass.opened_at is not None or break_glass.asked_at <= work.now - APPROVAL_LIFETIME:
        raise BreakGlassClosedError
    is_delayed = break_glass.tell_after_days > 0
    others = {break_glass.asked_by, *([] if break_glass.approved_by is None else [break_glass.approved_by])}
    try:
        await check_second_person(
            work, staff_id, others, urgent=not is_delayed, there_before=break_glass.asked_at if is_delayed else None
        )
    except (SecondPersonNeededError, ApproverTooNewError) as refused:
        record_audit(
            work, staff_actor(staff_id), "break_glass.approved", subject_id=break_glass_id, refused=refused.code
        )
        work.keep_refusal()
        raise
    if break_glass.approved_by is None:
        break_glass.approved_by = staff_id
    else:
        break_glass.delay_approved_by = staff_id
    if break_glass.tell_after_days == 0 or break_glass.delay_approved_by is not None:
        break_glass.opened_at = work.now
        break_glass.closes_at = work.now + BREAK_GLASS_LASTS
        break_glass.tell_at = work.now + timedelta(days=break_glass.tell_after_days)
    work.add(break_glass)
    is_notified_now = break_glass.tell_at == work.now
    if is_notified_now:
        await _copy_steps(work, break_glass)
    record_audit(
        work, staff_actor(staff_id), "break_glass.approved", subject_id=break_glass_id,
        family_id=break_glass.family_id if is_notified_now else None,
    )  # fmt: skip
    if is_notified_now:
        await _notify(work, break_glass)
    return break_glass


async def show_guardian(work: UnitOfWork, staff_id: uuid.UUID, site: Site, break_glass_id: uuid.UUID) -> Shown:
    """Return the guardian's name and number to the requester while the case is open; every access is recorded.

    Refused accesses are recorded as well. Raises NotFoundError, BreakGlassClosedError.
    """
    break_glass = await _of_site(work, site, break_glass_id)
    guardian = await primary_guardian(work, break_glass.family_id)
    is_open = break_glass.closes_at is not None and work.now < break_glass.closes_at
    is_refused = not is_open or staff_id != break_glass.asked_by
    record_audit(
        work, staff_actor(staff_id), "break_glass.looked", subject_id=break_glass_id,
        family_id=None if break_glass.told_at is None else break_glass.family_id,
        refused=BreakGlassClosedError.code if is_refused or guardian is None else "",
    )  # fmt: skip
    if is_refused or guardian is None:
        work.keep_refusal()
        raise BreakGlassClosedError
    return Shown(guardian.display_name, guardian.phone)


async def break_glass_of_site(
    work: UnitOfWork, site_id: uuid.UUID, *, most: int, after: uuid.UUID | None = None, family_code: str | None = None
) -> Sequence[tuple[BreakGlass, str]]:
    """Return the cases of a site, or of one of its families, with the family codes, newest first.

    Returns at most ``most`` cases; ``after`` is the last case of the previous page.
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
        # An ``after`` of another site behaves like an unknown one: the page is empty.
        place = tuple_(newer.scalar_subquery(), after)
        statement = statement.where(tuple_(col(BreakGlass.asked_at), col(BreakGlass.break_glass_id)) < place)
    return (await work.session.exec(statement)).all()


async def notify_one_break_glass(work: UnitOfWork) -> bool:
    """Notify one guardian whose notification delay is over; return whether there was one. Safe to run twice."""
    result = await work.session.exec(
        select(BreakGlass)
        .where(col(BreakGlass.told_at).is_(None), col(BreakGlass.tell_at) <= work.now)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    due = result.first()
    if due is not None:
        await _copy_steps(work, due)
        await _notify(work, due)
    return due is not None


async def _notify(work: UnitOfWork, shown: BreakGlass) -> None:
    shown.told_at = work.now
    work.add(shown)
    guardian = await primary_guardian(work, shown.family_id)
    if guardian is None or shown.opened_at is None:
        return
    await send_sms(work, guardian.phone, looked_up_text(guardian.locale, work.host))
    record_audit(work, SYSTEM, "break_glass.told", family_id=shown.family_id, subject_id=shown.break_glass_id)
    await record_event(
        work, shown.family_id, "guardian.looked_up", ref_id=shown.break_glass_id, guardian_id=guardian.guardian_id,
        detail={"opened_at": shown.opened_at.isoformat()},
    )  # fmt: skip


async def _copy_steps(work: UnitOfWork, shown: BreakGlass) -> None:
    """Copy every step of the case so far, refused ones included, to the family's audit log."""
    steps = await work.session.exec(
        select(AuditEntry)
        .where(
            AuditEntry.subject_id == str(shown.break_glass_id),
            col(AuditEntry.at) >= shown.asked_at,
            col(AuditEntry.family_id).is_(None),
            col(AuditEntry.action).startswith("break_glass."),
        )
        .order_by(col(AuditEntry.at), col(AuditEntry.seq))
    )
    for step in steps.all():
        record_audit(
            work, Actor(step.actor_kind, step.actor_id), step.action, family_id=shown.family_id,
            subject_id=step.subject_id, refused=step.reason, at=step.at,
        )  # fmt: skip


async def _of_site(work: UnitOfWork, site: Site, break_glass_id: uuid.UUID) -> BreakGlass:
    break_glass = await work.session.get(
        BreakGlass, break_glass_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if break_glass is None or break_glass.site_id != site.site_id:
        raise NotFoundError
    return break_glass
