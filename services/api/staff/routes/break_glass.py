"""Break-glass: access to a guardian's name and number for a child's safety; two people, one hour, notified guardian."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import BreaksGlassAtSite
from services.api.staff.colleagues import row_with_names, rows_with_names
from services.api.staff.schemas import care as schemas
from services.core.office.break_glass.actions import (
    approve_break_glass,
    break_glass_of_site,
    request_break_glass,
    show_guardian,
)
from services.core.people.households.tables import Family

router = Routes(prefix="/v1/staff/sites/{site_id}", tags=["staff: break-glass"])

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
    openings = await break_glass_of_site(
        work, scope.site.site_id, most=limit + 1, after=after, family_code=family_code and family_code.upper()
    )
    rows = await rows_with_names(work, [row for row, _ in openings[:limit]])
    return schemas.BreakGlassListResponse(
        break_glass=[_response(row, code) for row, (_, code) in zip(rows, openings, strict=False)],
        next=openings[limit - 1][0].break_glass_id if len(openings) > limit else None,
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
    return _response(await row_with_names(work, row), family_code)


@router.post("/break-glass/{break_glass_id}/approve", responses=problem_responses(401, 403, 404, 422))
async def approve(work: Work, scope: BreaksGlassAtSite, break_glass_id: uuid.UUID) -> schemas.BreakGlassResponse:
    """Approve a case as the second person, or a delayed notification as the third. The last approval opens an hour."""
    row = await approve_break_glass(work, scope.caller.staff_id, scope.site, break_glass_id)
    code = (await work.session.get_one(Family, row.family_id)).family_code
    return _response(await row_with_names(work, row), code)


@router.get("/break-glass/{break_glass_id}/guardian", responses=problem_responses(401, 403, 404, 422))
async def see(work: Work, scope: BreaksGlassAtSite, break_glass_id: uuid.UUID) -> schemas.BreakGlassGuardianResponse:
    """Return the guardian's name and number to the requester within the hour. Every access is recorded."""
    shown = await show_guardian(work, scope.caller.staff_id, scope.site, break_glass_id)
    return schemas.BreakGlassGuardianResponse(name=shown.name, phone=shown.phone)


def _response(row: Mapping[str, Any], family_code: str) -> schemas.BreakGlassResponse:
    return schemas.BreakGlassResponse.model_validate({**row, "family_code": family_code})
