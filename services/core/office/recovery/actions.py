"""Account recovery: two staff members approve on paper evidence, and guardians can object for two days.

completion.py carries out an approved recovery and updates the watches' contact lists.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.office.recovery.paper import Paper, check_paper, recorded_forms
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.phone_numbers import mobile_phone, normal_phone
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.accounts.sms_texts import recovery_text
from services.core.people.households.errors import (
    NotFoundError,
    RecoveryEndedError,
    RecoveryPaperError,
    RecoveryPhoneTakenError,
    RecoveryStandsError,
)
from services.core.people.households.queries import family_at_site, guardians_of
from services.core.people.households.rules import APPROVAL_LIFETIME, RECOVERY_WAIT
from services.core.people.households.tables import Family, Recovery
from services.core.people.programme.tables import Site
from services.core.people.staff_accounts.approvals import check_second_person, noting_refusals
from services.core.platform.audit.actions import Actor, guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms


@dataclass(frozen=True)
class AskedRecovery:
    """The requested recovery, as written on the paper; ``phone`` is the affected guardian's current number."""

    family_code: str
    kind: str
    phone: str
    new_phone: str
    paper: Paper


async def request_recovery(work: UnitOfWork, staff_id: uuid.UUID, site: Site, requested: AskedRecovery) -> Recovery:
    """Request a new number for a guardian (kind ``phone``) or another primary guardian (``primary``).

    Raises NotFoundError, PhoneInvalidError, TextNotAllowedError, RecoveryPaperError, RecoveryDocumentNeededError,
    RecoveryPhoneTakenError, RecoveryStandsError.
    """
    phone, new_phone = normal_phone(requested.phone, site.country), mobile_phone(requested.new_phone, site.country)
    enrolled = await family_at_site(work, site.site_id, requested.family_code)
    if enrolled is None:
        raise NotFoundError
    family, _ = enrolled
    concerned = [
        guardian.guardian_id
        for member, guardian in await guardians_of(work, family.family_id)
        if guardian.phone == phone and (member.is_primary or requested.kind == "phone")
    ]
    with noting_refusals(work, staff_id, "recovery.asked", family_id=family.family_id):
        if not concerned or phone == new_phone:
            raise RecoveryPaperError
        document, number = check_paper(await recorded_forms(work, family.family_id, concerned[0]), requested.paper)
    if requested.kind == "phone" and await guardian_by_phone(work, new_phone) is not None:
        raise RecoveryPhoneTakenError
    await _let_go_of_stale(work, family.family_id)
    recovery = Recovery(
        family_id=family.family_id, site_id=site.site_id, kind=requested.kind, guardian_id=concerned[0],
        new_phone=new_phone, document=document, number_hash=_hash(work, number), asked_by=staff_id, asked_at=work.now,
    )  # fmt: skip
    work.add(recovery)
    record_audit(
        work, staff_actor(staff_id), "recovery.asked", family_id=family.family_id, subject_id=recovery.recovery_id
    )
    return recovery


async def _let_go_of_stale(work: UnitOfWork, family_id: uuid.UUID) -> None:
    standing = await work.session.exec(
        select(Recovery)
        .where(Recovery.family_id == family_id, col(Recovery.state).in_(("asked", "waiting")))
        .with_for_update(key_share=True)
    )
    for recovery in standing:
        if recovery.state == "waiting" or recovery.asked_at > work.now - APPROVAL_LIFETIME:
            raise RecoveryStandsError
        end_recovery(work, recovery, "withdrawn")
    await work.flush()


async def approve_recovery(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, recovery_id: uuid.UUID, paper: Paper
) -> Recovery:
    """Approve as the second person who has seen the paper; every guardian is notified, and it takes effect in 48 hours.

    Raises NotFoundError, RecoveryEndedError, SecondPersonNeededError, ApproverTooNewError, TextNotAllowedError,
    RecoveryPaperError, RecoveryDocumentNeededError.
    """
    recovery = await _of_site(work, site, recovery_id)
    if recovery.state != "asked" or recovery.asked_at <= work.now - APPROVAL_LIFETIME:
        raise RecoveryEndedError
    with noting_refusals(work, staff_id, "recovery.approved", family_id=recovery.family_id, subject_id=recovery_id):
        await check_second_person(work, staff_id, {recovery.asked_by})
        document, number = check_paper(await recorded_forms(work, recovery.family_id, recovery.guardian_id), paper)
        if (document, _hash(work, number)) != (recovery.document, recovery.number_hash):
            raise RecoveryPaperError
    recovery.state = "waiting"
    recovery.approved_by = staff_id
    recovery.due_at = work.now + RECOVERY_WAIT
    work.add(recovery)
    for _, guardian in await guardians_of(work, recovery.family_id):
        await send_sms(work, guardian.phone, recovery_text(guardian.locale, work.host))
    await _note(work, staff_actor(staff_id), recovery, "approved")
    return recovery


