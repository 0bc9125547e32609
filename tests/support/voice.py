"""Voice messages over HTTP: a child's clip sent by its watch, the newest message of a page, its audio."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx

from services.core.conversation.audio_assets.chunks_from_watch import UploadManifest
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.voice_from_watch import VoiceUpload
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.crypto.random_ids import new_ref
from tests.support.http import Parent
from tests.support.uplinks import receive_voice, store_chunk


async def child_speaks(transcoder: Transcoder, identity: WatchIdentity, sound: bytes) -> str:
    """Have the child's watch send a clip; return what it is answered."""
    ref, digest = new_ref(), hashlib.sha256(sound).hexdigest()
    chunks = [sound[place : place + 16_384] for place in range(0, len(sound), 16_384)]
    async with transcoder.database.begin() as work:
        standing = await standing_identity(work, identity.username)
        assert standing is not None
        for number, chunk in enumerate(chunks):
            await store_chunk(work, standing, ref, number, chunk)
            await work.flush()
    clip = VoiceUpload(ref, "family", UploadManifest(len(sound), len(chunks), digest), digest, "amr-nb", None)
    answer = await receive_voice(transcoder.database, transcoder.blobs, identity.username, clip)
    return getattr(answer, "code", "missing")


async def audio(parent: Parent, message: dict[str, Any], **headers: str) -> httpx.Response:
    return await parent.ask("GET", f"{parent.child}/messages/{message['message_id']}/audio", headers=headers)


async def newest(parent: Parent) -> dict[str, Any]:
    page = await parent.told("GET", f"{parent.child}/messages")
    message: dict[str, Any] = page["messages"][0]
    return message
