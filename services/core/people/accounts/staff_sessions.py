"""Sessions of staff: short tokens, an idle limit, and an end after a working day."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from services.core.people.accounts import rules
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.refresh_chains import RefreshChain
from services.core.people.accounts.rules import StoredSession
from services.core.people.accounts.tables import Staff, StaffRefreshToken, StaffSession
from services.core.platform.audit.actions import record_audit
from services.core.platform.db.database import UnitOfWork

# Minimum interval between recorded uses, so that not every request writes a row.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class OpenStaffSession:
    """A session and its refresh token, which is not stored in readable form."""

    staff_id: uuid.UUID
    staff_session_id: uuid.UUID
    refresh_token: str


async def open_staff_session(work: UnitOfWork, staff_id: uuid.UUID) -> OpenStaffSession:
    """Open a session for an authenticated staff member."""
    session = StaffSession(staff_id=staff_id, created_at=work.now, last_used_at=work.now)
    work.add(session)
    await work.flush()
    token = _CHAIN.start(work, session)
    record_audit(work, staff_actor(staff_id), "staff_session.opened", subject_id=session.staff_session_id)
    return OpenStaffSession(staff_id, session.staff_session_id, token)


async def refresh_staff(work: UnitOfWork, token: str) -> OpenStaffSession:
    """Continue a session: use a refresh token and return its successor; see ``RefreshChain.refresh``.

    Raises RefreshTokenInvalidError.
    """
    session, successor = await _CHAIN.refresh(work, token)
    return OpenStaffSession(session.staff_id, session.staff_session_id, successor)


async def staff_of_session(work: UnitOfWork, staff_session_id: uuid.UUID, staff_id: uuid.UUID) -> Staff | None:
    """Return the staff member of a live session and record its use; None if the session is not live."""
    result = await work.session.exec(
        select(StaffSession, Staff)
        .join(Staff, col(Staff.staff_id) == col(StaffSession.staff_id))
        .where(StaffSession.staff_session_id == staff_session_id, StaffSession.staff_id == staff_id)
    )
    row = result.first()
    if row is None or not _stands(row[0], work.now) or row[1].ended_at is not None:
        return None
    session, staff = row
    if work.now - session.last_used_at >= _NOTED_EVERY:
        session.last_used_at = work.now
        work.add(session)
        await work.commit_early()
    return staff


async def staff_sessions_of(work: UnitOfWork, staff_id: uuid.UUID) -> list[StaffSession]:
    """Return the live sessions of a staff member, newest first."""
    result = await work.session.exec(
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, col(StaffSession.ended_at).is_(None))
        .order_by(col(StaffSession.created_at).desc(), col(StaffSession.staff_session_id))
    )
    return [session for session in result if _stands(session, work.now)]


async def end_staff_session(work: UnitOfWork, staff_id: uuid.UUID, staff_session_id: uuid.UUID) -> bool:
    """End a session of this staff member; return whether it exists. Repeating the call changes nothing."""
    session = await work.session.get(StaffSession, staff_session_id, with_for_update={"key_share": True})
    if session is None or session.staff_id != staff_id:
        return False
    if session.ended_at is None:
        await _end(work, session, "ended")
    return True


async def end_staff_sessions(
    work: UnitOfWork, staff_id: uuid.UUID, reason: str, *, but: uuid.UUID | None = None
) -> None:
    """End every session of a staff member, except ``but``."""
    standing = await work.session.exec(
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, col(StaffSession.ended_at).is_(None))
        .order_by(col(StaffSession.staff_session_id))
        .with_for_update(key_share=True)
    )
    for session in standing:
        if session.staff_session_id != but:
            await _end(work, session, reason)


def _stands(session: StaffSession, now: datetime) -> bool:
    stored = StoredSession(session.created_at, session.last_used_at, session.ended_at)
    return rules.staff_session_is_live(stored, now)


async def _end(work: UnitOfWork, session: StaffSession, reason: str) -> None:
    session.ended_at = work.now
    session.end_reason = reason
    work.add(session)
    record_audit(work, staff_actor(session.staff_id), f"staff_session.{reason}", subject_id=session.staff_session_id)


def _new_token(session: StaffSession, token_hash: bytes, now: datetime) -> StaffRefreshToken:
    return StaffRefreshToken(
        token_hash=token_hash, staff_session_id=session.staff_session_id, expires_at=now + rules.STAFF_IDLE
    )


async def _nothing_more(_work: UnitOfWork, _session: StaffSession) -> None:
    """A staff session has no device to keep known."""


_CHAIN: Final = RefreshChain(
    session_table=StaffSession,
    token_table=StaffRefreshToken,
    session_key="staff_session_id",
    hash_context="staff-refresh-token",
    successor_context="staff-refresh-successor",
    new_token=_new_token,
    owner_of=lambda session: session.staff_id,
    may_continue=_stands,
    end=_end,
    on_rotation=_nothing_more,
)
