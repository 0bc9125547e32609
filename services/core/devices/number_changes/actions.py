"""Ask for another number, object to it within 24 hours, and carry it out: sessions and known phones stay.

Until then the account keeps its old number, from which anybody who receives its texts can object: logging in is enough,
also before the second step. Without a PIN the office changes the number (core/office/recovery).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlmodel import col, select

from services.core.devices.contacts.guardians import renumber_contacts
from services.core.devices.number_changes.errors import (
    NumberChangeEndedError,
    NumberChangeWaitingError,
    NumberNeedsOfficeError,
    NumberTakenError,
)
from services.core.devices.number_changes.sms_texts import guardians_text, old_number_text
from services.core.devices.number_changes.tables import NumberChange
from services.core.people.accounts.actions import end_session_of
from services.core.people.accounts.codes import CodePurpose, EnteredCode, SentCode, lock_phone, request_code, use_code
from services.core.people.accounts.phone_numbers import calling_code, mobile_phone, region_of_phone
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.accounts.rules import number_range
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.households.queries import families_of, guardians_of
from services.core.people.households.tables import Enrolment, Membership
from services.core.people.households.told_steps import Step, tell_guardians
from services.core.platform.audit.actions import SYSTEM, Actor, guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.outbox.actions import send_sms

OBJECTION_TIME: Final = timedelta(hours=24)
# An ended change holds no number any more; the family's log keeps what happened.
_ENDED_KEPT: Final = timedelta(days=90)
_BATCH_ROWS: Final = 500


async def request_number_code(
    work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID, phone: str, country: str | None
) -> SentCode:
    """Send a one-time code to the new number, whoever has it now.

    Raises NumberNeedsOfficeError, PhoneInvalidError, NumberTakenError for the own number, LoginCodeTooOftenError,
    RetryLaterError.
    """
    if guardian.pin_hash is None:
        raise NumberNeedsOfficeError
    number = _number(guardian, phone, country)
    if number == guardian.phone:
        raise NumberTakenError
    await charge(
        work,
        Charge(Limits.CODES_OF_DEVICE, str(session_id)),
        Charge(Limits.CODES_OF_PHONE, number),
        Charge(Limits.CODES_OF_PREFIX, number_range(number)),
        Charge(Limits.SMS_OF_COUNTRY_KNOWN, calling_code(number)),
    )
    return await request_code(
        work, number, guardian.locale, asker=f"number/{session_id}", expected=True, purpose=CodePurpose.NEW_NUMBER
    )


async def ask_for_number(
    work: UnitOfWork, guardian: Guardian, session_id: uuid.UUID, entered: EnteredCode, country: str | None
) -> NumberChange:
    """Ask for the number whose code was entered; the old number and every guardian get a text.

    Raises NumberNeedsOfficeError, PhoneInvalidError, LoginCodeWrongError, LoginCodeEndedError, NumberTakenError,
    NumberChangeWaitingError, RetryLaterError after three a month.
    """
    if guardian.pin_hash is None:
        raise NumberNeedsOfficeError
    number = _number(guardian, entered.phone, country)
    await lock_phone(work, number)
    await use_code(
        work, EnteredCode(entered.challenge_id, entered.challenge_secret, number, entered.code),
        CodePurpose.NEW_NUMBER,
    )  # fmt: skip
    current = await _locked_guardian(work, guardian.guardian_id)
    # Only whoever receives the number's texts learns that it has an account.
    if await guardian_by_phone(work, number) is not None:
        raise NumberTakenError
    if await waiting_change(work, current.guardian_id) is not None:
        raise NumberChangeWaitingError
    await charge(work, Charge(Limits.NUMBER_CHANGES_OF_GUARDIAN, str(current.guardian_id)))
    change = NumberChange(
        guardian_id=current.guardian_id, session_id=session_id, old_phone=current.phone, new_phone=number,
        asked_at=work.now, due_at=work.now + OBJECTION_TIME,
    )  # fmt: skip
    work.add(change)
    await work.flush()
    await send_sms(work, current.phone, old_number_text(current.locale, work.host))
    for other in await _others(work, current.guardian_id):
        await send_sms(work, other.phone, guardians_text(other.locale, work.host))
    await _note(work, guardian_actor(current.guardian_id), change, "asked")
    for family_id in await _family_ids(work, current.guardian_id):
        await tell_guardians(work, family_id, current.guardian_id, Step.NUMBER)
    return change


async def stop_number_change(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID) -> NumberChange:
    """Stop the guardian's waiting change: contested from another session than the one that asked, else withdrawn.

    An objection ends the session that asked, and its phone is known no more. Raises NumberChangeEndedError.
    """
    change = await waiting_change(work, guardian_id, lock=True)
    if change is None:
        raise NumberChangeEndedError
    is_contested = change.session_id != session_id
    if is_contested and change.session_id is not None:
        await end_session_of(work, guardian_id, change.session_id, "contested")
    _end(work, change, "contested" if is_contested else "withdrawn")
    await _note(work, guardian_actor(guardian_id), change, change.state)
    return change


async def waiting_change(work: UnitOfWork, guardian_id: uuid.UUID, *, lock: bool = False) -> NumberChange | None:
    """Return the guardian's change that waits for its 24 hours to pass, or None."""
    statement = select(NumberChange).where(NumberChange.guardian_id == guardian_id, NumberChange.state == "waiting")
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await work.session.exec(statement)).first()


