"""Contacts of a child: the people who can reach the child, and those whom the child can call."""

import uuid

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import GuardianOfChild, MayManageChild
from services.api.family.schemas import contacts as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts import actions
from services.core.devices.contacts.living_with import contacts_living_with, mark_living_with, unmark_living_with
from services.core.devices.contacts.queries import contact_list, contacts_of
from services.core.devices.contacts.rules import dialable_number, phone_contact
from services.core.devices.contacts.tables import Contact
from services.core.devices.watches.queries import current_identity
from services.core.people.consents.rules import How, Proof
from services.core.people.households.queries import site_of_family
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1/children/{child_id}/contacts", tags=["contacts"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_contacts(work: Work, scope: GuardianOfChild) -> schemas.ContactListResponse:
    """Return the child's contact list, for every guardian of the family."""
    return await _list(work, scope.child)


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def propose(work: Work, scope: GuardianOfChild, body: schemas.NewContactRequest) -> schemas.ContactResponse:
    """Add a phone contact.

    Approved at once if the caller may manage, otherwise `proposed` until a managing guardian approves it. 409 when the
    list is full or has the number already.
    """
    region = await _region(work, scope.child)
    proposed = phone_contact(**body.model_dump(), region=region)
    contact = await actions.propose_contact(
        work, scope.child, scope.caller.guardian_id, proposed, approved=scope.membership.may_manage
    )
    return await _contact(work, contact)


# Declared before the routes with an id, which would match the same path.
@router.put("/order", responses=problem_responses(401, 403, 404, 422))
async def order(work: Work, scope: MayManageChild, body: schemas.ContactOrderRequest) -> schemas.ContactListResponse:
    """Set the order of the list; the watch shows the first contact on top. Every contact must be listed once."""
    await actions.order_contacts(work, scope.child, scope.caller.guardian_id, body.contact_ids)
    return await _list(work, scope.child)


@router.post("/{contact_id}/approve", responses=problem_responses(401, 403, 404, 422))
async def approve(work: Work, scope: MayManageChild, contact_id: uuid.UUID) -> schemas.ContactResponse:
    """Approve a proposed contact and send it to the watch. An approved contact stays unchanged."""
    contact = await actions.approve_contact(work, scope.child, scope.caller.guardian_id, contact_id)
    return await _contact(work, contact)


@router.patch("/{contact_id}", responses=problem_responses(401, 403, 404, 409, 422))
async def change(
    work: Work, scope: MayManageChild, contact_id: uuid.UUID, body: schemas.ChangeContactRequest
) -> schemas.ContactResponse:
    """Change a phone contact; omitted fields stay unchanged.

    409 for the number of a guardian's contact, which follows the guardian's account.
    """
    number = None if body.number is None else dialable_number(body.number, await _region(work, scope.child))
    contact = await actions.change_contact(
        work,
        scope.child,
        scope.caller.guardian_id,
        contact_id,
        actions.ContactChange(**{**body.model_dump(), "number": number}),
    )
    return await _contact(work, contact)


@router.delete("/{contact_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def remove(work: Work, scope: MayManageChild, contact_id: uuid.UUID) -> None:
    """Remove a phone contact from the list. 409 for the contact of a guardian."""
    await actions.remove_contact(work, scope.child, scope.caller.guardian_id, contact_id)


@router.put("/{contact_id}/lives-with-child", responses=problem_responses(401, 403, 404, 409, 422))
async def mark_lives_with_child(
    work: Work, scope: MayManageChild, contact_id: uuid.UUID, body: schemas.LivesWithChildRequest
) -> schemas.ContactResponse:
    """Note that a phone contact lives with the child and agreed to text messages when its watch calls for help.

    The texts carry no name, place or link. Two contacts at most; another number ends the agreement. 409 for a
    guardian's or a proposed contact, and for a third one.
    """
    proof = Proof(How(body.how), body.witness, body.form_number)
    contact = await mark_living_with(work, scope.child, scope.caller.guardian_id, contact_id, proof)
    return await _contact(work, contact)


@router.delete("/{contact_id}/lives-with-child", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_lives_with_child(work: Work, scope: MayManageChild, contact_id: uuid.UUID) -> None:
    """End the text messages to a contact at once; without an agreement nothing changes."""
    await unmark_living_with(work, scope.child, scope.caller.guardian_id, contact_id)


async def _region(work: UnitOfWork, child: Child) -> str | None:
    site = await site_of_family(work, child.family_id)
    return site.country if site else None


async def _list(work: UnitOfWork, child: Child) -> schemas.ContactListResponse:
    identity = await current_identity(work, child.child_id)
    living_with = await _living_with(work, child.child_id)
    return schemas.ContactListResponse(
        version=(await contact_list(work, child.child_id)).version,
        acked_version=identity.contacts_acked_version if identity else 0,
        contacts=[_shown(contact, living_with) for contact in await contacts_of(work, child.child_id)],
    )


async def _contact(work: UnitOfWork, row: Contact) -> schemas.ContactResponse:
    return _shown(row, await _living_with(work, row.child_id))


async def _living_with(work: UnitOfWork, child_id: uuid.UUID) -> set[uuid.UUID]:
    return {contact.contact_id for contact in await contacts_living_with(work, [child_id])}


def _shown(row: Contact, living_with: set[uuid.UUID]) -> schemas.ContactResponse:
    kind = "guardian" if row.guardian_id else "phone"
    return schemas.ContactResponse.model_validate(
        {**row.model_dump(), "kind": kind, "lives_with_child": row.contact_id in living_with}
    )
