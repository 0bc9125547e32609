"""Break-glass: access to a guardian's name and number for a child's safety; two people, one hour, notified guardian."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import BreaksGlassAtSite
from services.api.staff.schemas import care as schemas
from services.core.office.break_glass.actions import approve_break_glass, break_glass_of_site, look, request_break_glass
from services.core.people.households.tables import BreakGlass, Family

router = APIRouter(prefix="/v1/staff/sites/{site_id}", tags=["staff: break-glass"])

PAGE = 50


@router.get("/break-glass", responses=problem_responses(401, 403, 404, 422))
async def list_all(
    work: Work,
    scope: BreaksGlassAtSite,
    after: Annotated[uuid.UUID | None, Query(description="`next` of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    family_code: Annotated[str | None, Query(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9-]+$")] = None,
) -> schemas.BreakGlassListResponse:
    """List the site's break-glass cases with requester, reason and state, newest first, one page at a time."""
    found = await break_glass_of_site(
        work, scope.site.site_id, most=limit + 1, after=after, family_code=family_code and family_code.upper()
    )
    return schemas.BreakGlassListResponse(
        break_glass=[_response(row, code) for row, code in found[:limit]],
        next=found[limit - 1][0].break_glass_id if len(found) > limit else None,
    )


@router.post("/families/{family_code}/break-glass", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def ask(
    work: Work,
    scope: BreaksGlassAtSite,
    family_code: schemas.FamilyCodeInPath,
    body: schemas.NewBreakGlassRequest,
) -> schemas.BreakGlassResponse:
    """Request access to the primary guardian's name and number. A second person must approve it."""
    row = await request_break_glass(
        work, scope.caller.staff_id, scope.site, family_code=family_code, reason=body.reason,
        tell_after_days=body.tell_after_days,
    )  # fmt: skip
    return _response(row, family_code)


@router.post("/break-glass/{break_glass_id}/approve", responses=problem_responses(401, 403, 404, 422))
async def approve(work: Work, scope: BreaksGlassAtSite, break_glass_id: uuid.UUID) -> schemas.BreakGlassResponse:
    """Approve a case as the second person, or a delayed notification as the third. The last approval opens an hour."""
    row = await approve_break_glass(work, scope.caller.staff_id, scope.site, break_glass_id)
    return _response(row, (await work.session.get_one(Family, row.family_id)).family_code)


@router.get("/break-glass/{break_glass_id}/guardian", responses=problem_responses(401, 403, 404, 422))
async def see(work: Work, scope: BreaksGlassAtSite, break_glass_id: uuid.UUID) -> schemas.BreakGlassGuardianResponse:
    """Return the guardian's name and number to the requester within the hour. Every access is recorded."""
    shown = await look(work, scope.caller.staff_id, scope.site, break_glass_id)
    return schemas.BreakGlassGuardianResponse(name=shown.name, phone=shown.phone)


def _response(row: BreakGlass, family_code: str) -> schemas.BreakGlassResponse:
    return schemas.BreakGlassResponse.model_validate({**row.model_dump(), "family_code": family_code})
