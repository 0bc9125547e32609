"""Sessions of staff: short, never idle for long, over at the end of a working day."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from services.core.people.accounts import rules
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.errors import RefreshTokenInvalidError
from services.core.people.accounts.rules import PresentedToken, RefreshVerdict, StoredSession
from services.core.people.accounts.tables import Staff, StaffRefreshToken, StaffSession
from services.core.platform.audit.actions import record_audit
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.db.database import UnitOfWork

# Use is noted this often, so that not every request writes.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class OpenStaffSession:
    """A session and the token that continues it, which is told once."""

    staff_id: uuid.UUID
    staff_session_id: uuid.UUID
    refresh_token: str


async def open_staff_session(work: UnitOfWork, staff_id: uuid.UUID) -> OpenStaffSession:
    """Begin a session of a staff member who has just proved who they are."""
    session = StaffSession(staff_id=staff_id, created_at=work.now, last_used_at=work.now)
    work.add(session)
    await work.flush()
    token = new_secret()
    _add_token(work, session, token)
    record_audit(work, staff_actor(staff_id), "staff_session.opened", subject_id=session.staff_session_id)
    return OpenStaffSession(staff_id, session.staff_session_id, token)


async def refresh_staff(work: UnitOfWork, token: str) -> OpenStaffSession:
    """Continue a session as guardians' are continued: once a token, and a thief's second use ends it.

    Raises RefreshTokenInvalidError.
    """
    result = await work.session.exec(
        select(StaffRefreshToken, StaffSession)
        .join(StaffSession, col(StaffSession.staff_session_id) == col(StaffRefreshToken.staff_session_id))
        .where(StaffRefreshToken.token_hash == _token_hash(work, token))
        .with_for_update(of=[StaffRefreshToken, StaffSession])
    )
    row = result.first()
    if row is None:
        raise RefreshTokenInvalidError
    held, session = row
    if not _stands(session, work):
        raise RefreshTokenInvalidError(session.staff_id)
    successor = base64.urlsafe_b64encode(work.vault.keyed_hash(token, "staff-refresh-successor")).decode().rstrip("=")
    following = await work.session.get(StaffRefreshToken, _token_hash(work, successor))
    verdict = rules.judge_refresh(
        PresentedToken(held.expires_at, held.used_at, following is not None and following.used_at is not None),
        work.now,
    )
    if verdict is RefreshVerdict.REUSED:
        _end(work, session, "token_reused")
        work.keep_refusal()
        raise RefreshTokenInvalidError(session.staff_id)
    if verdict is RefreshVerdict.EXPIRED:
        raise RefreshTokenInvalidError(session.staff_id)
    if verdict is RefreshVerdict.ROTATE:
        held.used_at = session.last_used_at = work.now
        work.add(held, session)
        _add_token(work, session, successor)
    return OpenStaffSession(session.staff_id, session.staff_session_id, successor)


async def staff_of_session(work: UnitOfWork, staff_session_id: uuid.UUID, staff_id: uuid.UUID) -> Staff | None:
    """Return the staff member whose session this is, and note that it is in use; None when it does not stand."""
    result = await work.session.exec(
        select(StaffSession, Staff)
        .join(Staff, col(Staff.staff_id) == col(StaffSession.staff_id))
        .where(StaffSession.staff_session_id == staff_session_id, StaffSession.staff_id == staff_id)
    )
    row = result.first()
    if row is None or not _stands(row[0], work) or row[1].ended_at is not None:
        return None
    session, staff = row
    if work.now - session.last_used_at >= _NOTED_EVERY:
        session.last_used_at = work.now
        work.add(session)
        await work.commit_early()
    return staff


async def staff_sessions_of(work: UnitOfWork, staff_id: uuid.UUID) -> list[StaffSession]:
    """Return the sessions of a staff member that stand, the newest first."""
    result = await work.session.exec(
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, col(StaffSession.ended_at).is_(None))
        .order_by(col(StaffSession.created_at).desc(), col(StaffSession.staff_session_id))
    )
    return [one for one in result if _stands(one, work)]


async def end_staff_session(work: UnitOfWork, staff_id: uuid.UUID, staff_session_id: uuid.UUID) -> bool:
    """End a session of this staff member; return whether there is one. A repeat does nothing."""
    session = await work.session.get(StaffSession, staff_session_id, with_for_update={"key_share": True})
    if session is None or session.staff_id != staff_id:
        return False
    if session.ended_at is None:
        _end(work, session, "ended")
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
            _end(work, session, reason)


def _stands(session: StaffSession, work: UnitOfWork) -> bool:
    stored = StoredSession(session.created_at, session.last_used_at, session.ended_at)
    return rules.staff_session_is_live(stored, work.now)


def _end(work: UnitOfWork, session: StaffSession, reason: str) -> None:
    session.ended_at = work.now
    session.end_reason = reason
    work.add(session)
    record_audit(work, staff_actor(session.staff_id), f"staff_session.{reason}", subject_id=session.staff_session_id)


def _add_token(work: UnitOfWork, session: StaffSession, token: str) -> None:
    work.add(
        StaffRefreshToken(
            token_hash=_token_hash(work, token), staff_session_id=session.staff_session_id,
            expires_at=work.now + rules.STAFF_IDLE,
        )
    )  # fmt: skip


def _token_hash(work: UnitOfWork, token: str) -> bytes:
    return work.vault.keyed_hash(token, "staff-refresh-token")
