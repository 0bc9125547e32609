"""Sessions of guardians: open, refresh, end.

households.admission decides which phone numbers can log in; this module knows no families.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlmodel import col, select

from services.core.people.accounts import rules
from services.core.people.accounts.devices import PresentedDevice
from services.core.people.accounts.queries import session_stands
from services.core.people.accounts.refresh_chains import RefreshChain
from services.core.people.accounts.tables import Guardian, GuardianDevice, RefreshToken, Session
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.text_rules import OPTIONAL_NAME, check_text

# Notification payload: the id of a session or guardian whose access changed.
CHANNEL = "access"


@dataclass(frozen=True)
class OpenSession:
    """A session with its refresh token and device token; only their hashes are stored.

    ``limited``: no access until the second step. ``device_token`` is None if the device has one already.
    """

    guardian_id: uuid.UUID
    session_id: uuid.UUID
    refresh_token: str
    refresh_expires_in_s: int
    limited: bool = False
    device_token: str | None = None


async def create_guardian(work: UnitOfWork, phone: str, locale: str) -> Guardian:
    """Create the account of a phone number that has just been verified."""
    guardian = Guardian(phone=phone, locale=locale, created_at=work.now)
    work.add(guardian)
    await work.flush()
    return guardian


async def open_session(
    work: UnitOfWork, guardian_id: uuid.UUID, device: PresentedDevice, label: str, *, has_pin: bool
) -> OpenSession:
    """Open a session for a guardian who has just proved the phone number; limited on an unknown device.

    ``label``: the name that the device gives itself, or an empty text. Where no PIN is set, the code or slip of the
    log-in is the proof that a step-up asks for. Raises TextNotAllowedError.
    """
    session = Session(
        guardian_id=guardian_id, device_id=device.device_id, label=check_text("label", label, OPTIONAL_NAME),
        limited=not device.is_known, created_at=work.now, last_used_at=work.now,
        stepped_up_at=work.now if device.is_known and not has_pin else None,
    )  # fmt: skip
    work.add(session)
    await work.flush()
    token = _CHAIN.start(work, session)
    record_audit(work, guardian_actor(guardian_id), "session.opened", subject_id=session.session_id)
    return _opened(session, token, device.new_token)


def _opened(session: Session, token: str, device_token: str | None = None) -> OpenSession:
    return OpenSession(
        session.guardian_id, session.session_id, token, int(rules.REFRESH_LIFETIME.total_seconds()), session.limited,
        device_token,
    )  # fmt: skip


async def refresh(work: UnitOfWork, token: str) -> OpenSession:
    """Continue a session: use a refresh token and return its successor; see ``RefreshChain.refresh``.

    Raises RefreshTokenInvalidError.
    """
    session, successor = await _CHAIN.refresh(work, token)
    return _opened(session, successor)


async def log_out(work: UnitOfWork, session_id: uuid.UUID) -> None:
    """End a session and its open streams; repeating the call changes nothing."""
    session = await work.session.get(Session, session_id, with_for_update=True)
    if session is not None and session.ended_at is None:
        await _end(work, session, "logged_out")


async def _note_use(work: UnitOfWork, session: Session) -> None:
    """Extend the lifetime of a device in use."""
    if session.device_id is not None and not session.limited:
        await work.run(
            update(GuardianDevice)
            .where(col(GuardianDevice.device_id) == session.device_id)
            .values(last_used_at=work.now)
        )


async def end_session_of(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, reason: str) -> bool:
    """End another session of the guardian: close its streams and revoke its device.

    Returns whether the session exists; repeating the call changes nothing.
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
    """End every session of a guardian, including its open streams."""
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
    work.notify(CHANNEL, session.session_id)


async def access_changed(work: UnitOfWork, guardian_id: uuid.UUID) -> None:
    """Notify the guardian's open streams to check their access again at once."""
    work.notify(CHANNEL, guardian_id)


def _may_continue(session: Session, now: datetime) -> bool:
    # The token's own lifetime bounds a session that is not limited.
    return session.ended_at is None and (not session.limited or session_stands(session, now))


def _new_token(session: Session, token_hash: bytes, now: datetime) -> RefreshToken:
    return RefreshToken(
        token_hash=token_hash, session_id=session.session_id, issued_at=now, expires_at=now + rules.REFRESH_LIFETIME
    )


_CHAIN: Final = RefreshChain(
    session_table=Session,
    token_table=RefreshToken,
    session_key="session_id",
    hash_context="refresh-token",
    successor_context="refresh-successor",
    new_token=_new_token,
    owner_of=lambda session: session.guardian_id,
    may_continue=_may_continue,
    end=_end,
    on_rotation=_note_use,
)
