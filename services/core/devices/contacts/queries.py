"""Read contact lists: for guardians, for the watch, and to resolve the recipients of a child's message."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from services.core.devices.contacts.tables import Contact, ContactList
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.rules import Part
from services.core.platform.db.database import UnitOfWork

# Value of `to` for every guardian who may message: a word of the watch protocol; a test compares both.
FAMILY = "family"


@dataclass(frozen=True)
class WireContact:
    """A contact as it is sent to the watch; ``position`` counts from 1."""

    wire_id: str
    name: str
    relation: str
    number: str | None
    may_message: bool
    may_call: bool
    position: int
    emergency: bool
    # End of the guardian's shift; None: not on shift.
    busy_until_at: datetime | None = None


@dataclass(frozen=True)
class Recipient:
    """A guardian who gets a child's message, and the guardian's contact id."""

    guardian_id: uuid.UUID
    wire_id: str


async def contact_list(work: UnitOfWork, child_id: uuid.UUID, *, lock: bool = False) -> ContactList:
    """Return the row of the list with its version; with ``lock`` it is locked until the transaction ends."""
    statement = select(ContactList).where(col(ContactList.child_id) == child_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await work.session.exec(statement)).one()


async def contacts_of(work: UnitOfWork, child_id: uuid.UUID) -> Sequence[Contact]:
    """Return the standing contacts of the child in order, proposed ones included."""
    result = await work.session.exec(
        select(Contact)
        .where(col(Contact.child_id) == child_id, col(Contact.removed_at).is_(None))
        .order_by(col(Contact.position), col(Contact.created_at), col(Contact.wire_id))
    )
    return result.all()


async def guardian_names(work: UnitOfWork, child_id: uuid.UUID) -> dict[uuid.UUID | None, str]:
    """Return the name of each guardian in the child's list, by guardian, those who left the family included.

    A guardian who left and came back has several contacts: the standing one counts, else the one removed last.
    """
    result = await work.session.exec(
        select(Contact.guardian_id, Contact.name)
        .where(col(Contact.child_id) == child_id, col(Contact.guardian_id).is_not(None))
        # The last row of a guardian is the one that counts.
        .order_by(col(Contact.removed_at).asc().nulls_last(), col(Contact.created_at), col(Contact.wire_id))
    )
    return dict(result.all())


async def wire_contacts(work: UnitOfWork, child_id: uuid.UUID) -> tuple[int, list[WireContact]]:
    """Return the version and the approved contacts in order, as they are sent to the watch."""
    version = (await contact_list(work, child_id)).version
    approved = [contact for contact in await contacts_of(work, child_id) if contact.state == "approved"]
    busy = await _busy_guardians(work, [contact.guardian_id for contact in approved if contact.guardian_id is not None])
    return version, [
        WireContact(
            contact.wire_id, contact.name, contact.relation, contact.number, contact.may_message, contact.may_call,
            place, contact.emergency, busy.get(contact.guardian_id),
        )
        for place, contact in enumerate(approved, start=1)
    ]  # fmt: skip


async def _busy_guardians(
    work: UnitOfWork, guardian_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID | None, datetime | None]:
    result = await work.session.exec(
        select(Guardian.guardian_id, Guardian.busy_until_at).where(
            col(Guardian.guardian_id).in_(guardian_ids), col(Guardian.busy_until_at) > work.now
        )
    )
    return dict(result.all())


# The contacts of the child {child_id} who are recipients; {wire_id}: only the contact of this id, unless it is null.
_RECIPIENTS: Final = f"""
FROM contact JOIN child USING (child_id)
JOIN membership ON membership.family_id = child.family_id AND membership.guardian_id = contact.guardian_id
WHERE contact.child_id = {{child_id}} AND contact.removed_at IS NULL AND contact.state = 'approved'
 AND membership.removed_at IS NULL AND membership.may_message
 AND ({{wire_id}}::text IS NULL OR contact.wire_id = {{wire_id}})
 AND EXISTS (SELECT FROM consent WHERE consent.family_id = child.family_id AND consent.part = '{Part.MESSAGES.value}'
  AND consent.guardian_id = contact.guardian_id AND consent.withdrawn_at IS NULL)
"""
# The S608 exemption is safe: every part is a constant of this file.
_SELECT_RECIPIENTS: Final = f"""
SELECT contact.guardian_id, contact.wire_id {_RECIPIENTS.format(child_id="$1", wire_id="$2")}
ORDER BY contact.position, contact.wire_id
"""


def has_recipient(child_id: str, wire_id: str) -> str:
    """Return the condition of SQL that :func:`recipients_of` finds somebody; the arguments are expressions of SQL."""
    return f"EXISTS (SELECT {_RECIPIENTS.format(child_id=child_id, wire_id=wire_id)})"


def wire_id_of(to: str) -> str | None:
    """Return the contact id that ``to`` names; None: the whole family."""
    return None if to == FAMILY else to


async def recipients_of(work: UnitOfWork, child_id: uuid.UUID, to: str) -> list[Recipient]:
    """Return the guardians that ``to`` (a contact id or ``family``) names now; empty when there is none.

    A recipient is in the list, may message, and has a standing consent to messages.
    """
    recipients = await work.fetch(_SELECT_RECIPIENTS, child_id, wire_id_of(to))
    return [Recipient(guardian_id, wire_id) for guardian_id, wire_id in recipients]
