"""One-time codes: sent to a phone, bound to the requesting device, valid for a few attempts."""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import text, update
from sqlmodel import col, func, select

from services.core.people.accounts import rules
from services.core.people.accounts.errors import LoginCodeEndedError, LoginCodeTooOftenError, LoginCodeWrongError
from services.core.people.accounts.phone_numbers import region_of_phone
from services.core.people.accounts.rules import Challenge
from services.core.people.accounts.sms_texts import login_code_text
from services.core.people.accounts.tables import LoginChallenge
from services.core.platform.audit.actions import STRANGER, record_audit
from services.core.platform.crypto.random_ids import new_digits, new_secret
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import whole_seconds
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency


class CodePurpose(StrEnum):
    """Purpose of a one-time code; a code of one purpose is rejected for another."""

    LOG_IN = "login-code"
    STEP_UP = "step-up-code"
    NEW_NUMBER = "new-number-code"


@dataclass(frozen=True)
class SentCode:
    """The response to a code request, identical for known and unknown phones; the secret is returned only here."""

    challenge_id: uuid.UUID
    challenge_secret: str
    expires_in_s: int
    resend_after_s: int


@dataclass(frozen=True)
class EnteredCode:
    """A code as entered, and the secret that the requesting device received."""

    challenge_id: uuid.UUID
    challenge_secret: str
    phone: str
    code: str


async def request_code(
    work: UnitOfWork,
    phone: str,
    locale: str,
    *,
    asker: str,
    expected: bool,
    purpose: CodePurpose = CodePurpose.LOG_IN,
) -> SentCode:
    """Create a one-time code for ``phone`` (E.164) and send it by SMS if the phone is ``expected``.

    An unexpected phone gets the same response at the same cost: a row with an unknown code, and a message that the
    worker discards. The call voids earlier codes that the same ``asker`` (device or address) requested for the phone,
    but not those of other askers, so that a stranger cannot void the owner's code. Raises LoginCodeTooOftenError.
    """
    await lock_phone(work, phone)
    asked_by = work.vault.keyed_hash(f"{phone}/{asker}", "code-asked-by")
    of_asker = (col(LoginChallenge.phone) == phone) & (col(LoginChallenge.asked_by) == asked_by)
    last = await work.session.exec(select(func.max(LoginChallenge.created_at)).where(of_asker))
    wait = rules.wait_before_next_code(last.one(), work.now)
    if wait > timedelta(0):
        raise LoginCodeTooOftenError(whole_seconds(wait))
    await work.run(
        update(LoginChallenge).where(of_asker, col(LoginChallenge.ended_at).is_(None)).values(ended_at=work.now)
    )
    code, secret, challenge_id = new_digits(rules.CODE_DIGITS), new_secret(), new_id()
    code_hash = _code_hash(work, challenge_id, code, purpose)
    work.add(
        LoginChallenge(
            challenge_id=challenge_id,
            phone=phone,
            code_hash=code_hash if expected else secrets.token_bytes(len(code_hash)),
            secret_hash=_secret_hash(work, secret),
            asked_by=asked_by,
            created_at=work.now,
            expires_at=work.now + rules.CODE_LIFETIME,
        )
    )
    content = login_code_text(locale, code)
    await send_sms(work, phone, content, urgency=Urgency.LOG_IN_CODE, decoy=not expected)
    return SentCode(
        challenge_id, secret, int(rules.CODE_LIFETIME.total_seconds()), int(rules.RESEND_WAIT.total_seconds())
    )


async def country_of_code(work: UnitOfWork, challenge_id: uuid.UUID) -> str | None:
    """Return the country (ISO 3166-1) of the phone number of a code request, or None."""
    phone = (
        await work.session.exec(select(LoginChallenge.phone).where(LoginChallenge.challenge_id == challenge_id))
    ).first()
    return None if phone is None else region_of_phone(phone)


async def lock_phone(work: UnitOfWork, phone: str) -> None:
    """Serialise code requests for one phone: two concurrent ones could otherwise both pass a limit."""
    await work.run(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"login/{phone}"})


async def use_code(work: UnitOfWork, entered: EnteredCode, purpose: CodePurpose = CodePurpose.LOG_IN) -> None:
    """Consume the correct code of a challenge for this phone and this device; a code works once.

    Raises LoginCodeWrongError (the attempt is counted) or LoginCodeEndedError.
    """
    result = await work.session.exec(
        select(LoginChallenge)
        .where(LoginChallenge.challenge_id == entered.challenge_id)
        .with_for_update(key_share=True)
    )
    challenge = result.first()
    if (
        challenge is None
        or challenge.phone != entered.phone
        or not hmac.compare_digest(_secret_hash(work, entered.challenge_secret), challenge.secret_hash)
    ):
        raise LoginCodeEndedError
    if not rules.code_counts(
        Challenge(challenge.expires_at, challenge.ended_at is not None, challenge.tries), work.now
    ):
        raise LoginCodeEndedError
    challenge.tries += 1
    work.add(challenge)
    if not hmac.compare_digest(_code_hash(work, entered.challenge_id, entered.code, purpose), challenge.code_hash):
        # Bounded: five attempts for each code, and code requests are limited, so strangers cannot flood the audit log.
        record_audit(work, STRANGER, "log_in.code", subject_id=challenge.challenge_id, refused=LoginCodeWrongError.code)
        work.keep_refusal()
        raise LoginCodeWrongError(rules.CODE_TRIES - challenge.tries)
    challenge.ended_at = work.now


def _code_hash(work: UnitOfWork, challenge_id: uuid.UUID, code: str, purpose: CodePurpose) -> bytes:
    # The challenge id is part of the input: equal codes have different hashes.
    return work.vault.keyed_hash(f"{challenge_id}/{code}", purpose)


def _secret_hash(work: UnitOfWork, secret: str) -> bytes:
    return work.vault.keyed_hash(secret, "challenge-secret")
