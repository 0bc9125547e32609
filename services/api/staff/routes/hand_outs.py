"""Hand-outs: a code budget for families that share one network address, and printed slips as an SMS fallback."""

import uuid
from datetime import timedelta

from starlette.responses import Response

from services.api.declaring import Routes
from services.api.dependencies import SettingsHere, Work
from services.api.problems import problem_responses
from services.api.staff.access import HandsOutAtSite, SiteScope
from services.api.staff.papers import imprint_of
from services.api.staff.schemas import care as schemas
from services.core.office.hand_outs.actions import (
    close_hand_out,
    hand_outs_of,
    may_prolong,
    open_hand_out,
    print_slips,
    prolong_hand_out,
)
from services.core.office.hand_outs.walls import wall_token
from services.core.office.papers.site_papers import slips_paper
from services.core.people.households.hand_out_codes import is_open
from services.core.people.households.tables import HandOut
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.settings import Settings

router = Routes(prefix="/v1/staff/sites/{site_id}/hand-outs", tags=["staff: hand-out"])

_PDF = "application/pdf"


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_hand_outs(work: Work, scope: HandsOutAtSite, settings: SettingsHere) -> schemas.HandOutsResponse:
    """List the newest hand-outs of a site."""
    return schemas.HandOutsResponse(
        hand_outs=[
            _response(work, scope, settings, hand_out) for hand_out in await hand_outs_of(work, scope.site.site_id)
        ]
    )


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 422, 429))
async def open_one(
    work: Work, scope: HandsOutAtSite, body: schemas.NewHandOutRequest, settings: SettingsHere
) -> schemas.OpenedHandOutResponse:
    """Open a hand-out for at most two hours. Staff display its code, and the families' phones send it as proof."""
    await charge(work, Charge(Limits.HAND_OUTS_OF_STAFF, str(scope.caller.staff_id)))
    row, code = await open_hand_out(
        work, scope.caller.staff_id, scope.site, families=body.families, lasts=timedelta(minutes=body.minutes)
    )
    return schemas.OpenedHandOutResponse(**_response(work, scope, settings, row).model_dump(), code=code)


@router.post("/{hand_out_id}/prolong", responses=problem_responses(401, 403, 404, 422))
async def prolong(
    work: Work,
    scope: HandsOutAtSite,
    hand_out_id: uuid.UUID,
    body: schemas.ProlongHandOutRequest,
    settings: SettingsHere,
) -> schemas.HandOutResponse:
    """Keep a hand-out open for longer with the same wall code and slips; only who opened it, six hours at most.

    Repeating the request, or an earlier end, changes nothing.
    """
    row = await prolong_hand_out(work, scope.caller.staff_id, scope.site, hand_out_id, body.closes_at)
    return _response(work, scope, settings, row)


@router.post("/{hand_out_id}/close", responses=problem_responses(401, 403, 404, 422))
async def close(
    work: Work, scope: HandsOutAtSite, hand_out_id: uuid.UUID, settings: SettingsHere
) -> schemas.HandOutResponse:
    """Close a hand-out early: its code and slips become invalid. Repeating the request changes nothing."""
    row = await close_hand_out(work, scope.caller.staff_id, scope.site, hand_out_id)
    return _response(work, scope, settings, row)


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
    settings: SettingsHere,
) -> Response:
    """Print a log-in slip for each family. It works once, together with the phone number enrolled for the family.

    A new slip voids the previous one. Slips are not stored in readable form.
    """
    slips = await print_slips(work, scope.caller.staff_id, scope.site, hand_out_id, body.family_codes)
    return Response(await slips_paper(work, scope.site, slips, imprint_of(settings)), media_type=_PDF)


def _response(work: UnitOfWork, scope: SiteScope, settings: Settings, row: HandOut) -> schemas.HandOutResponse:
    is_standing = is_open(row, work.now)
    address = f"{settings.public_url.rstrip('/')}/wall#{wall_token(work, row.hand_out_id)}"
    return schemas.HandOutResponse.model_validate(
        {
            **row.model_dump(), "open": is_standing, "wall_url": address if is_standing else None,
            "may_prolong": is_standing and may_prolong(row, scope.caller.staff_id),
        }
    )  # fmt: skip
