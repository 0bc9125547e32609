"""Resumable uploads of recordings, for phones on unreliable networks."""

import uuid
from typing import Annotated

from fastapi import Header, Request

from services.api.declaring import Routes
from services.api.dependencies import TranscoderHere, Work
from services.api.family.access import ChildScope, MayMessageChild
from services.api.family.audio_bodies import PART_BODY
from services.api.family.limits import costs_guardian
from services.api.family.routes.messages import IdempotencyKey, message_response
from services.api.family.routes.voice import MadeAtHeader, send_recording
from services.api.family.schemas.messages import MessageResponse, NewUploadRequest, UploadResponse
from services.api.problems import problem_responses
from services.core.conversation.messages.actions import find_by_client_key
from services.core.conversation.messages.queries import message_of
from services.core.conversation.messages.tables import PhoneUpload
from services.core.conversation.messages.uploads import add_part, assemble_upload, begin_upload, find_upload
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/children/{child_id}/uploads", tags=["voice"])

# Parts are never resent after their response. 64 KiB takes some seconds on the slowest networks.
PART_MAX_BYTES = 64 * 1024


@router.post(
    "",
    status_code=201,
    dependencies=[costs_guardian(Limits.RECORDINGS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 409, 422, 429),
)
async def begin(work: Work, scope: MayMessageChild, key: IdempotencyKey, body: NewUploadRequest) -> UploadResponse:
    """Begin a resumable upload of a recording; it expires after a day.

    A retry with the same `Idempotency-Key` and body returns the same upload; 409 for another body.
    """
    upload = await begin_upload(work, scope.child, scope.caller.guardian_id, key, body.bytes, body.sha256)
    return await _response(work, scope, upload)


@router.get("/{upload_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, upload_id: uuid.UUID) -> UploadResponse:
    """Return the progress of an upload; the next part begins at `offset`."""
    return await _response(work, scope, await find_upload(work, scope.child, scope.caller.guardian_id, upload_id))


@router.patch("/{upload_id}", responses=problem_responses(401, 403, 404, 409, 422), openapi_extra=PART_BODY)
async def append(
    request: Request,
    work: Work,
    scope: MayMessageChild,
    upload_id: uuid.UUID,
    offset: Annotated[
        int, Header(alias="Upload-Offset", ge=0, le=2**31 - 1, description="byte offset at which this part begins")
    ],
) -> UploadResponse:
    """Append the next part, at most 64 KiB; after the response it is stored.

    409 with the expected `offset` when `Upload-Offset` differs: continue from there.
    """
    part = await request.body()
    upload = await find_upload(work, scope.child, scope.caller.guardian_id, upload_id, lock=True)
    await add_part(work, scope.child, upload, offset, part)
    return await _response(work, scope, upload)


@router.post("/{upload_id}/message", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def finish(
    work: Work, scope: MayMessageChild, upload_id: uuid.UUID, transcoder: TranscoderHere, made_at: MadeAtHeader = None
) -> MessageResponse:
    """Create the voice message from a complete upload, under the key of the upload; a retry returns the same message.

    409 with `offset` while bytes are missing; 422 with `offset` 0 when the hash differs: send all parts again.
    """
    upload = await find_upload(work, scope.child, scope.caller.guardian_id, upload_id, lock=True)
    sent = await find_by_client_key(work, scope.caller.guardian_id, upload.client_key)
    if sent is not None:
        # Its parts may be gone already.
        known = await message_of(work, scope.child, scope.caller.guardian_id, sent.message_id)
        return message_response(known, scope.child)
    sound = await assemble_upload(work, scope.child, upload)
    await work.commit_early()
    return await send_recording(transcoder, scope, upload.client_key, sound, made_at)


async def _response(work: UnitOfWork, scope: ChildScope, upload: PhoneUpload) -> UploadResponse:
    sent = await find_by_client_key(work, scope.caller.guardian_id, upload.client_key)
    return UploadResponse(
        upload_id=upload.upload_id, bytes=upload.size_bytes, offset=upload.offset, part_max_bytes=PART_MAX_BYTES,
        expires_at=upload.expires_at, message_id=None if sent is None else sent.message_id,
    )  # fmt: skip
