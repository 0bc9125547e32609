"""Known devices of a guardian, and the second step that makes a new device known."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import col, select

from services.core.people.accounts.errors import SecondStepWrongError
from services.core.people.accounts.rules import check_pin, device_is_known
from services.core.people.accounts.tables import Guardian, GuardianDevice, Session
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


@dataclass(frozen=True)
class PresentedDevice:
    """The device of a log-in; ``new_token`` is set for a new device and is returned only here."""

    device_id: uuid.UUID
    is_known: bool
    new_token: str | None


async def find_device(work: UnitOfWork, token: str | None) -> GuardianDevice | None:
    """Return the device with this token, of any guardian."""
    if token is None:
        return None
    return (
        await work.session.exec(select(GuardianDevice).where(GuardianDevice.token_hash == _token_hash(work, token)))
    ).first()


async def present_device(
    work: UnitOfWork, guardian_id: uuid.UUID, token: str | None, *, trust: bool
) -> PresentedDevice:
    """Record a log-in with this device; a device of another guardian or without a token is registered as new.

    ``trust``: the device needs no second step.
    """
    device = await find_device(work, token)
    new_token = None
    if device is None or device.guardian_id != guardian_id:
        new_token = new_secret()
        device = GuardianDevice(
            guardian_id=guardian_id, token_hash=_token_hash(work, new_token), created_at=work.now,
            last_used_at=work.now,
        )  # fmt: skip
    is_known = trust or device_is_known(device.trusted_at, device.last_used_at, work.now)
    device.trusted_at = (device.trusted_at or work.now) if is_known else None
    device.last_used_at = work.now
    work.add(device)
    await work.flush()
    return PresentedDevice(device.device_id, is_known, new_token)


async def revoke_devices(work: UnitOfWork, guardian_id: uuid.UUID) -> None:
    """Revoke all devices of the guardian."""
    await work.run(update(GuardianDevice).where(col(GuardianDevice.guardian_id) == guardian_id).values(trusted_at=None))


async def set_pin(work: UnitOfWork, guardian_id: uuid.UUID, pin: str) -> None:
    """Set or change the guardian's PIN; raises PinRefusedError."""
    pin_hash = _pin_hash(work, guardian_id, check_pin(pin))
    await work.run(update(Guardian).where(col(Guardian.guardian_id) == guardian_id).values(pin_hash=pin_hash))
    record_audit(work, guardian_actor(guardian_id), "pin.set", subject_id=guardian_id)


async def prove_by_pin(work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID, pin: str) -> None:
    """Complete a limited session with the PIN; raises SecondStepWrongError, RetryLaterError after five attempts."""
    await charge(work, Charge(Limits.SECOND_STEPS_OF_GUARDIAN, str(guardian.guardian_id)))
    if not pin_is_right(work, guardian, pin):
        raise refuse_second_step(work, guardian.guardian_id)
    await complete_second_step(work, session_id, "pin")


def pin_is_right(work: UnitOfWork, guardian: Guardian, pin: str) -> bool:
    """Return whether the PIN is the guardian's; without a PIN set, no PIN is. The caller has charged the attempt."""
    return hmac.compare_digest(_pin_hash(work, guardian.guardian_id, pin), guardian.pin_hash or b"")


def refuse_second_step(work: UnitOfWork, guardian_id: uuid.UUID) -> SecondStepWrongError:
    """Return the error for a refused second step and record the refusal in the audit log."""
    record_audit(work, guardian_actor(guardian_id), "second_step", refused=SecondStepWrongError.code)
    work.keep_refusal()
    return SecondStepWrongError()


async def complete_second_step(work: UnitOfWork, session_id: uuid.UUID, how: str) -> None:
    """Lift a session's limit and trust its device; ``how``: pin, watch, guardian. A second call changes nothing."""
    session = await work.session.get(Session, session_id, with_for_update={"key_share": True}, populate_existing=True)
    if session is None or session.ended_at is not None or not session.limited:
        return
    session.limited = False
    session.stepped_up_at = work.now
    work.add(session)
    if session.device_id is not None:
        device = await work.session.get_one(GuardianDevice, session.device_id)
        device.trusted_at = device.last_used_at = work.now
        work.add(device)
    record_audit(work, guardian_actor(session.guardian_id), f"second_step.{how}", subject_id=session_id)


def _pin_hash(work: UnitOfWork, guardian_id: uuid.UUID, pin: str) -> bytes:
    # Keyed with the master key instead of stretched: a million PINs can be tried in a day at any stretching cost.
    return work.vault.keyed_hash(f"{guardian_id}/{pin}", "pin")


def _token_hash(work: UnitOfWork, token: str) -> bytes:
    return work.vault.keyed_hash(token, "device-token")
