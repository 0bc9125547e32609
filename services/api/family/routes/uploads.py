"""Recordings in parts, for phones on bad networks."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Request

from services.api.dependencies import TranscoderHere, Work
from services.api.family.access import ChildScope, MayMessageChild
from services.api.family.audio_bodies import PART_BODY
from services.api.family.limits import costs_guardian
from services.api.family.routes.messages import IdempotencyKey
from services.api.family.routes.voice import send_recording
from services.api.family.schemas.messages import MessageResponse, NewUploadRequest, UploadResponse
from services.api.problems import problem_responses
from services.core.conversation.messages.actions import find_by_client_key
from services.core.conversation.messages.tables import PhoneUpload
from services.core.conversation.messages.uploads import add_part, assemble_upload, begin_upload, find_upload
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits

router = APIRouter(prefix="/v1/children/{child_id}/uploads", tags=["voice"])

# A part that arrives is never sent again: 64 KiB is some seconds on the worst of networks.
PART_MAX_BYTES = 64 * 1024


@router.post(
    "",
    status_code=201,
    dependencies=[costs_guardian(Limits.RECORDINGS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 409, 422, 429),
)
async def begin(work: Work, scope: MayMessageChild, key: IdempotencyKey, body: NewUploadRequest) -> UploadResponse:
    """Begin to send a recording in parts; a repeat with the same key returns the same upload. It lives for a day."""
    upload = await begin_upload(work, scope.child, scope.caller.guardian_id, key, body.bytes, body.sha256)
    return await _response(work, scope, upload)


@router.get("/{upload_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, upload_id: uuid.UUID) -> UploadResponse:
    """Tell how far an upload is."""
    return await _response(work, scope, await find_upload(work, scope.child, scope.caller.guardian_id, upload_id))


@router.patch("/{upload_id}", responses=problem_responses(401, 403, 404, 409, 422), openapi_extra=PART_BODY)
async def append(
    request: Request,
    work: Work,
    scope: MayMessageChild,
    upload_id: uuid.UUID,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**31 - 1, description="where this part begins")],
) -> UploadResponse:
    """Send the next part, at most 64 KiB at a time; once this is answered it need not be sent again."""
    part = await request.body()
    upload = await find_upload(work, scope.child, scope.caller.guardian_id, upload_id, lock=True)
    await add_part(work, scope.child, upload, offset, part)
    return await _response(work, scope, upload)


@router.post("/{upload_id}/message", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def finish(
    work: Work, scope: MayMessageChild, upload_id: uuid.UUID, transcoder: TranscoderHere
) -> MessageResponse:
    """Make the whole recording a message, under the key the upload was begun with; a repeat returns the same."""
    upload = await find_upload(work, scope.child, scope.caller.guardian_id, upload_id, lock=True)
    sound = await assemble_upload(work, scope.child, upload)
    await work.commit_early()
    return await send_recording(transcoder, scope, upload.client_key, sound)


async def _response(work: UnitOfWork, scope: ChildScope, upload: PhoneUpload) -> UploadResponse:
    sent = await find_by_client_key(work, scope.caller.guardian_id, upload.client_key)
    return UploadResponse(
        upload_id=upload.upload_id, bytes=upload.size_bytes, offset=upload.offset, part_max_bytes=PART_MAX_BYTES,
        expires_at=upload.expires_at, message_id=None if sent is None else sent.message_id,
    )  # fmt: skip
