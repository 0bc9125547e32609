"""Codes, sessions and profiles of guardians.

Who may log in at all is decided above, in families: an account alone knows no family.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text, update
from sqlmodel import col, select

from services.core.accounts import rules
from services.core.accounts.errors import (
    LoginCodeEndedError,
    LoginCodeTooOftenError,
    LoginCodeWrongError,
    RefreshTokenInvalidError,
)
from services.core.accounts.rules import Challenge, PresentedToken, RefreshVerdict
from services.core.accounts.sms_texts import login_code_text
from services.core.accounts.tables import Guardian, LoginChallenge, RefreshToken, Session
from services.core.audit.actions import guardian_actor, record_audit
from services.core.crypto.random_ids import new_digits, new_secret
from services.core.db.columns import new_id
from services.core.db.database import UnitOfWork
from services.core.outbox.actions import send_sms

# Told whose access changed: the id of a session or of a guardian.
CHANNEL = "access"


@dataclass(frozen=True)
class SentCode:
    """What is told of a code: the same for a phone we know and one that we do not."""

    challenge_id: uuid.UUID
    expires_in_s: int
    resend_after_s: int


@dataclass(frozen=True)
class OpenSession:
    """A session and the token that continues it; the token is not stored and told once."""

    guardian_id: uuid.UUID
    session_id: uuid.UUID
    refresh_token: str
    refresh_expires_in_s: int


async def request_code(work: UnitOfWork, phone: str, locale: str, *, expected: bool) -> SentCode:
    """Make a one-time code for ``phone`` (E.164) and send it by SMS if the phone is ``expected``.

    An unexpected phone gets the same answer and the same row, whose code nobody knows. Older codes of the phone are
    void. Raises LoginCodeTooOftenError, for every phone alike.
    """
    await lock_phone(work, phone)
    longest = max(span for span, _ in rules.CODES_PER_SPAN)
    sent = await work.session.exec(
        select(LoginChallenge.created_at).where(
            LoginChallenge.phone == phone, col(LoginChallenge.created_at) > work.now - longest
        )
    )
    wait = rules.wait_before_next_code(list(sent), work.now)
    if wait > timedelta(0):
        raise LoginCodeTooOftenError(int(wait.total_seconds()) + 1)
    await work.run(
        update(LoginChallenge)
        .where(col(LoginChallenge.phone) == phone, col(LoginChallenge.ended_at).is_(None))
        .values(ended_at=work.now)
    )
    code = new_digits(rules.CODE_DIGITS)
    challenge_id = new_id()
    work.add(
        LoginChallenge(
            challenge_id=challenge_id,
            phone=phone,
            code_hash=_code_hash(work, challenge_id, code) if expected else secrets.token_bytes(32),
            created_at=work.now,
            expires_at=work.now + rules.CODE_LIFETIME,
        )
    )
    if expected:
        await send_sms(work, phone, locale, login_code_text(locale, code))
    return SentCode(challenge_id, int(rules.CODE_LIFETIME.total_seconds()), int(rules.RESEND_WAIT.total_seconds()))


async def lock_phone(work: UnitOfWork, phone: str) -> None:
    """Let requests about one phone pass one at a time: two at once would pass a limit together."""
    await work.run(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"login/{phone}"})


async def use_code(work: UnitOfWork, challenge_id: uuid.UUID, phone: str, code: str) -> None:
    """Take the right code of a challenge that was made for this phone, once.

    Raises LoginCodeWrongError (the try is counted) or LoginCodeEndedError.
    """
    found = await work.session.exec(
        select(LoginChallenge).where(LoginChallenge.challenge_id == challenge_id).with_for_update(key_share=True)
    )
    challenge = found.first()
    if challenge is None or challenge.phone != phone:
        raise LoginCodeEndedError
    if not rules.code_counts(
        Challenge(challenge.expires_at, challenge.ended_at is not None, challenge.tries), work.now
    ):
        raise LoginCodeEndedError
    challenge.tries += 1
    work.add(challenge)
    if not hmac.compare_digest(_code_hash(work, challenge_id, code), challenge.code_hash):
        work.keep_refusal()
        raise LoginCodeWrongError(rules.CODE_TRIES - challenge.tries)
    challenge.ended_at = work.now


def _code_hash(work: UnitOfWork, challenge_id: uuid.UUID, code: str) -> bytes:
    # With the challenge's id: two equal codes have different hashes.
    return work.vault.keyed_hash(f"{challenge_id}/{code}", "login-code")


async def make_guardian(work: UnitOfWork, phone: str, locale: str) -> Guardian:
    """Make the account of a phone that has just proved itself."""
    guardian = Guardian(phone=phone, locale=locale, created_at=work.now)
    work.add(guardian)
    await work.flush()
    return guardian


async def open_session(work: UnitOfWork, guardian_id: uuid.UUID) -> OpenSession:
    """Begin a session of a guardian who has just proved the phone."""
    session = Session(guardian_id=guardian_id, created_at=work.now, last_used_at=work.now)
    work.add(session)
    await work.flush()
    token = new_secret()
    _add_token(work, session.session_id, token)
    record_audit(work, guardian_actor(guardian_id), "session.opened", subject_id=session.session_id)
    return _opened(session, token)


def _opened(session: Session, token: str) -> OpenSession:
    return OpenSession(session.guardian_id, session.session_id, token, int(rules.REFRESH_LIFETIME.total_seconds()))


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
    found = await work.session.exec(
        select(RefreshToken, Session)
        .join(Session, col(Session.session_id) == col(RefreshToken.session_id))
        .where(RefreshToken.token_hash == _token_hash(work, token))
        # The session's row lock: two uses of one chain are judged one after the other.
        .with_for_update(of=[RefreshToken, Session])
    )
    row = found.first()
    if row is None:
        raise RefreshTokenInvalidError
    held, session = row
    if session.ended_at is not None:
        raise RefreshTokenInvalidError
    successor = _successor(work, token)
    next_held = await work.session.get(RefreshToken, _token_hash(work, successor))
    verdict = rules.judge_refresh(
        PresentedToken(held.expires_at, held.used_at, next_held is not None and next_held.used_at is not None),
        work.now,
    )
    if verdict is RefreshVerdict.REUSED:
        await _end(work, session, "token_reused")
        work.keep_refusal()
        raise RefreshTokenInvalidError
    if verdict is RefreshVerdict.EXPIRED:
        raise RefreshTokenInvalidError
    if verdict is RefreshVerdict.ROTATE:
        held.used_at = work.now
        session.last_used_at = work.now
        work.add(held, session)
        _add_token(work, session.session_id, successor)
    return _opened(session, successor)


async def log_out(work: UnitOfWork, session_id: uuid.UUID) -> None:
    """End a session and its open streams; a repeat does nothing."""
    session = await work.session.get(Session, session_id, with_for_update=True)
    if session is not None and session.ended_at is None:
        await _end(work, session, "logged_out")


async def _end(work: UnitOfWork, session: Session, reason: str) -> None:
    session.ended_at = work.now
    session.end_reason = reason
    work.add(session)
    record_audit(work, guardian_actor(session.guardian_id), f"session.{reason}", subject_id=session.session_id)
    await work.notify(CHANNEL, session.session_id)


async def access_changed(work: UnitOfWork, guardian_id: uuid.UUID) -> None:
    """Have the guardian's open streams look at once what they may still be told."""
    await work.notify(CHANNEL, guardian_id)
