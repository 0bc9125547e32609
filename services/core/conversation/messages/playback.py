"""Serve a voice message's audio to phones; transcode on demand when no rendition exists."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from services.core.conversation.audio_assets.errors import AudioGoneError, AudioNotReadyError
from services.core.conversation.audio_assets.playable import Playable, playable_for_phone
from services.core.conversation.audio_assets.rendering import Transcoder, render_form
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.messages.voice import notify_audio_changed
from services.core.people.households.child_key import data_key
from services.core.platform.audio.errors import AudioNotReadableError
from services.core.platform.audio.rules import Form

# Number of polls, and the pause between them, while another process makes the rendition.
_POLLS = 20
_POLL_S = 0.25


@dataclass(frozen=True)
class PlayableAudio:
    """Bytes in a form that phones play, and the key that decrypts them."""

    playable: Playable
    key: bytes


async def prepare_rendition(transcoder: Transcoder, clip_id: uuid.UUID, form: Form, max_bytes: int = 0) -> None:
    """Make ``form`` of a voice message's audio unless it exists; notify its readers in the same transaction.

    Raises AudioNotReadyError, AudioBusyError, BlobStoreAwayError; the caller retries later.
    """
    await render_form(transcoder, clip_id, form, max_bytes, notify_audio_changed)


async def audio_for_phone(transcoder: Transcoder, clip_id: uuid.UUID) -> PlayableAudio:
    """Return the rendition for phones; make it now if none exists. No transaction is open during the transcoding.

    Raises AudioGoneError, AudioNotReadableError, AudioNotReadyError (after five seconds), AudioBusyError.
    """
    for _ in range(_POLLS):
        async with transcoder.database.begin() as work:
            audio = await playable_for_phone(work, clip_id)
            playable = audio.playable
            if isinstance(playable, Playable):
                return PlayableAudio(playable, data_key(work, audio.child))
        if isinstance(playable, Undeliverable):
            raise AudioGoneError if audio.clip.blob_id is None else AudioNotReadableError
        try:
            await prepare_rendition(transcoder, clip_id, playable.form, playable.max_bytes)
        except AudioNotReadyError:
            await asyncio.sleep(_POLL_S)
    raise AudioNotReadyError(1)
