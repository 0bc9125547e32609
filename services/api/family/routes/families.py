"""Children, guardians and invitations of a family."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import (
    AnyGuardian,
    GuardianOfChild,
    ManagingGuardian,
    MayManageChild,
    ProvenBeforeConsent,
    ProvenGuardian,
)
from services.api.family.limits import costs_guardian
from services.api.family.schemas import families as schemas
from services.api.problems import problem_responses
from services.core.devices.contacts.guardians import change_guardian, create_child, remove_guardian
from services.core.devices.contacts.living_with import contacts_living_with
from services.core.devices.contacts.location import refuse_for_child, withdraw_child_agreement
from services.core.devices.contacts.watch_shown import WatchShown, children_with_watches, watches_of_children
from services.core.devices.presence.queries import (
    battery_now,
    connection_state,
    journey,
    last_seen_at,
    presence_of_watch,
)
from services.core.devices.presence.rules import trend_pct_per_h
from services.core.people.accounts.tables import Guardian as GuardianRow
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import How, Part, Proof
from services.core.people.households.actions import change_child, note_childs_agreement
from services.core.people.households.birth import birth_date_of, childs_consent_due
from services.core.people.households.errors import NotFoundError, RightMissingError
from services.core.people.households.invitations import Invited, invite, revoke_invitation
from services.core.people.households.queries import (
    children_of,
    guardians_of,
    invitations_of,
    membership_in,
    stored_rights_of,
)
from services.core.people.households.rules import Right, Rights
from services.core.people.households.tables import Child as ChildRow
from services.core.people.households.tables import Invitation as InvitationRow
from services.core.people.households.tables import Membership
from services.core.people.households.told_steps import Step, tell_guardians
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1", tags=["families"])


@router.get("/families/{family_id}/children", responses=problem_responses(401, 403, 404, 422))
async def list_children(work: Work, scope: AnyGuardian) -> schemas.ChildrenResponse:
    """Return the family's children with the state of their watches."""
    children = await children_with_watches(work, scope.family_id)
    return schemas.ChildrenResponse(
        children=[await response_with_watch(work, child, watch) for child, watch in children]
    )  # fmt: skip


