"""Voice messages: send, play and keep."""

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response

from services.api.declaring import Routes
from services.api.dependencies import Tokens, TranscoderHere, Work, settings_of
from services.api.family.access import ChildScope, MayMessageChild, require_message_right
from services.api.family.audio_bodies import AUDIO_RESPONSES, RECORDING_BODY, audio_response, read_recording
from services.api.family.limits import costs_guardian
from services.api.family.routes.messages import IdempotencyKey, message_response
from services.api.family.schemas.messages import (
    AudioLinkResponse,
    EndingRecordingsResponse,
    KeepVoiceRequest,
    KeptRecordingsResponse,
    MadeAt,
    MessageResponse,
)
from services.api.head_requests import is_head
from services.api.problems import problem_responses
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.playback import audio_for_phone
from services.core.conversation.messages.queries import audio_asset_of, message_of
from services.core.conversation.messages.retention import ending_recordings, keep_ending_recordings, set_kept
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.people.accounts.tokens import LINK_LIFETIME, AudioClaims
from services.core.platform.audit.actions import guardian_actor, record_first_of_day
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/children/{child_id}", tags=["voice"])

MadeAtHeader = Annotated[MadeAt | None, Header(alias="Made-At")]


@router.post(
    "/voice-messages",
    status_code=201,
    dependencies=[costs_guardian(Limits.RECORDINGS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 409, 422, 429),
    openapi_extra=RECORDING_BODY,
)
async def send_voice(
    request: Request,
    work: Work,
    scope: MayMessageChild,
    key: IdempotencyKey,
    transcoder: TranscoderHere,
    made_at: MadeAtHeader = None,
) -> MessageResponse:
    """Send the child a recording. After the response, audio and message are stored and never lost.

    The recording is decoded first: 422 when it is unplayable or longer than 60 s, 413 when it is too large. A retry
    with the same `Idempotency-Key` and bytes returns the first message; 409 for other bytes.
    """
    sound = await read_recording(request)
    await work.commit_early()
    return await send_recording(transcoder, scope, key, sound, made_at)


async def send_recording(
    transcoder: Transcoder, scope: ChildScope, key: str, sound: bytes, made_at: datetime | None
) -> MessageResponse:
    """Send a complete recording and return its message."""
    sent = await send_voice_to_child(
        transcoder, scope.child.child_id, scope.caller.guardian_id, key, sound, made_at=made_at,
        authorise=lambda work: require_message_right(work, scope),
    )  # fmt: skip
    return message_response(sent, scope.child)


@router.get("/voice-messages/ending", responses=problem_responses(401, 403, 404, 422))
async def read_ending(work: Work, scope: MayMessageChild) -> EndingRecordingsResponse:
    """Return how many recordings of the caller are deleted within ten days unless a guardian keeps them."""
    ending = await ending_recordings(work, scope.child.child_id, scope.caller.guardian_id)
    return EndingRecordingsResponse(count=ending.count, first_ends_at=ending.first_ends_at)


@router.post("/voice-messages/keep", responses=problem_responses(401, 403, 404, 422))
async def keep_ending(work: Work, scope: MayMessageChild) -> KeptRecordingsResponse:
    """Keep all recordings that end within ten days, in one request. Repeating it keeps none."""
    return KeptRecordingsResponse(
        kept=await keep_ending_recordings(work, scope.child.child_id, scope.caller.guardian_id)
    )


@router.get(
    "/messages/{message_id}/audio",
    response_class=Response,
    responses={**problem_responses(401, 403, 404, 410, 416, 422), **AUDIO_RESPONSES},
)
async def read_audio(
    request: Request, work: Work, scope: MayMessageChild, message_id: uuid.UUID, transcoder: TranscoderHere
) -> Response:
    """Return a voice message as M4A/AAC; `Range` is supported. The first access of a guardian to a message
    in a day enters the access log: a player asks for parts of it, and a phone may fetch it ahead.

    503 with `Retry-After` while it is being transcoded. 410 after the recording was deleted.
    """
    return await audio_of_message(request, work, scope, message_id, transcoder)


async def audio_of_message(
    request: Request, work: Work, scope: ChildScope, message_id: uuid.UUID, transcoder: Transcoder
) -> Response:
    """Return the audio of the caller's own conversation, and log the first access of a day; a HEAD is none."""
    clip = await audio_asset_of(work, scope.child, scope.caller.guardian_id, message_id)
    if not is_head(request):
        actor = guardian_actor(scope.caller.guardian_id)
        await record_first_of_day(work, actor, "audio", family_id=scope.family_id, subject_id=message_id)
    await work.commit_early()
    return await audio_response(request, transcoder.blobs, await audio_for_phone(transcoder, clip.clip_id))


@router.post("/messages/{message_id}/audio-link", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def make_link(
    request: Request, work: Work, scope: MayMessageChild, message_id: uuid.UUID, tokens: Tokens
) -> AudioLinkResponse:
    """Create a link that plays this recording for five minutes, for players that send no headers."""
    await audio_asset_of(work, scope.child, scope.caller.guardian_id, message_id)
    claims = AudioClaims(scope.caller.guardian_id, scope.caller.session_id, scope.child.child_id, message_id)
    token = tokens.issue_link(claims, work.now)
    return AudioLinkResponse(
        url=f"{settings_of(request).public_url}/v1/audio/{token}", expires_at=work.now + LINK_LIFETIME
    )


@router.put("/messages/{message_id}/kept", responses=problem_responses(401, 403, 404, 422))
async def keep(work: Work, scope: MayMessageChild, message_id: uuid.UUID, body: KeepVoiceRequest) -> MessageResponse:
    """Keep a voice message beyond the retention of 90 days, or stop keeping it.

    The audio stays while any guardian keeps it. The same value changes nothing.
    """
    await set_kept(work, scope.child, scope.caller.guardian_id, message_id, kept=body.kept)
    return message_response(await message_of(work, scope.child, scope.caller.guardian_id, message_id), scope.child)
