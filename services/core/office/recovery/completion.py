"""Carry out recoveries that two staff members approved and no guardian contested within two days."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from services.core.devices.contacts.guardians import follow_guardian, renumber_contacts
from services.core.office.recovery.actions import end_recovery
from services.core.people.accounts.actions import end_all_sessions
from services.core.people.accounts.devices import revoke_devices
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.accounts.tables import Guardian
from services.core.people.households.queries import membership_in
from services.core.people.households.tables import Enrolment, Recovery
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event


async def carry_out_one_recovery(work: UnitOfWork) -> bool:
    """Carry out one due recovery, including the watches' lists; return whether there was one. Safe to run twice.

    A recovery that no longer applies (the guardian left, the number is in use) fails, and the family is notified.
    """
    result = await work.session.exec(
        select(Recovery)
        .where(Recovery.state == "waiting", col(Recovery.due_at) <= work.now)
        .order_by(col(Recovery.due_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    recovery = result.first()
    if recovery is None:
        return False
    fits = await (_give_number(work, recovery) if recovery.kind == "phone" else _appoint(work, recovery))
    end_recovery(work, recovery, "done" if fits else "failed")
    record_audit(
        work, SYSTEM, f"recovery.{recovery.state}", family_id=recovery.family_id, subject_id=recovery.recovery_id
    )
    await record_event(
        work, recovery.family_id, "recovery.changed", ref_id=recovery.recovery_id,
        detail={"state": recovery.state, "kind": recovery.kind},
    )  # fmt: skip
    return True


async def _give_number(work: UnitOfWork, recovery: Recovery) -> bool:
    """Move the account to the new number; revoke its devices and sessions, so that the old number loses access."""
    guardian = await work.session.get_one(Guardian, recovery.guardian_id, with_for_update={"key_share": True})
    membership = await membership_in(work, recovery.family_id, recovery.guardian_id)
    if membership is None or await guardian_by_phone(work, recovery.new_phone) is not None:
        return False
    await _move_enrolment(work, recovery, guardian.phone)
    old_phone, guardian.phone = guardian.phone, recovery.new_phone
    # The next log-in needs no second step: two staff members have already verified the guardian.
    guardian.awaits_first_log_in = True
    # The holder of the old phone may have blocked new ones.
    guardian.new_phones_blocked_until_at = None
    guardian.phone_confirmed_at = None
    work.add(guardian)
    await work.flush()
    await revoke_devices(work, guardian.guardian_id)
    await end_all_sessions(work, guardian.guardian_id, "moved")
    await renumber_contacts(work, guardian, old_phone)
    return True


async def _appoint(work: UnitOfWork, recovery: Recovery) -> bool:
    """Make the holder of the new number the primary guardian: now, or at the first log-in of an unknown number."""
    old = await membership_in(work, recovery.family_id, recovery.guardian_id, lock=True)
    if old is None or not old.is_primary:
        return False
    lost = await work.session.get_one(Guardian, recovery.guardian_id)
    await _move_enrolment(work, recovery, lost.phone)
    old.is_primary = old.may_manage = False
    work.add(old)
    await work.flush()
    appointed = await guardian_by_phone(work, recovery.new_phone)
    if appointed is None:
        return True
    member = await membership_in(work, recovery.family_id, appointed.guardian_id, lock=True)
    if member is not None:
        member.is_primary = member.may_manage = member.may_message = True
        work.add(member)
        await work.flush()
        await follow_guardian(work, recovery.family_id, appointed.guardian_id)
    return True


async def _move_enrolment(work: UnitOfWork, recovery: Recovery, old_phone: str) -> None:
    await work.run(
        update(Enrolment)
        .where(
            col(Enrolment.family_id) == recovery.family_id,
            col(Enrolment.ended_at).is_(None),
            col(Enrolment.guardian_phone) == old_phone,
        )
        .values(guardian_phone=recovery.new_phone)
    )
