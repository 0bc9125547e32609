"""Account recoveries of a family's guardians by staff, and objections to them."""

import uuid

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import BeforeConsent
from services.api.problems import problem_responses
from services.api.staff.schemas.care import FamilyRecoveriesResponse, FamilyRecoveryResponse
from services.core.office.recovery.actions import contest_recovery, recoveries_of_family
from services.core.people.households.tables import Recovery

router = Routes(prefix="/v1/families/{family_id}/recoveries", tags=["families"])


@router.get("", responses=problem_responses(401, 404, 422))
async def list_recoveries(work: Work, scope: BeforeConsent) -> FamilyRecoveriesResponse:
    """Return pending and past changes to the family's accounts that staff requested."""
    return FamilyRecoveriesResponse(
        recoveries=[_response(recovery) for recovery in await recoveries_of_family(work, scope.family_id)]
    )


@router.post("/{recovery_id}/contest", responses=problem_responses(401, 404, 409, 422))
async def contest(work: Work, scope: BeforeConsent, recovery_id: uuid.UUID) -> FamilyRecoveryResponse:
    """Object to a pending recovery, which cancels it. 409 once it has ended."""
    return _response(await contest_recovery(work, scope.caller.guardian_id, scope.family_id, recovery_id))


def _response(row: Recovery) -> FamilyRecoveryResponse:
    return FamilyRecoveryResponse.model_validate(row.model_dump())
