"""What is read about guardians and their sessions."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlmodel import col, select

from services.core.accounts.rules import REFRESH_LIFETIME, session_is_live
from services.core.accounts.tables import Guardian, Session
from services.core.db.database import UnitOfWork


async def guardian_by_phone(work: UnitOfWork, phone: str) -> Guardian | None:
    """Return the guardian with this number (E.164), or None."""
    return (await work.session.exec(select(Guardian).where(Guardian.phone == phone))).first()


async def guardian_of_session(work: UnitOfWork, session_id: uuid.UUID, guardian_id: uuid.UUID) -> Guardian | None:
    """Return the guardian whose session this is, or None when it does not stand."""
    found = await work.session.exec(
        select(Session, Guardian)
        .join(Guardian, col(Guardian.guardian_id) == col(Session.guardian_id))
        .where(Session.session_id == session_id, Session.guardian_id == guardian_id)
    )
    row = found.first()
    if row is None:
        return None
    session, guardian = row
    return guardian if session_is_live(session.ended_at, session.last_used_at, work.now) else None


async def sessions_that_ended(work: UnitOfWork, session_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of these sessions no longer stand; one question for all open streams of a process."""
    if not session_ids:
        return set()
    live = await work.session.exec(
        select(Session.session_id).where(
            col(Session.session_id).in_(session_ids),
            col(Session.ended_at).is_(None),
            col(Session.last_used_at) > work.now - REFRESH_LIFETIME,
        )
    )
    return set(session_ids) - set(live)