@router.post("/families/{family_id}/children", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def add(work: Work, scope: ManagingGuardian, body: schemas.NewChildRequest) -> schemas.ChildResponse:
    """Add a child. 403 before the first guardian's consent: without it no data of a child is stored."""
    child = await create_child(
        work, scope.family_id, scope.caller.guardian_id, body.name, body.birth_year, body.birth_date
    )
    return await child_response(work, child)


@router.get("/children/{child_id}", responses=problem_responses(401, 403, 404, 422))
async def read_child(work: Work, scope: GuardianOfChild) -> schemas.ChildResponse:
    """Return a child with the state of its watch."""
    return await child_response(work, scope.child)


@router.patch("/children/{child_id}", responses=problem_responses(401, 403, 404, 422))
async def change(work: Work, scope: MayManageChild, body: schemas.ChangeChildRequest) -> schemas.ChildResponse:
    """Rename a child, or correct the year or date of birth; omitted fields stay unchanged."""
    child = await change_child(
        work, scope.child, scope.caller.guardian_id, name=body.name, birth_year=body.birth_year,
        birth_date=body.birth_date,
    )  # fmt: skip
    return await child_response(work, child)


@router.post("/children/{child_id}/agreement", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def note_agreement(
    work: Work, scope: MayManageChild, body: schemas.ChildAgreementRequest
) -> schemas.ChildAgreementResponse:
    """Record the child's own word, which some countries require from a certain age.

    A word that stands is returned unchanged; a no turns location off at once. 409 before the child is of that age.
    """
    proof = Proof(How(body.how), body.witness, body.form_number)
    if body.agreed:
        row = await note_childs_agreement(work, scope.child, scope.caller.guardian_id, proof, body.text_version)
    else:
        row = await refuse_for_child(work, scope.child, scope.membership, proof, body.text_version)
    return schemas.ChildAgreementResponse.model_validate(row.model_dump())


@router.delete("/children/{child_id}/agreement", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_agreement(work: Work, scope: MayManageChild) -> None:
    """Record that the child withdrew its agreement: location ends at once. Without an agreement nothing changes."""
    await withdraw_child_agreement(work, scope.child, scope.membership)


@router.get("/families/{family_id}/guardians", responses=problem_responses(401, 403, 404, 422))
async def list_guardians(work: Work, scope: AnyGuardian) -> schemas.GuardiansResponse:
    """Return the family's guardians with their rights, and the contacts who live with a child."""
    guardians = await guardians_of(work, scope.family_id)
    child_ids = [child.child_id for child in await children_of(work, scope.family_id)]
    return schemas.GuardiansResponse(
        guardians=[_guardian(*guardian, scope.caller.guardian_id) for guardian in guardians],
        lives_with_child=[
            schemas.LivesWithChild.model_validate(
                {
                    "contact_id": contact.contact_id,
                    "child_id": contact.child_id,
                    "name": contact.name,
                    "relation": contact.relation,
                }
            )
            for contact in await contacts_living_with(work, child_ids)
        ],
    )


@router.patch("/families/{family_id}/guardians/{guardian_id}", responses=problem_responses(401, 403, 404, 409, 422))
async def change_one(
    work: Work, scope: ProvenGuardian, guardian_id: uuid.UUID, body: schemas.ChangeGuardianRequest
) -> schemas.GuardianResponse:
    """Change a guardian's rights or relation; omitted fields stay unchanged.

    Needs the right to manage, except for the caller's own relation.
    """
    target = await membership_in(work, scope.family_id, guardian_id)
    if target is None:
        raise NotFoundError
    before = stored_rights_of(target)
    rights = Rights(
        before.may_message if body.may_message is None else body.may_message,
        before.may_locate if body.may_locate is None else body.may_locate,
        before.may_manage if body.may_manage is None else body.may_manage,
    )
    own_relation_only = guardian_id == scope.caller.guardian_id and rights == before
    if not own_relation_only and not scope.membership.may_manage:
        raise RightMissingError(Right.MANAGE.value)
    await change_guardian(
        work, scope.family_id, scope.caller.guardian_id, guardian_id, rights=rights, relation=body.relation
    )
    await tell_guardians(work, scope.family_id, scope.caller.guardian_id, Step.RIGHTS)
    return await _one_guardian(work, scope.family_id, guardian_id, scope.caller.guardian_id)


@router.delete(
    "/families/{family_id}/guardians/{guardian_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def remove_one(work: Work, scope: ProvenBeforeConsent, guardian_id: uuid.UUID) -> None:
    """Remove a guardian, or leave the family; access ends at once, also on the watches.

    Removing another guardian needs the right to manage and consent; leaving needs neither. 409 for the first guardian.
    """
    if guardian_id != scope.caller.guardian_id:
        if not await has_consent(work, scope.caller.guardian_id, scope.family_id, Part.MESSAGES):
            raise ConsentRequiredError(Part.MESSAGES)
        if not scope.membership.may_manage:
            raise RightMissingError(Right.MANAGE.value)
    await remove_guardian(work, scope.family_id, scope.caller.guardian_id, guardian_id)
    await tell_guardians(work, scope.family_id, scope.caller.guardian_id, Step.REMOVAL)


@router.get("/families/{family_id}/invitations", responses=problem_responses(401, 403, 404, 422))
async def list_invitations(work: Work, scope: ManagingGuardian) -> schemas.InvitationsResponse:
    """Return the invitations that can still be accepted."""
    return schemas.InvitationsResponse(
        invitations=[_invitation(invitation) for invitation in await invitations_of(work, scope.family_id)]
    )


@router.post(
    "/families/{family_id}/invitations",
    status_code=201,
    dependencies=[costs_guardian(Limits.INVITATIONS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 409, 422, 429),
)
async def make_invitation(
    work: Work, scope: ManagingGuardian, body: schemas.NewInvitationRequest
) -> schemas.InvitationResponse:
    """Invite a phone by SMS; the text says nothing of the family. The invitation expires after 14 days.

    409 when the phone is invited or a guardian already, or the family is full. 403 for a right that the caller lacks,
    unless the caller is the first guardian.
    """
    rights = Rights(body.may_message, body.may_locate, body.may_manage)
    invitation = await invite(
        work, scope.family_id, scope.caller.guardian,
        Invited(body.phone, body.relation, body.display_name, rights, body.country),
    )  # fmt: skip
    return _invitation(invitation)


@router.delete(
    "/families/{family_id}/invitations/{invitation_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def revoke(work: Work, scope: ManagingGuardian, invitation_id: uuid.UUID) -> None:
    """Revoke an invitation. A revoked one stays unchanged; 409 once it was accepted."""
    await revoke_invitation(work, scope.family_id, scope.caller.guardian_id, invitation_id)


async def child_response(work: UnitOfWork, child: ChildRow) -> schemas.ChildResponse:
    [response] = await child_responses(work, [child])
    return response


async def child_responses(work: UnitOfWork, children: Sequence[ChildRow]) -> list[schemas.ChildResponse]:
    watches = await watches_of_children(work, [child.child_id for child in children])
    return [await response_with_watch(work, child, watches.get(child.child_id)) for child in children]


async def response_with_watch(work: UnitOfWork, child: ChildRow, watch: WatchShown | None) -> schemas.ChildResponse:
    """Return a child with the state of a watch that was read before."""
    birth_date = birth_date_of(work, child)
    return schemas.ChildResponse(
        child_id=child.child_id,
        family_id=child.family_id,
        name=child.name,
        birth_year=birth_date.year if birth_date else child.birth_year,
        birth_date=birth_date,
        childs_consent_due=await childs_consent_due(work, child),
        watch=None if watch is None else _watch(watch, work.now),
    )


def _watch(shown: WatchShown, now: datetime) -> schemas.WatchOfChild:
    identity, watch = shown.identity, shown.watch
    presence, battery = presence_of_watch(identity, watch, shown.site, now), battery_now(identity)
    way = journey(identity, now)
    trend, state = trend_pct_per_h(battery), connection_state(identity, now)
    return schemas.WatchOfChild.model_validate(
        {
            "watch_serial": watch.serial,
            "state": state if identity.last_hello_at else "issued",
            "presence": presence.word.value,
            "presence_since_at": presence.since_at,
            "on_its_way_since_at": None if way is None else way.since_at,
            "last_seen_at": last_seen_at(identity),
            "asleep_until_at": identity.asleep_until_at if state == "asleep" else None,
            "battery_pct": battery.level_pct,
            "battery_at": battery.at,
            "battery_trend_pct_per_h": None if trend is None else round(trend, 1),
            "firmware": identity.hello.get("firmware"),
            "contacts_version": shown.contacts_version,
            "contacts_acked_version": identity.contacts_acked_version,
            "config_version": shown.config_version,
            "config_acked_version": identity.config_acked_version,
        }
    )


async def _one_guardian(
    work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, asker_id: uuid.UUID
) -> schemas.GuardianResponse:
    for membership, guardian in await guardians_of(work, family_id):
        if guardian.guardian_id == guardian_id:
            return _guardian(membership, guardian, asker_id)
    raise NotFoundError


def _guardian(membership: Membership, guardian: GuardianRow, asker_id: uuid.UUID) -> schemas.GuardianResponse:
    is_seen = not membership.number_hidden or guardian.guardian_id == asker_id
    phone = guardian.phone if is_seen else None
    return schemas.GuardianResponse.model_validate(
        {**membership.model_dump(), "display_name": guardian.display_name, "phone": phone}
    )


def _invitation(row: InvitationRow) -> schemas.InvitationResponse:
    return schemas.InvitationResponse.model_validate(row.model_dump())
