"""Purge records whose retention period has ended: events, sessions, unsent text messages, records of the office."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, delete, or_, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col, select

from services.core.office.prompts.tables import Nudge
from services.core.people.accounts.tables import GuardianDevice, Session, StaffSession
from services.core.people.households.tables import BreakGlass, HandOut, HelpRequest, Invitation, Notice, Recovery
from services.core.people.staff_accounts.tables import StaffRequest
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.tables import Event
from services.core.platform.outbox.tables import OutboxRow
from services.core.privacy.tables import Contest, Export

_BATCH_ROWS = 500


async def purge_one_batch(work: UnitOfWork) -> bool:
    """Delete a batch of expired records; return whether there was any. Idempotent; several workers may run it.

    An app that was offline longer than events are kept reads the current state, as it does after its first log-in.
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
    return any(result.rowcount for result in gone)


async def purge_one_office_batch(work: UnitOfWork) -> bool:
    """Delete a batch of expired office records; return whether there was any.

    Records of unfinished business stay, however old: an open help request, a pending recovery, a disclosure that the
    guardian has not been notified of. The audit log names the actor. Slips are deleted with their hand-out. Idempotent.
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
        # One that nobody approved lapses by itself, and is as old as its date.
        await _forget(work, StaffRequest, col(StaffRequest.request_id), col(StaffRequest.asked_at) <= before),
        await _forget(work, Contest, col(Contest.contest_id), col(Contest.ended_at) <= before),
        await _forget(
            work, BreakGlass, col(BreakGlass.break_glass_id), col(BreakGlass.asked_at) <= before,
            or_(col(BreakGlass.told_at) <= before, col(BreakGlass.opened_at).is_(None)),
        ),
    ]  # fmt: skip
    return any(gone)


async def purge_one_device_batch(work: UnitOfWork) -> bool:
    """Delete a batch of unused sessions of staff, unused devices of guardians and judged reminders; return as above.

    A deleted device has to pass the second step again, which an unused one would have to anyway.
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
