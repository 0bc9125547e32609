"""Step-up: the proof, minutes ago, that the guardian and not only the guardian's unlocked phone asks.

Steps that cannot be undone ask for it. The proof is the PIN; where none is set, a fresh code to the guardian's number.
A log-in with a code counts as one where no PIN is set, and a completed second step always.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from services.core.people.accounts.codes import CodePurpose, EnteredCode, SentCode, request_code, use_code
from services.core.people.accounts.devices import pin_is_right
from services.core.people.accounts.errors import PinWrongError, StepUpRequiredError
from services.core.people.accounts.phone_numbers import calling_code
from services.core.people.accounts.rules import is_stepped_up
from services.core.people.accounts.tables import Guardian, Session
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


def check_step_up(guardian: Guardian, stepped_up_at: datetime | None, now: datetime) -> None:
    """Return when a session gave its proof within 5 minutes; raises StepUpRequiredError."""
    if not is_stepped_up(stepped_up_at, now):
        raise StepUpRequiredError(_how(guardian))


async def step_up_by_pin(work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID, pin: str) -> None:
    """Prove by the PIN. Raises StepUpRequiredError where none is set, PinWrongError, RetryLaterError."""
    if guardian.pin_hash is None:
        raise StepUpRequiredError(_how(guardian))
    await charge(work, Charge(Limits.STEP_UPS_OF_GUARDIAN, str(guardian.guardian_id)))
    if not pin_is_right(work, guardian, pin):
        record_audit(work, guardian_actor(guardian.guardian_id), "step_up", refused=PinWrongError.code)
        work.keep_refusal()
        raise PinWrongError
    await _step_up(work, guardian.guardian_id, session_id)


async def request_step_up_code(work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID) -> SentCode:
    """Send a fresh code to the guardian's number.

    Raises StepUpRequiredError where a PIN is set, LoginCodeTooOftenError, RetryLaterError.
    """
    if guardian.pin_hash is not None:
        raise StepUpRequiredError(_how(guardian))
    await charge(
        work,
        Charge(Limits.CODES_OF_DEVICE, str(session_id)),
        Charge(Limits.SMS_OF_COUNTRY_KNOWN, calling_code(guardian.phone)),
    )
    return await request_code(
        work, guardian.phone, guardian.locale, asker=f"step-up/{session_id}", expected=True,
        purpose=CodePurpose.STEP_UP,
    )  # fmt: skip


async def step_up_by_code(work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID, entered: EnteredCode) -> None:
    """Prove by a fresh code.

    Raises StepUpRequiredError where a PIN is set, LoginCodeWrongError, LoginCodeEndedError.
    """
    if guardian.pin_hash is not None:
        raise StepUpRequiredError(_how(guardian))
    await use_code(work, entered, CodePurpose.STEP_UP)
    await _step_up(work, guardian.guardian_id, session_id)


async def _step_up(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID) -> None:
    session = await work.session.get_one(
        Session, session_id, with_for_update={"key_share": True}, populate_existing=True
    )
    session.stepped_up_at = work.now
    work.add(session)
    record_audit(work, guardian_actor(guardian_id), "step_up", subject_id=session_id)


def _how(guardian: Guardian) -> str:
    return "code" if guardian.pin_hash is None else "pin"