async def withdraw_recovery(work: UnitOfWork, staff_id: uuid.UUID, site: Site, recovery_id: uuid.UUID) -> Recovery:
    """Withdraw a recovery. Raises NotFoundError, RecoveryEndedError."""
    recovery = await _of_site(work, site, recovery_id)
    await _stop(work, staff_actor(staff_id), recovery, "withdrawn")
    return recovery


async def contest_recovery(
    work: UnitOfWork, guardian_id: uuid.UUID, family_id: uuid.UUID, recovery_id: uuid.UUID
) -> Recovery:
    """Stop a recovery through a guardian's objection. Raises NotFoundError, RecoveryEndedError."""
    recovery = await _locked(work, recovery_id)
    if recovery is None or recovery.family_id != family_id:
        raise NotFoundError
    await _stop(work, guardian_actor(guardian_id), recovery, "contested")
    return recovery


async def recoveries_of_site(work: UnitOfWork, site_id: uuid.UUID) -> Sequence[tuple[Recovery, str]]:
    """Return the newest recoveries of a site with the family codes."""
    result = await work.session.exec(
        select(Recovery, Family.family_code)
        .join(Family, col(Family.family_id) == col(Recovery.family_id))
        .where(Recovery.site_id == site_id)
        .order_by(col(Recovery.asked_at).desc(), col(Recovery.recovery_id))
        .limit(100)
    )
    return result.all()


async def recoveries_of_family(work: UnitOfWork, family_id: uuid.UUID) -> Sequence[Recovery]:
    """Return a family's recoveries, newest first, without those that still lack the second approval."""
    result = await work.session.exec(
        select(Recovery)
        .where(Recovery.family_id == family_id, col(Recovery.approved_by).is_not(None))
        .order_by(col(Recovery.asked_at).desc(), col(Recovery.recovery_id))
    )
    return result.all()


def end_recovery(work: UnitOfWork, recovery: Recovery, state: str) -> None:
    """Set a recovery's final state and delete the phone numbers stored with it."""
    recovery.new_phone = ""
    recovery.number_hash = b""
    recovery.state = state
    recovery.ended_at = work.now
    work.add(recovery)


async def _stop(work: UnitOfWork, actor: Actor, recovery: Recovery, state: str) -> None:
    if recovery.state not in {"asked", "waiting"}:
        raise RecoveryEndedError
    was_told = recovery.state == "waiting"
    end_recovery(work, recovery, state)
    await _note(work, actor, recovery, state, tell=was_told)


async def _note(work: UnitOfWork, actor: Actor, recovery: Recovery, what: str, *, tell: bool = True) -> None:
    record_audit(work, actor, f"recovery.{what}", family_id=recovery.family_id, subject_id=recovery.recovery_id)
    if tell:
        await record_event(
            work, recovery.family_id, "recovery.changed", ref_id=recovery.recovery_id,
            detail={"state": recovery.state, "kind": recovery.kind},
        )  # fmt: skip


def _hash(work: UnitOfWork, number: str) -> bytes:
    return work.vault.keyed_hash(number, "recovery-paper")


async def _of_site(work: UnitOfWork, site: Site, recovery_id: uuid.UUID) -> Recovery:
    recovery = await _locked(work, recovery_id)
    if recovery is None or recovery.site_id != site.site_id:
        raise NotFoundError
    return recovery


async def _locked(work: UnitOfWork, recovery_id: uuid.UUID) -> Recovery | None:
    return await work.session.get(Recovery, recovery_id, with_for_update={"key_share": True}, populate_existing=True)
