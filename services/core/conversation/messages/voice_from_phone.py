"""Voice messages from guardians: check the decoded audio, store it, then create the message."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.audio_assets.storing import ExaminedAudio, store_audio
from services.core.conversation.messages.actions import check_admission, send_to_child
from services.core.conversation.messages.queries import MessageView, message_of
from services.core.conversation.messages.rules import voice_body
from services.core.conversation.messages.to_child import read_conversation
from services.core.people.households.child_key import data_key
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
) -> MessageView:
    """Send the child a recording and return the message as its sender sees it; after that it is never lost.

    No transaction is open during decoding and storing, which take seconds. ``authorise`` checks access again in the
    transaction that writes the message, and raises when access was revoked meanwhile. Raises ClipTooLargeError,
    ClipTooLongError (60 s), AudioNotReadableError, AudioBusyError, BlobStoreAwayError, and the errors of
    ``send_to_child``. A retry with the same key and bytes returns the first message without decoding.
    """
    if len(sound) > CLIP_MAX_BYTES:
        raise ClipTooLargeError
    body = voice_body(hashlib.sha256(sound).hexdigest())
    async with transcoder.database.begin() as work:
        # Without a lock, and decided again below: nothing is decoded or stored for a request that is refused anyway.
        conversation = await read_conversation(work, child_id, guardian_id, client_key)
        known_id = check_admission(work, conversation, body)
        if known_id is not None:
            return await message_of(work, conversation.child, guardian_id, known_id)
        key = data_key(work, conversation.child)
    examined = await transcoder.sandbox.examine(sound)
    blob_id, digest = await store_audio(transcoder.database, transcoder.blobs, child_id, key, sound)
    async with transcoder.database.begin() as work:
        if authorise is not None:
            await authorise(work)
        clip = ExaminedAudio(blob_id, len(sound), digest, examined)
        return await send_to_child(work, child_id, guardian_id, client_key, body, clip, made_at=made_at)
