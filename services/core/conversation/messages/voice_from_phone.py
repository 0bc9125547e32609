"""A guardian speaks: the rules are checked on the decoded sound, then it is stored, then it is a message."""

from __future__ import annotations

import hashlib
import uuid

from services.core.conversation.audio_assets.rendering import Studio
from services.core.conversation.audio_assets.storing import StoredClip, store_bytes
from services.core.conversation.messages.actions import (
    find_sent,
    refuse_full_inbox,
    refuse_other_content,
    send_to_child,
)
from services.core.conversation.messages.rules import voice_body
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import child_by_id
from services.core.platform.audio.errors import ClipTooLargeError
from services.core.platform.audio.rules import CLIP_MAX_BYTES


async def speak_to_child(
    studio: Studio, child_id: uuid.UUID, guardian_id: uuid.UUID, client_key: str, sound: bytes
) -> uuid.UUID:
    """Take a recording for the child and return the message's id; once this returns it is never lost.

    No transaction is open while it is decoded or stored. Raises ClipTooLargeError, ClipTooLongError (60 s),
    AudioNotReadableError, AudioBusyError, BlobStoreAwayError, and what ``send_to_child`` raises. A repeat with the
    same key and bytes returns the first message without decoding anything.
    """
    if len(sound) > CLIP_MAX_BYTES:
        raise ClipTooLargeError
    body = voice_body(hashlib.sha256(sound).hexdigest())
    async with studio.database.begin() as work:
        known = await find_sent(work, guardian_id, client_key)
        if known is not None:
            refuse_other_content(known, child_id, body)
            return known.message_id
        await refuse_full_inbox(work, child_id)
        child = await child_by_id(work, child_id)
        if child is None:
            raise NotFoundError
        key = data_key(work, child)
    found = await studio.sandbox.examine(sound)
    blob_id, digest = await store_bytes(studio.database, studio.blobs, child_id, key, sound)
    async with studio.database.begin() as work:
        stored = StoredClip(blob_id, len(sound), digest, found=found)
        return (await send_to_child(work, child_id, guardian_id, client_key, body, clip=stored)).message_id
