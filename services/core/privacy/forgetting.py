"""What nobody needs any more is forgotten in its time: events, sessions, text messages that could not be sent."""

from __future__ import annotations

from sqlalchemy import delete, or_, tuple_
from sqlmodel import col, select

from services.core.accounts.tables import Session
from services.core.db.database import UnitOfWork
from services.core.events.tables import Event
from services.core.outbox.tables import OutboxRow

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
    gone = [
        await work.run(delete(Event).where(tuple_(col(Event.family_id), col(Event.seq)).in_(old_events))),
        await work.run(delete(Session).where(col(Session.session_id).in_(old_sessions))),
        await work.run(delete(OutboxRow).where(col(OutboxRow.outbox_id).in_(unsent))),
    ]
    return any(one.rowcount for one in gone)
