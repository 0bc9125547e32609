"""Change a child's contact list: each change makes a new version and notifies the watch."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.devices.contacts.errors import ContactNumberTakenError, ContactOfGuardianError, ContactsFullError
from services.core.devices.contacts.living_with import end_agreement_of
from services.core.devices.contacts.queries import contact_list, contacts_of
from services.core.devices.contacts.rules import MOST_CONTACTS, PhoneContact, check_order
from services.core.devices.contacts.tables import Contact, ContactList
from services.core.devices.watches.queries import current_identity
from services.core.people.households.errors import NotFoundError
from services.core.people.households.rules import check_relation
from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import notify_watch
from services.core.platform.text_rules import NAME, check_text


@dataclass(frozen=True)
class ContactChange:
    """A change of a contact; None leaves a field as it is. ``number`` is as the watch dials it."""

    name: str | None = None
    relation: str | None = None
    number: str | None = None
    may_call: bool | None = None
    emergency: bool | None = None


async def propose_contact(
    work: UnitOfWork, child: Child, by: uuid.UUID, proposed: PhoneContact, *, approved: bool
) -> Contact:
    """Add a phone contact: ``approved`` at once if the guardian may manage the child, else ``proposed``.

    Raises ContactsFullError, ContactNumberTakenError.
    """
    locked_list = await contact_list(work, child.child_id, lock=True)
    standing = await contacts_of(work, child.child_id)
    if len(standing) >= MOST_CONTACTS:
        raise ContactsFullError(MOST_CONTACTS)
    if any(contact.number == proposed.number for contact in standing):
        raise ContactNumberTakenError
    contact = Contact(
        child_id=child.child_id, wire_id=next_wire_id(locked_list, "c"), name=proposed.name, relation=proposed.relation,
        number=proposed.number, may_call=proposed.may_call, emergency=proposed.emergency,
        position=1 + max((contact.position for contact in standing), default=0),
        state="approved" if approved else "proposed", proposed_by=by, approved_by=by if approved else None,
        created_at=work.now,
    )  # fmt: skip
    work.add(contact)
    await changed(work, child, locked_list)
    record_audit(
        work, guardian_actor(by), "contact.added" if approved else "contact.proposed", family_id=child.family_id,
        subject_id=contact.contact_id,
    )  # fmt: skip
    return contact


async def approve_contact(work: UnitOfWork, child: Child, by: uuid.UUID, contact_id: uuid.UUID) -> Contact:
    """Approve a proposed contact, so that the watch gets it; a repeat changes nothing. Raises NotFoundError."""
    locked_list, contact = await _locked(work, child, contact_id)
    if contact.state != "approved":
        contact.state = "approved"
        contact.approved_by = by
        work.add(contact)
        await changed(work, child, locked_list)
        record_audit(work, guardian_actor(by), "contact.approved", family_id=child.family_id, subject_id=contact_id)
    return contact


async def change_contact(
    work: UnitOfWork,
    child: Child,
    by: uuid.UUID,
    contact_id: uuid.UUID,
    change: ContactChange,
) -> Contact:
    """Apply a change to a contact.

    Raises NotFoundError, TextNotAllowedError, RelationUnknownError, ContactNumberTakenError, ContactOfGuardianError.
    """
    locked_list, contact = await _locked(work, child, contact_id)
    if change.number is not None and change.number != contact.number:
        if contact.guardian_id is not None:
            raise ContactOfGuardianError
        if any(contact.number == change.number for contact in await contacts_of(work, child.child_id)):
            raise ContactNumberTakenError
        contact.number = change.number
        # The person behind another number has not agreed.
        await end_agreement_of(work, contact)
    if change.name is not None:
        contact.name = check_text("name", change.name, NAME)
    if change.relation is not None:
        contact.relation = check_relation(change.relation)
    if change.may_call is not None:
        contact.may_call = change.may_call
    if change.emergency is not None:
        contact.emergency = change.emergency
    work.add(contact)
    await changed(work, child, locked_list)
    record_audit(work, guardian_actor(by), "contact.changed", family_id=child.family_id, subject_id=contact_id)
    return contact


async def remove_contact(work: UnitOfWork, child: Child, by: uuid.UUID, contact_id: uuid.UUID) -> None:
    """Remove a phone contact from the list. Raises NotFoundError, ContactOfGuardianError."""
    locked_list, contact = await _locked(work, child, contact_id)
    if contact.guardian_id is not None:
        raise ContactOfGuardianError
    contact.removed_at = work.now
    work.add(contact)
    await end_agreement_of(work, contact)
    await changed(work, child, locked_list)
    record_audit(work, guardian_actor(by), "contact.removed", family_id=child.family_id, subject_id=contact_id)


async def order_contacts(work: UnitOfWork, child: Child, by: uuid.UUID, contact_ids: Sequence[uuid.UUID]) -> None:
    """Set the order of the list; the watch shows the first contact on top. Raises ContactOrderError."""
    locked_list = await contact_list(work, child.child_id, lock=True)
    standing = {contact.contact_id: contact for contact in await contacts_of(work, child.child_id)}
    check_order(contact_ids, standing.keys())
    for position, contact_id in enumerate(contact_ids, start=1):
        standing[contact_id].position = position
        work.add(standing[contact_id])
    await changed(work, child, locked_list)
    record_audit(work, guardian_actor(by), "contacts.ordered", family_id=child.family_id, subject_id=child.child_id)


def next_wire_id(locked_list: ContactList, letter: str) -> str:
    """Return the next contact id (``g-3``, ``c-4``); numbers are never reused. The list must be locked."""
    locked_list.last_number += 1
    return f"{letter}-{locked_list.last_number}"


async def changed(work: UnitOfWork, child: Child, locked_list: ContactList) -> None:
    """Make a new version of the locked list, and notify the watch and the guardians."""
    locked_list.version += 1
    locked_list.changed_at = work.now
    work.add(locked_list)
    await work.flush()
    identity = await current_identity(work, child.child_id)
    if identity is not None:
        await notify_watch(work, identity.username)
    await record_event(
        work, child.family_id, "contacts.changed", child_id=child.child_id, detail={"version": locked_list.version}
    )


async def _locked(work: UnitOfWork, child: Child, contact_id: uuid.UUID) -> tuple[ContactList, Contact]:
    locked_list = await contact_list(work, child.child_id, lock=True)
    contact = await work.session.get(Contact, contact_id, populate_existing=True)
    if contact is None or contact.child_id != child.child_id or contact.removed_at is not None:
        raise NotFoundError
    return locked_list, contact
