"""Pairing of a child with a watch."""

from typing import Annotated, Literal

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import GuardianOfChild, MayManageChild, ProvenMayManageChild
from services.api.family.schemas.pairing import PairingResponse, PairRequest
from services.api.problems import problem_responses
from services.core.devices.presence.journeys import confirm_arrival
from services.core.devices.watches.tables import Watch
from services.core.pairing.actions import pair_watch, unpair_child
from services.core.pairing.queries import pairing_of_child
from services.core.pairing.rules import UnpairReason
from services.core.pairing.tables import Pairing as PairingRow
from services.core.people.households.errors import NotFoundError
from services.core.people.households.told_steps import Step, tell_guardians

router = Routes(prefix="/v1/children/{child_id}/pairing", tags=["pairing"])


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def pair(work: Work, scope: MayManageChild, body: PairRequest) -> PairingResponse:
    """Pair the watch that shows this code with the child.

    A retry with the code that worked returns the same pairing. 422 for an unknown code, 409 when the child has a watch,
    429 after five wrong codes in a quarter of an hour.
    """
    pairing = await pair_watch(work, scope.caller.guardian_id, scope.child.child_id, body.code)
    watch = await work.session.get_one(Watch, pairing.watch_id)
    return _response(pairing, watch)


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def standing(work: Work, scope: GuardianOfChild) -> PairingResponse:
    """Return the child's pairing; 404 when no watch is paired."""
    pairing = await pairing_of_child(work, scope.child.child_id)
    if pairing is None:
        raise NotFoundError
    return _response(*pairing)


@router.delete("", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def unpair(
    work: Work,
    scope: ProvenMayManageChild,
    reason: Annotated[Literal["unpaired", "lost", "returned"], Query()] = "unpaired",
) -> None:
    """End the pairing: the watch loses access and is ordered to wipe itself; the history stays with the child.

    `lost` also blocks the watch until staff record its return. 409 when no watch is paired.
    """
    await unpair_child(work, scope.caller.guardian_id, scope.child.child_id, UnpairReason(reason))
    await tell_guardians(work, scope.family_id, scope.caller.guardian_id, Step.UNPAIR)


@router.post("/arrived", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def arrived(work: Work, scope: GuardianOfChild) -> None:
    """State that the watch has reached the child: alerts of its silence begin. A watch in use stays unchanged.

    409 when no watch is paired.
    """
    await confirm_arrival(work, scope.child.child_id, scope.caller.guardian_id)


def _response(pairing: PairingRow, watch: Watch) -> PairingResponse:
    return PairingResponse(
        pairing_id=pairing.pairing_id,
        watch_serial=watch.serial,
        state="confirmed" if pairing.confirmed_at else "issued",
        issued_at=pairing.issued_at,
        confirmed_at=pairing.confirmed_at,
    )
