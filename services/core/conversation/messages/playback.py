"""Somebody wants to hear a voice message: the form they play is made ahead by the worker, or now."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from services.core.conversation.audio_assets.errors import AudioGoneError, AudioNotReadyError
from services.core.conversation.audio_assets.playable import Playable, playable_for_phone
from services.core.conversation.audio_assets.rendering import RenderOutcome, Transcoder, render_form
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.voice import notify_audio_changed
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.audio.errors import AudioNotReadableError
from services.core.platform.audio.rules import Form

# How often, and how long apart, a form that another process is making is looked for.
_LOOKS = 20
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class PlayableAudio:
    """Bytes that a phone plays, and the key that opens them."""

    playable: Playable
    key: bytes


async def prepare_rendition(transcoder: Transcoder, clip_id: uuid.UUID, form: Form, max_bytes: int = 0) -> None:
    """Decode a clip and make a form of it, if that is still to be done, and tell those who wait for it.

    Raises AudioNotReadyError, AudioBusyError, BlobStoreAwayError: come again.
    """
    made = await render_form(transcoder, clip_id, form, max_bytes)
    if made is RenderOutcome.MADE:
        async with transcoder.database.begin() as work:
            await notify_audio_changed(work, clip_id)


async def audio_for_phone(transcoder: Transcoder, clip_id: uuid.UUID) -> PlayableAudio:
    """Return the clip as phones play it, made now if nobody has; no transaction is open while it is.

    Raises AudioGoneError, AudioNotReadableError, AudioNotReadyError (five seconds were not enough), AudioBusyError.
    """
    for _ in range(_LOOKS):
        async with transcoder.database.begin() as work:
            clip = await work.session.get_one(AudioAsset, clip_id)
            found = await playable_for_phone(work, clip)
            if isinstance(found, Playable):
                return PlayableAudio(found, data_key(work, await work.session.get_one(Child, clip.child_id)))
        if isinstance(found, Undeliverable):
            raise AudioGoneError if clip.blob_id is None else AudioNotReadableError
        try:
            await prepare_rendition(transcoder, clip_id, found.form, found.max_bytes)
        except AudioNotReadyError:
            await asyncio.sleep(_LOOK_EVERY_S)
    raise AudioNotReadyError(1)
