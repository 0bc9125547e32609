"""Recordings by signed link."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.dependencies import StudioHere, Work
from services.api.family.access import HoldsLink
from services.api.family.routes.voice import heard
from services.api.family.sound import SOUND_ANSWERS
from services.api.problems import answers

router = APIRouter(prefix="/v1/audio", tags=["voice"])


@router.get("/{token}", response_class=Response, responses={**answers(401, 403, 404, 410, 416, 422), **SOUND_ANSWERS})
async def hear_by_link(request: Request, work: Work, scope: HoldsLink, studio: StudioHere) -> Response:
    """Hear the recording this link was made for, for as long as who asked for the link may hear it."""
    return await heard(request, work, scope, scope.message_id, studio)
