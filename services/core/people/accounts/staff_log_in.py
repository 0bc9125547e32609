"""Staff log-in with address, password and authenticator app; the first log-in sets up the app."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import col, select

from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.errors import StaffLogInRefusedError, StaffSetUpNeededError
from services.core.people.accounts.rules import RECOVERY_CODE_GROUP, RECOVERY_CODES, check_password
from services.core.people.accounts.staff_sessions import OpenStaffSession, end_staff_sessions, open_staff_session
from services.core.people.accounts.tables import Staff, StaffRecoveryCode
from services.core.people.accounts.totp import matching_step, new_totp_secret, otpauth_url
from services.core.platform.audit.actions import record_audit
from services.core.platform.crypto.passwords import hash_password, password_fits
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


@dataclass(frozen=True)
class StaffProof:
    """A staff member's entries and client address. ``code``: six digits of the app, or a recovery code."""

    email: str
    password: str
    address: str
    code: str = ""


async def begin_set_up(work: UnitOfWork, proof: StaffProof) -> str:
    """Create a new authenticator secret and return its otpauth URL; repeating the call creates another secret.

    Raises StaffLogInRefusedError, also if an app is already set up; RetryLaterError.
    """
    staff = await _with_right_password(work, proof)
    if staff.totp_confirmed_at is not None:
        raise StaffLogInRefusedError(staff.staff_id)
    secret = new_totp_secret()
    staff.sealed_totp = work.vault.seal(secret, _context(staff))
    work.add(staff)
    record_audit(work, staff_actor(staff.staff_id), "staff.set_up_begun", subject_id=staff.staff_id)
    return otpauth_url(secret, staff.email)


async def confirm_set_up(work: UnitOfWork, proof: StaffProof, new_password: str) -> tuple[OpenStaffSession, list[str]]:
    """Accept the app's first code: replace the first password, open a session, return ten recovery codes.

    The recovery codes are not stored in readable form. Raises PasswordRefusedError, StaffLogInRefusedError,
    RetryLaterError.
    """
    check_password(new_password, proof.password)
    staff = await _with_right_password(work, proof)
    if staff.totp_confirmed_at is not None or not _takes_totp(work, staff, proof.code):
        raise StaffLogInRefusedError(staff.staff_id)
    staff.totp_confirmed_at = work.now
    staff.password_hash = await hash_password(new_password)
    staff.first_password_ends_at = None
    work.add(staff)
    codes = await _new_recovery_codes(work, staff)
    record_audit(work, staff_actor(staff.staff_id), "staff.set_up", subject_id=staff.staff_id)
    return await open_staff_session(work, staff.staff_id), codes


async def log_in_staff(work: UnitOfWork, proof: StaffProof) -> OpenStaffSession:
    """Open a session for the correct password with a code of the app or a recovery code; each code works once.

    Raises StaffLogInRefusedError for any wrong entry; StaffSetUpNeededError; RetryLaterError.
    """
    staff = await _with_right_password(work, proof)
    if staff.totp_confirmed_at is None:
        raise StaffSetUpNeededError
    if not _takes_totp(work, staff, proof.code) and not await _takes_recovery_code(work, staff, proof.code):
        raise StaffLogInRefusedError(staff.staff_id)
    return await open_staff_session(work, staff.staff_id)


async def change_password(work: UnitOfWork, session_id: uuid.UUID, proof: StaffProof, new_password: str) -> None:
    """Replace the account's own password, given the old one and a code of the app; every other session ends.

    Unlike a reset, it keeps the account's right to approve. Raises PasswordRefusedError, StaffLogInRefusedError,
    RetryLaterError.
    """
    check_password(new_password, proof.password)
    staff = await _with_right_password(work, proof)
    if staff.totp_confirmed_at is None or not _takes_totp(work, staff, proof.code):
        raise StaffLogInRefusedError(staff.staff_id)
    staff.password_hash = await hash_password(new_password)
    work.add(staff)
    await end_staff_sessions(work, staff.staff_id, "password_changed", but=session_id)
    record_audit(work, staff_actor(staff.staff_id), "staff.password_changed", subject_id=staff.staff_id)


