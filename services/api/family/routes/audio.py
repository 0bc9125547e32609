"""Recordings by signed link."""

from fastapi import Request
from starlette.responses import Response

from services.api.declaring import Routes
from services.api.dependencies import TranscoderHere, Work
from services.api.family.access import HoldsLink
from services.api.family.audio_bodies import AUDIO_RESPONSES
from services.api.family.routes.voice import audio_of_message
from services.api.problems import problem_responses

router = Routes(prefix="/v1/audio", tags=["voice"])


@router.get(
    "/{token}",
    response_class=Response,
    responses={**problem_responses(401, 403, 404, 410, 416, 422), **AUDIO_RESPONSES},
)
async def read_audio_by_link(request: Request, work: Work, scope: HoldsLink, transcoder: TranscoderHere) -> Response:
    """Return the recording of a signed link as M4A/AAC; `Range` is supported.

    No token is needed. The link works until it expires, and only while the guardian who requested it may hear the
    recording. 410 after the recording was deleted.
    """
    return await audio_of_message(request, work, scope, scope.message_id, transcoder)
