"""Hand-outs: a code budget for families that share one network address, and printed slips as an SMS fallback."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.api.dependencies import Work, settings_of
from services.api.problems import problem_responses
from services.api.staff.access import HandsOutAtSite
from services.api.staff.papers import imprint_of
from services.api.staff.schemas import care as schemas
from services.core.office.hand_outs.actions import close_hand_out, hand_outs_of, open_hand_out, print_slips
from services.core.office.papers.site_papers import slips_paper
from services.core.people.households.hand_out_codes import is_open
from services.core.people.households.tables import HandOut
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.settings import Settings

router = APIRouter(prefix="/v1/staff/sites/{site_id}/hand-outs", tags=["staff: hand-out"])

_PDF = "application/pdf"


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_hand_outs(work: Work, scope: HandsOutAtSite) -> schemas.HandOutsResponse:
    """List the newest hand-outs of a site."""
    return schemas.HandOutsResponse(
        hand_outs=[_response(hand_out, work.now) for hand_out in await hand_outs_of(work, scope.site.site_id)]
    )


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 422, 429))
async def open_one(work: Work, scope: HandsOutAtSite, body: schemas.NewHandOutRequest) -> schemas.OpenedHandOutResponse:
    """Open a hand-out for at most two hours. Staff display its code, and the families' phones send it as proof."""
    await charge(work, Charge(Limits.HAND_OUTS_OF_STAFF, str(scope.caller.staff_id)))
    row, code = await open_hand_out(
        work, scope.caller.staff_id, scope.site, families=body.families, lasts=timedelta(minutes=body.minutes)
    )
    return schemas.OpenedHandOutResponse(**_response(row, work.now).model_dump(), code=code)


@router.post("/{hand_out_id}/close", responses=problem_responses(401, 403, 404, 422))
async def close(work: Work, scope: HandsOutAtSite, hand_out_id: uuid.UUID) -> schemas.HandOutResponse:
    """Close a hand-out early: its code and slips become invalid. Repeating the request changes nothing."""
    return _response(await close_hand_out(work, scope.caller.staff_id, scope.site, hand_out_id), work.now)


@router.post(
    "/{hand_out_id}/slips",
    response_class=Response,
    responses={
        200: {
            "content": {_PDF: {"schema": {"type": "string", "format": "binary"}}},
            "description": "A4, to print once",
        },
        **problem_responses(401, 403, 404, 422),
    },
)
async def print_some(
    work: Work,
    scope: HandsOutAtSite,
    hand_out_id: uuid.UUID,
    body: schemas.PrintSlipsRequest,
    settings: Annotated[Settings, Depends(settings_of)],
) -> Response:
    """Print a log-in slip for each family. It works once, together with the phone number enrolled for the family.

    A new slip voids the previous one. Slips are not stored in readable form.
    """
    slips = await print_slips(work, scope.caller.staff_id, scope.site, hand_out_id, body.family_codes)
    return Response(await slips_paper(work, scope.site, slips, imprint_of(settings)), media_type=_PDF)


def _response(row: HandOut, now: datetime) -> schemas.HandOutResponse:
    return schemas.HandOutResponse.model_validate({**row.model_dump(), "open": is_open(row, now)})