async def renew_recovery_codes(work: UnitOfWork, proof: StaffProof) -> list[str]:
    """Replace the account's recovery codes, given its password and a code of the app; return the new ones.

    Raises StaffLogInRefusedError, also for a recovery code; RetryLaterError.
    """
    staff = await _with_right_password(work, proof)
    if staff.totp_confirmed_at is None or not _takes_totp(work, staff, proof.code):
        raise StaffLogInRefusedError(staff.staff_id)
    codes = await _new_recovery_codes(work, staff)
    record_audit(work, staff_actor(staff.staff_id), "staff.recovery_codes_renewed", subject_id=staff.staff_id)
    return codes


async def reset_second_factor(work: UnitOfWork, staff: Staff) -> None:
    """Remove the authenticator app; the next log-in sets up a new one."""
    staff.sealed_totp = staff.totp_confirmed_at = staff.totp_used_step = None
    work.add(staff)
    await work.run(delete(StaffRecoveryCode).where(col(StaffRecoveryCode.staff_id) == staff.staff_id))


async def _with_right_password(work: UnitOfWork, proof: StaffProof) -> Staff:
    """Return the account with its row locked; an unknown address costs the same work and gets the same error."""
    email = proof.email.strip().lower()
    await charge(
        work,
        Charge(Limits.TRIES_OF_ADDRESS, proof.address),
        Charge(Limits.STAFF_TRIES_OF_ACCOUNT_AT_ADDRESS, f"{email}/{proof.address}"),
        Charge(Limits.STAFF_TRIES_OF_ACCOUNT, email),
    )
    password_hash = (await work.session.exec(select(Staff.password_hash).where(Staff.email == email))).first()
    # argon2 is slow: it runs without a database connection and outside the event loop.
    await work.commit_early()
    fits = await password_fits(proof.password, password_hash)
    result = await work.session.exec(
        select(Staff)
        .where(Staff.email == email)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    staff = result.first()
    if staff is None or not fits or staff.password_hash != password_hash or staff.ended_at is not None:
        raise StaffLogInRefusedError(None if staff is None else staff.staff_id)
    if staff.first_password_ends_at is not None and staff.first_password_ends_at <= work.now:
        raise StaffLogInRefusedError(staff.staff_id)
    return staff


async def _new_recovery_codes(work: UnitOfWork, staff: Staff) -> list[str]:
    await work.run(delete(StaffRecoveryCode).where(col(StaffRecoveryCode.staff_id) == staff.staff_id))
    codes = [f"{new_ref(RECOVERY_CODE_GROUP)}-{new_ref(RECOVERY_CODE_GROUP)}" for _ in range(RECOVERY_CODES)]
    work.add(*(StaffRecoveryCode(code_hash=_code_hash(work, staff, code), staff_id=staff.staff_id) for code in codes))
    return codes


def _takes_totp(work: UnitOfWork, staff: Staff, code: str) -> bool:
    if staff.sealed_totp is None:
        return False
    step = matching_step(
        work.vault.unseal(staff.sealed_totp, _context(staff)), code.strip(), work.now, staff.totp_used_step
    )
    if step is None:
        return False
    staff.totp_used_step = step
    work.add(staff)
    return True


async def _takes_recovery_code(work: UnitOfWork, staff: Staff, code: str) -> bool:
    used = await work.run(
        update(StaffRecoveryCode)
        .where(
            col(StaffRecoveryCode.code_hash) == _code_hash(work, staff, code), col(StaffRecoveryCode.used_at).is_(None)
        )
        .values(used_at=work.now)
        .returning(col(StaffRecoveryCode.code_hash))
    )
    if used.first() is None:
        return False
    record_audit(work, staff_actor(staff.staff_id), "staff.recovery_code_used", subject_id=staff.staff_id)
    return True


def _context(staff: Staff) -> str:
    return f"totp/{staff.staff_id}"


def _code_hash(work: UnitOfWork, staff: Staff, code: str) -> bytes:
    # Codes are issued and hashed as two groups with a dash; users enter them with or without it.
    letters = code.strip().lower().replace("-", "").replace(" ", "")
    issued = f"{letters[:RECOVERY_CODE_GROUP]}-{letters[RECOVERY_CODE_GROUP:]}"
    return work.vault.keyed_hash(f"{staff.staff_id}/{issued}", "staff-recovery-code")
