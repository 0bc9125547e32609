"""Database changes to children, rights and memberships; devices.contacts updates the watches afterwards."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import update
from sqlmodel import col

from services.core.people.accounts.actions import access_changed
from services.core.people.accounts.sms_texts import access_ended_text
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.actions import end_agreement, record_agreement, record_refusal
from services.core.people.consents.errors import AgreementNotDueError, ConsentRequiredError
from services.core.people.consents.rules import Part, Proof
from services.core.people.consents.tables import ChildAgreement
from services.core.people.households import rules
from services.core.people.households.birth import is_of_age, set_birth_date
from services.core.people.households.errors import (
    FamilyFullError,
    NotFoundError,
    PrimaryGuardianError,
    RightMissingError,
)
from services.core.people.households.queries import (
    count_children,
    membership_in,
    primary_has_consented,
    standing_of,
    stored_rights_of,
)
from services.core.people.households.rules import Right, Rights
from services.core.people.households.tables import Child, Invitation, Membership
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.text_rules import NAME, check_text


async def add_child(
    work: UnitOfWork,
    family_id: uuid.UUID,
    guardian_id: uuid.UUID,
    name: str,
    birth_year: int | None,
    birth_date: date | None = None,
) -> Child:
    """Add a child with its own data key. With a date of birth, no separate year is stored.

    Raises ConsentRequiredError before the first guardian's consent, TextNotAllowedError, BirthYearInvalidError,
    FamilyFullError.
    """
    # Held until the commit: repeated taps of one guardian on a slow phone are counted one after the other.
    await membership_in(work, family_id, guardian_id, lock=True)
    if not await primary_has_consented(work, family_id):
        raise ConsentRequiredError(Part.MESSAGES)
    if await count_children(work, family_id) >= rules.MAX_CHILDREN:
        raise FamilyFullError("children", rules.MAX_CHILDREN)
    child_id = new_id()
    child = Child(
        child_id=child_id,
        family_id=family_id,
        name=check_text("name", name, NAME),
        birth_year=rules.check_birth_year(birth_year, work.now.date()),
        wrapped_key=work.vault.new_wrapped_key(f"child/{child_id}"),
        created_at=work.now,
    )
    if birth_date is not None:
        set_birth_date(work, child, birth_date)
    work.add(child)
    await work.flush()
    record_audit(work, guardian_actor(guardian_id), "child.added", family_id=family_id, subject_id=child_id)
    return child


async def change_child(
    work: UnitOfWork,
    child: Child,
    guardian_id: uuid.UUID,
    *,
    name: str | None = None,
    birth_year: int | None = None,
    birth_date: date | None = None,
) -> Child:
    """Rename a child or correct its year or date of birth; None leaves a value unchanged.

    Raises TextNotAllowedError, BirthYearInvalidError.
    """
    if name is not None:
        child.name = check_text("name", name, NAME)
    if birth_year is not None:
        child.birth_year = rules.check_birth_year(birth_year, work.now.date())
        child.sealed_birth_date = None
    if birth_date is not None:
        set_birth_date(work, child, birth_date)
    work.add(child)
    await work.flush()
    record_audit(
        work, guardian_actor(guardian_id), "child.changed", family_id=child.family_id, subject_id=child.child_id
    )
    await record_event(work, child.family_id, "child.changed", child_id=child.child_id)
    return child


async def note_childs_agreement(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, proof: Proof, text_version: str | None = None
) -> ChildAgreement:
    """Record the child's own agreement; repeating the call returns the standing one.

    ``text_version`` is that of the text for children which the child was shown. Raises AgreementNotDueError below the
    legal age, ConsentProofError, ConsentTextUnknownError, TextNotAllowedError.
    """
    await _hold(work, child)
    if not await is_of_age(work, child):
        raise AgreementNotDueError
    agreement = await record_agreement(work, child.child_id, child.family_id, guardian_id, proof, text_version)
    await record_event(work, child.family_id, "child.changed", child_id=child.child_id)
    return agreement


async def note_childs_refusal(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, proof: Proof, text_version: str | None = None
) -> ChildAgreement:
    """Record that the child says no; devices.contacts.location carries out what follows. Raises as for an agreement."""
    await _hold(work, child)
    if not await is_of_age(work, child):
        raise AgreementNotDueError
    refusal = await record_refusal(work, child.child_id, child.family_id, guardian_id, proof, text_version)
    await record_event(work, child.family_id, "child.changed", child_id=child.child_id)
    return refusal


async def end_childs_agreement(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> None:
    """Record that the child withdrew its agreement, which is due again; repeating the call changes nothing."""
    await _hold(work, child)
    if await end_agreement(work, child.child_id, child.family_id, guardian_id):
        await record_event(work, child.family_id, "child.changed", child_id=child.child_id)


async def _hold(work: UnitOfWork, child: Child) -> None:
    await work.session.refresh(child, with_for_update={"key_share": True})


async def change_rights(
    work: UnitOfWork,
    family_id: uuid.UUID,
    by: uuid.UUID,
    guardian_id: uuid.UUID,
    *,
    rights: Rights,
    relation: str | None,
) -> Membership:
    """Set a guardian's rights and, unless None, the relation.

    Managing guardians can change any right; others only their own, without adding one. Raises NotFoundError,
    RightMissingError,
    RightNotYoursError, PrimaryGuardianError, RelationUnknownError.
    """
    giver = await membership_in(work, family_id, by)
    target = await membership_in(work, family_id, guardian_id, lock=True)
    if giver is None or target is None:
        raise NotFoundError
    if by != guardian_id and not giver.may_manage:
        raise RightMissingError(Right.MANAGE)
    # A suspended right is kept when another right changes.
    before = stored_rights_of(target)
    if rights != before:
        rules.check_change_of(standing_of(target), rights, by_themselves=by == guardian_id)
        rules.check_grant(standing_of(giver), before, rights)
    target.may_message, target.may_locate, target.may_manage = (
        rights.may_message,
        rights.may_locate,
        rights.may_manage,
    )
    if relation is not None:
        target.relation = rules.check_relation(relation)
    work.add(target)
    await work.flush()
    if before.may_manage and not rights.may_manage:
        await _revoke_invitations_by(work, family_id, guardian_id)
    record_audit(work, guardian_actor(by), "guardian.rights_changed", family_id=family_id, subject_id=guardian_id)
    await access_changed(work, guardian_id)
    return target


async def end_membership(work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, guardian_id: uuid.UUID) -> None:
    """Remove a guardian from the family at once and void the guardian's invitations. ``by`` manages, or leaves.

    A guardian removed by another one gets a text message: apps and events of the family do not reach them any more.

    Raises NotFoundError, RightMissingError, PrimaryGuardianError.
    """
    remover = await membership_in(work, family_id, by)
    if remover is None:
        raise NotFoundError
    if by != guardian_id and not remover.may_manage:
        raise RightMissingError(Right.MANAGE)
    target = await membership_in(work, family_id, guardian_id, lock=True)
    if target is None:
        raise NotFoundError
    if target.is_primary:
        raise PrimaryGuardianError
    target.removed_at = work.now
    work.add(target)
    await work.flush()
    await _revoke_invitations_by(work, family_id, guardian_id)
    action = "guardian.left" if by == guardian_id else "guardian.removed"
    record_audit(work, guardian_actor(by), action, family_id=family_id, subject_id=guardian_id)
    await access_changed(work, guardian_id)
    if by != guardian_id:
        removed = await work.session.get_one(Guardian, guardian_id)
        await send_sms(work, removed.phone, access_ended_text(removed.locale, work.host))


async def _revoke_invitations_by(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> None:
    # A guardian without the right to manage must not admit others through earlier invitations.
    await work.run(
        update(Invitation)
        .where(
            col(Invitation.family_id) == family_id,
            col(Invitation.invited_by) == guardian_id,
            col(Invitation.ended_at).is_(None),
        )
        .values(ended_at=work.now, end_reason="revoked")
    )