async def changes_of_family(work: UnitOfWork, family_id: uuid.UUID) -> list[NumberChange]:
    """Return the changes of the family's guardians that wait, oldest first."""
    result = await work.session.exec(
        select(NumberChange)
        .join(Membership, col(Membership.guardian_id) == col(NumberChange.guardian_id))
        .where(Membership.family_id == family_id, col(Membership.removed_at).is_(None), NumberChange.state == "waiting")
        .order_by(col(NumberChange.asked_at), col(NumberChange.change_id))
    )
    return list(result)


async def carry_out_one_number_change(work: UnitOfWork) -> bool:
    """Give one guardian the new number after 24 hours; return whether there was one. Safe to run twice.

    A change that no longer applies (the number has an account, the office moved the account) fails.
    """
    result = await work.session.exec(
        select(NumberChange)
        .where(NumberChange.state == "waiting", col(NumberChange.due_at) <= work.now)
        .order_by(col(NumberChange.due_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    change = result.first()
    if change is None:
        return False
    done = await _give_number(work, change)
    _end(work, change, "done" if done else "failed")
    await _note(work, SYSTEM, change, change.state)
    return True


async def purge_ended_number_changes(work: UnitOfWork) -> bool:
    """Delete a batch of changes that ended 90 days ago; return whether there were any. Safe to run twice."""
    old = (
        select(NumberChange.change_id)
        .where(col(NumberChange.ended_at) <= work.now - _ENDED_KEPT)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    gone = await work.run(
        delete(NumberChange).where(col(NumberChange.change_id).in_(old)).returning(col(NumberChange.change_id))
    )
    return bool(gone.all())


async def _give_number(work: UnitOfWork, change: NumberChange) -> bool:
    await lock_phone(work, change.new_phone)
    guardian = await _locked_guardian(work, change.guardian_id)
    if guardian.phone != change.old_phone or await guardian_by_phone(work, change.new_phone) is not None:
        return False
    await work.run(
        update(Enrolment)
        .where(
            col(Enrolment.family_id).in_(await _family_ids(work, guardian.guardian_id)),
            col(Enrolment.ended_at).is_(None),
            col(Enrolment.guardian_phone) == change.old_phone,
        )
        .values(guardian_phone=change.new_phone)
    )
    guardian.phone = change.new_phone
    # A code sent to it was entered when the change was asked for.
    guardian.phone_confirmed_at = change.asked_at
    work.add(guardian)
    await work.flush()
    # A log-in that waits for its second step was opened by the old number's texts.
    waiting = await work.session.exec(
        select(Session.session_id)
        .where(Session.guardian_id == guardian.guardian_id, col(Session.limited), col(Session.ended_at).is_(None))
        .order_by(col(Session.session_id))
    )
    for session_id in waiting.all():
        await end_session_of(work, guardian.guardian_id, session_id, "moved")
    await renumber_contacts(work, guardian, change.old_phone)
    return True


def _number(guardian: Guardian, phone: str, country: str | None) -> str:
    return mobile_phone(phone, country or region_of_phone(guardian.phone))


async def _locked_guardian(work: UnitOfWork, guardian_id: uuid.UUID) -> Guardian:
    return await work.session.get_one(
        Guardian, guardian_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _end(work: UnitOfWork, change: NumberChange, state: str) -> None:
    change.state = state
    change.old_phone = change.new_phone = ""
    change.ended_at = work.now
    work.add(change)


async def _family_ids(work: UnitOfWork, guardian_id: uuid.UUID) -> list[uuid.UUID]:
    # In one order: each event locks its family's row.
    return sorted(family.family_id for _, family in await families_of(work, guardian_id))


async def _others(work: UnitOfWork, guardian_id: uuid.UUID) -> list[Guardian]:
    """Return the other guardians of the guardian's families, each once."""
    others: dict[uuid.UUID, Guardian] = {}
    for family_id in await _family_ids(work, guardian_id):
        for _, guardian in await guardians_of(work, family_id):
            if guardian.guardian_id != guardian_id:
                others[guardian.guardian_id] = guardian
    return list(others.values())


async def _note(work: UnitOfWork, actor: Actor, change: NumberChange, what: str) -> None:
    for family_id in await _family_ids(work, change.guardian_id):
        record_audit(work, actor, f"number_change.{what}", family_id=family_id, subject_id=change.guardian_id)
        await record_event(
            work, family_id, "number_change.changed", ref_id=change.change_id,
            detail={"state": change.state, "guardian_id": str(change.guardian_id)},
        )  # fmt: skip
