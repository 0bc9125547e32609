"""Location of a child's watch: on with the consent of a managing guardian, off when that consent ends."""

from __future__ import annotations

import uuid

from services.core.devices.watch_settings.actions import locked_settings, new_version
from services.core.people.consents.errors import ChildRefusedError, ConsentRequiredError
from services.core.people.consents.queries import guardians_who_consented, has_consent
from services.core.people.consents.rules import Part, Proof
from services.core.people.consents.tables import ChildAgreement
from services.core.people.households.actions import end_childs_agreement, note_childs_refusal
from services.core.people.households.birth import has_refused
from services.core.people.households.errors import RightMissingError
from services.core.people.households.queries import children_of, guardians_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Membership
from services.core.platform.audit.actions import Actor, guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork


async def check_may_turn_on(work: UnitOfWork, membership: Membership) -> None:
    """Raise RightMissingError or ConsentRequiredError unless this guardian may turn location on."""
    if not membership.may_manage:
        raise RightMissingError(Right.MANAGE.value)
    if not await has_consent(work, membership.guardian_id, membership.family_id, Part.LOCATION):
        raise ConsentRequiredError(Part.LOCATION)


async def set_location(work: UnitOfWork, child: Child, membership: Membership, *, on: bool) -> None:
    """Turn location on (needs the right to manage and consent) or off (needs the right); notify the watch.

    A repeat changes nothing.

    Raises RightMissingError, ConsentRequiredError, ChildRefusedError.
    """
    if on:
        await check_may_turn_on(work, membership)
        if await has_refused(work, child):
            raise ChildRefusedError
    elif not membership.may_manage:
        raise RightMissingError(Right.MANAGE.value)
    await _set(work, child, guardian_actor(membership.guardian_id), on=on)


async def refuse_for_child(
    work: UnitOfWork, child: Child, membership: Membership, proof: Proof, text_version: str | None
) -> ChildAgreement:
    """Record that the child says no: location ends at once, and no guardian can turn it on before the child agrees.

    Raises AgreementNotDueError, ConsentProofError, ConsentTextUnknownError, TextNotAllowedError.
    """
    # Lock order: the child, its settings, and last the family, which the event of the refusal locks.
    await work.session.refresh(child, with_for_update={"key_share": True})
    await locked_settings(work, child.child_id)
    refusal = await note_childs_refusal(work, child, membership.guardian_id, proof, text_version)
    await _set(work, child, guardian_actor(membership.guardian_id), on=False)
    return refusal


async def withdraw_child_agreement(work: UnitOfWork, child: Child, membership: Membership) -> None:
    """Record that the child withdraws its own agreement: location ends, whatever the guardians consented to.

    A repeat changes nothing. Messages and the place of an SOS are not affected (docs/decisions/0044-child-assent.md).
    """
    # Lock order: the child, its settings, and last the family, which the event of the agreement locks.
    await work.session.refresh(child, with_for_update={"key_share": True})
    await locked_settings(work, child.child_id)
    await end_childs_agreement(work, child, membership.guardian_id)
    await work.flush()
    if await has_refused(work, child):
        await _set(work, child, guardian_actor(membership.guardian_id), on=False)


async def follow_location_consent(
    work: UnitOfWork, family_id: uuid.UUID, actor: Actor, *, withdrawn_by: Membership | None = None
) -> None:
    """Turn location off for all children of a family whose consent to it has ended.

    A managing guardian who withdraws consent turns it off, whoever else consented; another managing guardian with
    consent may turn it on again. It also ends with the last managing guardian who has consented.
    """
    consented = await guardians_who_consented(work, family_id, Part.LOCATION)
    stands = any(
        membership.may_manage and guardian.guardian_id in consented
        for membership, guardian in await guardians_of(work, family_id)
    )
    if stands and not (withdrawn_by is not None and withdrawn_by.may_manage):
        return
    children = sorted(await children_of(work, family_id), key=lambda child: child.child_id)
    # Lock all settings before the first event locks the family.
    for child in children:
        await locked_settings(work, child.child_id)
    for child in children:
        await _set(work, child, actor, on=False)


async def _set(work: UnitOfWork, child: Child, actor: Actor, *, on: bool) -> None:
    settings = await locked_settings(work, child.child_id)
    if settings.location == on:
        return
    settings.location = on
    record_audit(
        work, actor, "location.on" if on else "location.off", family_id=child.family_id, subject_id=child.child_id
    )
    await new_version(work, settings, child.family_id)
