"""What nobody needs any more is forgotten in its time: events, sessions, unsent text messages, what the office did."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, delete, or_, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col, select

from services.core.office.prompts.tables import Nudge
from services.core.people.accounts.tables import GuardianDevice, Session, StaffSession
from services.core.people.households.tables import BreakGlass, HandOut, HelpRequest, Invitation, Notice, Recovery
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.tables import Event
from services.core.platform.outbox.tables import OutboxRow
from services.core.privacy.tables import Contest, Export

_BATCH_ROWS = 500


async def forget_one_batch(work: UnitOfWork) -> bool:
    """Delete a batch of what has outlived its time; return whether there was any. Safe to run twice, and by many.

    An app that was away for longer than events are kept finds out by reading what there is, as after its first log-in.
    """
    kept = work.retention
    old_events = (
        select(Event.family_id, Event.seq).where(col(Event.created_at) <= work.now - kept.events).limit(_BATCH_ROWS)
    )
    ended_before = work.now - kept.sessions
    old_sessions = (
        select(Session.session_id)
        .where(or_(col(Session.ended_at) <= ended_before, col(Session.last_used_at) <= ended_before))
        .limit(_BATCH_ROWS)
    )
    unsent = (
        select(OutboxRow.outbox_id)
        .where(col(OutboxRow.kind) == "sms", col(OutboxRow.created_at) <= work.now - kept.unsent_sms)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    past_exports = (
        select(Export.export_id)
        .where(col(Export.state).in_(["expired", "failed"]), col(Export.asked_at) <= work.now - kept.events)
        .limit(_BATCH_ROWS)
    )
    gone = [
        await work.run(delete(Export).where(col(Export.export_id).in_(past_exports))),
        await work.run(delete(Event).where(tuple_(col(Event.family_id), col(Event.seq)).in_(old_events))),
        await work.run(delete(Session).where(col(Session.session_id).in_(old_sessions))),
        await work.run(delete(OutboxRow).where(col(OutboxRow.outbox_id).in_(unsent))),
    ]
    return any(one.rowcount for one in gone)


async def forget_one_batch_of_the_office(work: UnitOfWork) -> bool:
    """Delete a batch of what the office did for families longer ago than that is kept; return whether there was any.

    What still runs stays, however old: a request for help that is open, a recovery that waits, a look of which the
    guardian has not been told. Who did it stands in the log. Slips go with their hand-out. Safe to run twice, by many.
    """
    before = work.now - work.retention.office
    gone = [
        await _forget(work, Notice, col(Notice.notice_id), col(Notice.created_at) <= before),
        await _forget(work, HandOut, col(HandOut.hand_out_id), col(HandOut.closes_at) <= before),
        await _forget(work, HelpRequest, col(HelpRequest.help_id), col(HelpRequest.done_at) <= before),
        await _forget(work, Recovery, col(Recovery.recovery_id), col(Recovery.ended_at) <= before),
        await _forget(
            work, Invitation, col(Invitation.invitation_id),
            or_(col(Invitation.ended_at) <= before, col(Invitation.expires_at) <= before),
        ),
        await _forget(work, Contest, col(Contest.contest_id), col(Contest.ended_at) <= before),
        await _forget(
            work, BreakGlass, col(BreakGlass.break_glass_id), col(BreakGlass.asked_at) <= before,
            or_(col(BreakGlass.told_at) <= before, col(BreakGlass.opened_at).is_(None)),
        ),
    ]  # fmt: skip
    return any(gone)


async def forget_one_batch_of_devices(work: UnitOfWork) -> bool:
    """Delete a batch of staff's sessions and guardians' devices that nobody uses any more, and of judged reminders.

    Return whether there was any. A device that is forgotten has to prove itself anew, as it would have had to anyway.
    """
    unused = work.now - work.retention.sessions
    gone = [
        await _forget(
            work, StaffSession, col(StaffSession.staff_session_id),
            or_(col(StaffSession.ended_at) <= unused, col(StaffSession.last_used_at) <= unused),
        ),
        await _forget(
            work, GuardianDevice, col(GuardianDevice.device_id), col(GuardianDevice.last_used_at) <= unused
        ),
        await _forget(work, Nudge, col(Nudge.nudge_id), col(Nudge.judged_at) <= work.now - work.retention.events),
    ]  # fmt: skip
    return any(gone)


async def _forget(work: UnitOfWork, table: type[SQLModel], key: Mapped[uuid.UUID], *over: ColumnElement[bool]) -> bool:
    old = select(key).where(*over).limit(_BATCH_ROWS).with_for_update(skip_locked=True)
    return bool((await work.run(delete(table).where(key.in_(old)))).rowcount)
