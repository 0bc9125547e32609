"""Who can reach a child, and whom the child can call."""

import uuid

from fastapi import APIRouter

from services.api.dependencies import Work
from services.api.family.access import GuardianOfChild, MayManageChild
from services.api.family.schemas import contacts as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts import actions
from services.core.devices.contacts.queries import contact_list, contacts_of
from services.core.devices.contacts.rules import dialable_number, phone_contact
from services.core.devices.contacts.tables import Contact
from services.core.devices.watches.queries import current_identity
from services.core.people.households.queries import site_of_family
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork

router = APIRouter(prefix="/v1/children/{child_id}/contacts", tags=["contacts"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_contacts(work: Work, scope: GuardianOfChild) -> schemas.ContactListResponse:
    """Tell everyone who can reach the child; every guardian may see it."""
    return await _list(work, scope.child)


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def propose(work: Work, scope: GuardianOfChild, body: schemas.NewContactRequest) -> schemas.ContactResponse:
    """Propose a phone contact. Who may manage approves it by proposing; of others it waits for approval."""
    region = await _region(work, scope.child)
    proposed = phone_contact(**body.model_dump(), region=region)
    contact = await actions.propose_contact(
        work, scope.child, scope.caller.guardian_id, proposed, approved=scope.membership.may_manage
    )
    return _contact(contact)


# Before the routes with an id in the same place.
@router.put("/order", responses=problem_responses(401, 403, 404, 422))
async def order(work: Work, scope: MayManageChild, body: schemas.ContactOrderRequest) -> schemas.ContactListResponse:
    """Put the list into this order, the first on top of the watch."""
    await actions.order_contacts(work, scope.child, scope.caller.guardian_id, body.contact_ids)
    return await _list(work, scope.child)


@router.post("/{contact_id}/approve", responses=problem_responses(401, 403, 404, 422))
async def approve(work: Work, scope: MayManageChild, contact_id: uuid.UUID) -> schemas.ContactResponse:
    """Let a proposed contact reach the watch. A repeat changes nothing."""
    return _contact(await actions.approve_contact(work, scope.child, scope.caller.guardian_id, contact_id))


@router.patch("/{contact_id}", responses=problem_responses(401, 403, 404, 409, 422))
async def change(
    work: Work, scope: MayManageChild, contact_id: uuid.UUID, body: schemas.ChangeContactRequest
) -> schemas.ContactResponse:
    """Change a contact; a guardian's number follows the guardian."""
    number = None if body.number is None else dialable_number(body.number, await _region(work, scope.child))
    contact = await actions.change_contact(
        work,
        scope.child,
        scope.caller.guardian_id,
        contact_id,
        actions.ContactChange(**{**body.model_dump(), "number": number}),
    )
    return _contact(contact)


@router.delete("/{contact_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def remove(work: Work, scope: MayManageChild, contact_id: uuid.UUID) -> None:
    """Take a phone contact out of the list."""
    await actions.remove_contact(work, scope.child, scope.caller.guardian_id, contact_id)


async def _region(work: UnitOfWork, child: Child) -> str | None:
    site = await site_of_family(work, child.family_id)
    return site.country if site else None


async def _list(work: UnitOfWork, child: Child) -> schemas.ContactListResponse:
    identity = await current_identity(work, child.child_id)
    return schemas.ContactListResponse(
        version=(await contact_list(work, child.child_id)).version,
        acked_version=identity.contacts_acked_version if identity else 0,
        contacts=[_contact(one) for one in await contacts_of(work, child.child_id)],
    )


def _contact(row: Contact) -> schemas.ContactResponse:
    return schemas.ContactResponse.model_validate(
        {**row.model_dump(), "kind": "guardian" if row.guardian_id else "phone"}
    )
