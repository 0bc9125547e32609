"""Queries about guardians and their sessions."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select

from services.core.people.accounts.rules import StoredSession, session_is_live
from services.core.people.accounts.tables import Guardian, Session
from services.core.platform.db.database import UnitOfWork


async def guardian_by_phone(work: UnitOfWork, phone: str) -> Guardian | None:
    """Return the guardian with this number (E.164), or None."""
    return (await work.session.exec(select(Guardian).where(Guardian.phone == phone))).first()


def session_stands(session: Session, now: datetime) -> bool:
    """Return whether a session is live, limited or not."""
    stored = StoredSession(session.created_at, session.last_used_at, session.ended_at, session.limited)
    return session_is_live(stored, now)


async def session_and_guardian(
    work: UnitOfWork, session_id: uuid.UUID, guardian_id: uuid.UUID
) -> tuple[Session, Guardian] | None:
    """Return a live session with its guardian, or None."""
    result = await work.session.exec(
        select(Session, Guardian)
        .join(Guardian, col(Guardian.guardian_id) == col(Session.guardian_id))
        .where(Session.session_id == session_id, Session.guardian_id == guardian_id)
    )
    row = result.first()
    return None if row is None or not session_stands(row[0], work.now) else (row[0], row[1])


async def guardian_of_session(work: UnitOfWork, session_id: uuid.UUID, guardian_id: uuid.UUID) -> Guardian | None:
    """Return the guardian of a live, unlimited session, or None."""
    pair = await session_and_guardian(work, session_id, guardian_id)
    return None if pair is None or pair[0].limited else pair[1]


async def sessions_of(work: UnitOfWork, guardian_id: uuid.UUID) -> list[Session]:
    """Return the guardian's live sessions, newest first."""
    result = await work.session.exec(
        select(Session)
        .where(Session.guardian_id == guardian_id, col(Session.ended_at).is_(None))
        .order_by(col(Session.created_at).desc(), col(Session.session_id))
    )
    return [session for session in result if session_stands(session, work.now)]


async def sessions_that_ended(work: UnitOfWork, session_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return the ended ones of these sessions; one query for all open streams of a process."""
    if not session_ids:
        return set()
    result = await work.session.exec(select(Session).where(col(Session.session_id).in_(session_ids)))
    return set(session_ids) - {session.session_id for session in result if session_stands(session, work.now)}
