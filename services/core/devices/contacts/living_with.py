"""Phone contacts who live with the child: they get a text message when its watch calls for help.

They have no account and see nothing: a guardian who manages the family records that they agreed, with a proof.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.devices.contacts.errors import (
    ContactNotApprovedError,
    ContactOfGuardianError,
    LivesWithChildFullError,
)
from services.core.devices.contacts.queries import contact_list
from services.core.devices.contacts.rules import LIVING_WITH_MAX
from services.core.devices.contacts.tables import Contact, ContactAgreement
from services.core.people.accounts.phone_numbers import mobile_phone
from services.core.people.consents.errors import ConsentProofError
from services.core.people.consents.rules import How, Proof, check_proof
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import discard_sms


@dataclass(frozen=True)
class LivesWith:
    """A phone contact who lives with the child, with the number that gets the text messages."""

    contact_id: uuid.UUID
    child_id: uuid.UUID
    name: str
    relation: str
    number: str


async def mark_living_with(
    work: UnitOfWork, child: Child, by: uuid.UUID, contact_id: uuid.UUID, proof: Proof
) -> Contact:
    """Record that a phone contact lives with the child and agreed to text messages; a repeat changes nothing.

    ``proof`` is that of a spoken or written consent. Raises NotFoundError, ContactOfGuardianError,
    ContactNotApprovedError, LivesWithChildFullError, PhoneNotMobileError, PhoneInvalidError, ConsentProofError,
    TextNotAllowedError.
    """
    # The lock of the list serialises concurrent marks, so that the count is right.
    await contact_list(work, child.child_id, lock=True)
    contact = await work.session.get(Contact, contact_id, populate_existing=True)
    if contact is None or contact.child_id != child.child_id or contact.removed_at is not None:
        raise NotFoundError
    if contact.guardian_id is not None:
        raise ContactOfGuardianError
    if contact.state != "approved":
        raise ContactNotApprovedError
    if proof.how is How.APP:
        # The contact has no app: only a witness or a form can say that the contact agreed.
        raise ConsentProofError(proof.how.value, "how")
    proven = check_proof(proof)
    # A short number or a landline gets no text message.
    mobile_phone(contact.number or "")
    standing = await standing_agreements_of(work, child.child_id)
    if any(contact.contact_id == contact_id for contact in standing):
        return contact
    if len(standing) >= LIVING_WITH_MAX:
        raise LivesWithChildFullError(LIVING_WITH_MAX)
    work.add(
        ContactAgreement(
            contact_id=contact_id, child_id=child.child_id, recorded_by=by, how=proven.how.value,
            witness=proven.witness or None, form_number=proven.form_number or None, given_at=work.now,
        )
    )  # fmt: skip
    await work.flush()
    await _record(work, child, by, contact_id, lives_with=True)
    return contact


async def unmark_living_with(work: UnitOfWork, child: Child, by: uuid.UUID, contact_id: uuid.UUID) -> None:
    """End the text messages to a contact who lived with the child; a repeat changes nothing. Raises NotFoundError."""
    await contact_list(work, child.child_id, lock=True)
    contact = await work.session.get(Contact, contact_id)
    if contact is None or contact.child_id != child.child_id:
        raise NotFoundError
    if await end_agreement_of(work, contact):
        await _record(work, child, by, contact_id, lives_with=False)


async def end_agreement_of(work: UnitOfWork, contact: Contact) -> bool:
    """End a contact's agreement and discard its waiting text messages; return False if none stood.

    The caller holds the contact list locked.
    """
    ended = False
    for agreement in await standing_agreements_of(work, contact.child_id):
        if agreement.contact_id == contact.contact_id:
            agreement.ended_at = work.now
            work.add(agreement)
            ended = True
    if ended:
        await work.flush()
        await discard_sms(work, [str(contact.contact_id)])
    return ended


async def contacts_living_with(work: UnitOfWork, child_ids: Collection[uuid.UUID]) -> list[LivesWith]:
    """Return the standing contacts who live with these children, in the order of the lists."""
    result = await work.session.exec(
        select(Contact)
        .join(ContactAgreement, col(ContactAgreement.contact_id) == col(Contact.contact_id))
        .where(
            col(Contact.child_id).in_(child_ids),
            col(ContactAgreement.ended_at).is_(None),
            col(Contact.removed_at).is_(None),
            col(Contact.state) == "approved",
        )
        .order_by(col(Contact.child_id), col(Contact.position), col(Contact.wire_id))
    )
    return [
        LivesWith(contact.contact_id, contact.child_id, contact.name, contact.relation, contact.number)
        for contact in result
        if contact.number is not None
    ]


async def standing_agreements_of(work: UnitOfWork, child_id: uuid.UUID) -> list[ContactAgreement]:
    """Return the standing agreements of the contacts who live with a child."""
    result = await work.session.exec(
        select(ContactAgreement).where(
            col(ContactAgreement.child_id) == child_id, col(ContactAgreement.ended_at).is_(None)
        )
    )
    return list(result)


async def _record(
    work: UnitOfWork, child: Child, by: uuid.UUID, contact_id: uuid.UUID, *, lives_with: bool
) -> None:  # fmt: skip
    record_audit(
        work, guardian_actor(by), "contact.lives_with_child" if lives_with else "contact.no_longer_lives_with_child",
        family_id=child.family_id, subject_id=contact_id,
    )  # fmt: skip
    await record_event(work, child.family_id, "lives_with_child.changed", child_id=child.child_id, ref_id=contact_id)
