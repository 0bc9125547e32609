"""Sessions and profiles of guardians.

Who may log in at all is decided above, in families: an account alone knows no family.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import col, select

from services.core.people.accounts import rules
from services.core.people.accounts.devices import PresentedDevice
from services.core.people.accounts.errors import RefreshTokenInvalidError
from services.core.people.accounts.queries import session_stands
from services.core.people.accounts.rules import PresentedToken, RefreshVerdict
from services.core.people.accounts.tables import Guardian, GuardianDevice, RefreshToken, Session
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.db.database import UnitOfWork

# Told whose access changed: the id of a session or of a guardian.
CHANNEL = "access"


@dataclass(frozen=True)
class OpenSession:
    """A session and the tokens that continue it and know the device again; they are not stored and told once.

    ``limited``: it sees nothing until the second step. ``device_token`` is None where the device has one already.
    """

    guardian_id: uuid.UUID
    session_id: uuid.UUID
    refresh_token: str
    refresh_expires_in_s: int
    limited: bool = False
    device_token: str | None = None


async def create_guardian(work: UnitOfWork, phone: str, locale: str) -> Guardian:
    """Make the account of a phone that has just proved itself."""
    guardian = Guardian(phone=phone, locale=locale, created_at=work.now)
    work.add(guardian)
    await work.flush()
    return guardian


async def open_session(work: UnitOfWork, guardian_id: uuid.UUID, device: PresentedDevice) -> OpenSession:
    """Begin a session of a guardian who has just proved the phone; limited where the device is not known."""
    session = Session(
        guardian_id=guardian_id, device_id=device.device_id, limited=not device.is_known, created_at=work.now,
        last_used_at=work.now,
    )  # fmt: skip
    work.add(session)
    await work.flush()
    token = new_secret()
    _add_token(work, session.session_id, token)
    record_audit(work, guardian_actor(guardian_id), "session.opened", subject_id=session.session_id)
    return _opened(session, token, device.new_token)


def _opened(session: Session, token: str, device_token: str | None = None) -> OpenSession:
    return OpenSession(
        session.guardian_id, session.session_id, token, int(rules.REFRESH_LIFETIME.total_seconds()), session.limited,
        device_token,
    )  # fmt: skip


def _add_token(work: UnitOfWork, session_id: uuid.UUID, token: str) -> None:
    work.add(
        RefreshToken(
            token_hash=_token_hash(work, token),
            session_id=session_id,
            issued_at=work.now,
            expires_at=work.now + rules.REFRESH_LIFETIME,
        )
    )


def _token_hash(work: UnitOfWork, token: str) -> bytes:
    return work.vault.keyed_hash(token, "refresh-token")


def _successor(work: UnitOfWork, token: str) -> str:
    # Derived, not drawn: a repeat gets the same successor without our storing it readable.
    return base64.urlsafe_b64encode(work.vault.keyed_hash(token, "refresh-successor")).decode().rstrip("=")


async def refresh(work: UnitOfWork, token: str) -> OpenSession:
    """Continue a session: take a refresh token and return its successor.

    A repeat within 60 seconds returns the same successor, as long as that was not used: the first answer may have been
    lost. Any other use of a used token ends the session (kept, although RefreshTokenInvalidError follows).
    """
    result = await work.session.exec(
        select(RefreshToken, Session)
        .join(Session, col(Session.session_id) == col(RefreshToken.session_id))
        .where(RefreshToken.token_hash == _token_hash(work, token))
        # The session's row lock: two uses of one chain are judged one after the other.
        .with_for_update(of=[RefreshToken, Session])
    )
    row = result.first()
    if row is None:
        raise RefreshTokenInvalidError
    held, session = row
    if session.ended_at is not None or (session.limited and not session_stands(session, work.now)):
        raise RefreshTokenInvalidError(session.guardian_id)
    successor = _successor(work, token)
    next_held = await work.session.get(RefreshToken, _token_hash(work, successor))
    verdict = rules.judge_refresh(
        PresentedToken(held.expires_at, held.used_at, next_held is not None and next_held.used_at is not None),
        work.now,
    )
    if verdict is RefreshVerdict.REUSED:
        await _end(work, session, "token_reused")
        work.keep_refusal()
        raise RefreshTokenInvalidError(session.guardian_id)
    if verdict is RefreshVerdict.EXPIRED:
        raise RefreshTokenInvalidError(session.guardian_id)
    if verdict is RefreshVerdict.ROTATE:
        held.used_at = work.now
        session.last_used_at = work.now
        work.add(held, session)
        await _note_use(work, session)
        _add_token(work, session.session_id, successor)
    return _opened(session, successor)


async def log_out(work: UnitOfWork, session_id: uuid.UUID) -> None:
    """End a session and its open streams; a repeat does nothing."""
    session = await work.session.get(Session, session_id, with_for_update=True)
    if session is not None and session.ended_at is None:
        await _end(work, session, "logged_out")


async def _note_use(work: UnitOfWork, session: Session) -> None:
    """A device that is in use stays known."""
    if session.device_id is not None and not session.limited:
        await work.run(
            update(GuardianDevice)
            .where(col(GuardianDevice.device_id) == session.device_id)
            .values(last_used_at=work.now)
        )


async def end_session_of(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, reason: str) -> bool:
    """End one of the guardian's sessions from another: its streams end, its device is known no more.

    Returns whether there is such a session; a repeat does nothing.
    """
    session = await work.session.get(Session, session_id, with_for_update={"key_share": True})
    if session is None or session.guardian_id != guardian_id:
        return False
    if session.device_id is not None:
        await work.run(
            update(GuardianDevice).where(col(GuardianDevice.device_id) == session.device_id).values(trusted_at=None)
        )
    if session.ended_at is None:
        await _end(work, session, reason)
    return True


async def end_all_sessions(work: UnitOfWork, guardian_id: uuid.UUID, reason: str) -> None:
    """End every session of a guardian, open streams included."""
    standing = await work.session.exec(
        select(Session)
        .where(Session.guardian_id == guardian_id, col(Session.ended_at).is_(None))
        .order_by(col(Session.session_id))
        .with_for_update(key_share=True)
    )
    for session in standing:
        await _end(work, session, reason)


async def _end(work: UnitOfWork, session: Session, reason: str) -> None:
    session.ended_at = work.now
    session.end_reason = reason
    work.add(session)
    record_audit(work, guardian_actor(session.guardian_id), f"session.{reason}", subject_id=session.session_id)
    await work.notify(CHANNEL, session.session_id)


async def access_changed(work: UnitOfWork, guardian_id: uuid.UUID) -> None:
    """Have the guardian's open streams look at once what they may still be told."""
    await work.notify(CHANNEL, guardian_id)
