"""Account recovery: a new phone number or primary guardian; two staff members, paper evidence, 48 hours."""

import uuid
from collections.abc import Mapping
from typing import Any

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import RecoversAtSite
from services.api.staff.colleagues import row_with_names, rows_with_names
from services.api.staff.schemas import care as schemas
from services.core.office.recovery.actions import (
    AskedRecovery,
    approve_recovery,
    recoveries_of_site,
    request_recovery,
    withdraw_recovery,
)
from services.core.office.recovery.paper import Paper
from services.core.people.households.tables import Family
from services.core.people.households.tables import Recovery as RecoveryRow
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/staff/sites/{site_id}", tags=["staff: recovery"])


@router.get("/recoveries", responses=problem_responses(401, 403, 404, 422))
async def list_recoveries(work: Work, scope: RecoversAtSite) -> schemas.RecoveriesResponse:
    """List the site's pending and past recoveries, without phone or document numbers."""
    recoveries = await recoveries_of_site(work, scope.site.site_id)
    rows = await rows_with_names(work, [row for row, _ in recoveries])
    return schemas.RecoveriesResponse(
        recoveries=[_response(row, family_code) for row, (_, family_code) in zip(rows, recoveries, strict=True)]
    )


@router.post(
    "/families/{family_code}/recoveries", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429)
)
async def ask(
    work: Work, scope: RecoversAtSite, family_code: schemas.FamilyCodeInPath, body: schemas.NewRecoveryRequest
) -> schemas.RecoveryResponse:
    """Request a recovery on paper evidence. It takes effect only after a second person's approval."""
    await charge(work, Charge(Limits.RECOVERIES_OF_STAFF, str(scope.caller.staff_id)))
    made = await request_recovery(
        work, scope.caller.staff_id, scope.site,
        AskedRecovery(family_code, body.kind, body.phone, body.new_phone, Paper(body.form_number, body.document)),
    )  # fmt: skip
    return _response(await row_with_names(work, made), family_code)


@router.post("/recoveries/{recovery_id}/approve", responses=problem_responses(401, 403, 404, 409, 422, 429))
async def approve(
    work: Work, scope: RecoversAtSite, recovery_id: uuid.UUID, body: schemas.ApproveRecoveryRequest
) -> schemas.RecoveryResponse:
    """Approve as the second person. Guardians are notified, and it takes effect in 48 hours unless one objects."""
    await charge(work, Charge(Limits.RECOVERIES_OF_STAFF, str(scope.caller.staff_id)))
    paper = Paper(body.form_number, body.document)
    row = await approve_recovery(work, scope.caller.staff_id, scope.site, recovery_id, paper)
    return await _with_code(work, row)


@router.post("/recoveries/{recovery_id}/withdraw", responses=problem_responses(401, 403, 404, 409, 422))
async def withdraw(work: Work, scope: RecoversAtSite, recovery_id: uuid.UUID) -> schemas.RecoveryResponse:
    """Withdraw a recovery that has not taken effect."""
    return await _with_code(work, await withdraw_recovery(work, scope.caller.staff_id, scope.site, recovery_id))


async def _with_code(work: UnitOfWork, row: RecoveryRow) -> schemas.RecoveryResponse:
    code = (await work.session.get_one(Family, row.family_id)).family_code
    return _response(await row_with_names(work, row), code)


def _response(row: Mapping[str, Any], family_code: str) -> schemas.RecoveryResponse:
    return schemas.RecoveryResponse.model_validate({**row, "family_code": family_code})
