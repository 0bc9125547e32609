"""Voice messages from guardians: check the decoded audio, store it, then create the message."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.audio_assets.storing import StoredAudio, store_audio
from services.core.conversation.messages.actions import (
    check_inbox_room,
    check_same_content,
    find_by_client_key,
    send_to_child,
)
from services.core.conversation.messages.rules import voice_body
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import child_by_id
from services.core.platform.audio.errors import ClipTooLargeError
from services.core.platform.audio.rules import CLIP_MAX_BYTES
from services.core.platform.db.database import UnitOfWork


async def send_voice_to_child(
    transcoder: Transcoder,
    child_id: uuid.UUID,
    guardian_id: uuid.UUID,
    client_key: str,
    sound: bytes,
    *,
    made_at: datetime | None = None,
    authorise: Callable[[UnitOfWork], Awaitable[None]] | None = None,
) -> uuid.UUID:
    """Send the child a recording and return the message's id; after the return the message is never lost.

    No transaction is open during decoding and storing, which take seconds. ``authorise`` checks access again in the
    transaction that writes the message, and raises when access was revoked meanwhile. Raises ClipTooLargeError,
    ClipTooLongError (60 s), AudioNotReadableError, AudioBusyError, BlobStoreAwayError, and the errors of
    ``send_to_child``. A retry with the same key and bytes returns the first message without decoding.
    """
    if len(sound) > CLIP_MAX_BYTES:
        raise ClipTooLargeError
    body = voice_body(hashlib.sha256(sound).hexdigest())
    async with transcoder.database.begin() as work:
        known = await find_by_client_key(work, guardian_id, client_key)
        if known is not None:
            await check_same_content(work, known, child_id, body)
            return known.message_id
        await check_inbox_room(work, child_id)
        child = await child_by_id(work, child_id)
        if child is None:
            raise NotFoundError
        key = data_key(work, child)
    found = await transcoder.sandbox.examine(sound)
    blob_id, digest = await store_audio(transcoder.database, transcoder.blobs, child_id, key, sound)
    async with transcoder.database.begin() as work:
        if authorise is not None:
            await authorise(work)
        stored = StoredAudio(blob_id, len(sound), digest, found=found)
        message = await send_to_child(work, child_id, guardian_id, client_key, body, clip=stored, made_at=made_at)
        return message.message_id
