"""Somebody wants to hear a voice message: the form they play is made ahead by the worker, or now."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from services.core.conversation.audio_assets.errors import AudioGoneError, AudioNotReadyError
from services.core.conversation.audio_assets.playable import Playable, playable_for_phone
from services.core.conversation.audio_assets.rendering import Studio, Work, make_form
from services.core.conversation.audio_assets.rules import Impossible
from services.core.conversation.audio_assets.tables import Clip
from services.core.conversation.messages.voice import tell_of_work
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.audio.errors import AudioNotReadableError
from services.core.platform.audio.rules import Form

# How often, and how long apart, a form that another process is making is looked for.
_LOOKS = 20
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Sound:
    """Bytes that a phone plays, and the key that opens them."""

    playable: Playable
    key: bytes


async def make_ready(studio: Studio, clip_id: uuid.UUID, form: Form, max_bytes: int = 0) -> None:
    """Decode a clip and make a form of it, if that is still to be done, and tell those who wait for it.

    Raises AudioNotReadyError, AudioBusyError, BlobStoreAwayError: come again.
    """
    made = await make_form(studio, clip_id, form, max_bytes)
    if made is Work.MADE:
        async with studio.database.begin() as work:
            await tell_of_work(work, clip_id)


async def sound_for_phone(studio: Studio, clip_id: uuid.UUID) -> Sound:
    """Return the clip as phones play it, made now if nobody has; no transaction is open while it is.

    Raises AudioGoneError, AudioNotReadableError, AudioNotReadyError (five seconds were not enough), AudioBusyError.
    """
    for _ in range(_LOOKS):
        async with studio.database.begin() as work:
            clip = await work.session.get_one(Clip, clip_id)
            found = await playable_for_phone(work, clip)
            if isinstance(found, Playable):
                return Sound(found, data_key(work, await work.session.get_one(Child, clip.child_id)))
        if isinstance(found, Impossible):
            raise AudioGoneError if clip.blob_id is None else AudioNotReadableError
        try:
            await make_ready(studio, clip_id, found.form, found.max_bytes)
        except AudioNotReadyError:
            await asyncio.sleep(_LOOK_EVERY_S)
    raise AudioNotReadyError(1)
