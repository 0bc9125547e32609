"""Find the form of an audio asset that a receiver plays, and where its bytes are."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from services.core.conversation.audio_assets.rules import (
    AssetFacts,
    FormChoice,
    Undeliverable,
    form_for_phone,
    form_for_watch,
    playback_profile,
)
from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.platform.audio.rules import Form, Media
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Playable:
    """Bytes in a form that the receiver plays: their location and their properties."""

    blob_id: uuid.UUID
    form: Form
    size_bytes: int
    sha256: str
    duration_ms: int


@dataclass(frozen=True)
class RenditionMissing:
    """The form that the receiver needs, of which no rendition exists yet."""

    form: Form
    max_bytes: int


async def playable_for_watch(
    work: UnitOfWork, clip: AudioAsset, hello: Mapping[str, Any]
) -> Playable | RenditionMissing | Undeliverable:
    """Return the audio that a watch with this ``hello`` receives."""
    if clip.state == "unplayable":
        return Undeliverable("unsupported_codec")
    if clip.state == "raw":
        # The asset was not decoded yet, so the form for the watch cannot be chosen.
        return RenditionMissing(Form.PHONE, 0)
    wanted = form_for_watch(_found(clip), playback_profile(hello))
    return wanted if isinstance(wanted, Undeliverable) else await _playable(work, clip, wanted)


async def playable_for_phone(work: UnitOfWork, clip: AudioAsset) -> Playable | RenditionMissing | Undeliverable:
    """Return the audio that a phone receives."""
    if clip.state == "unplayable":
        return Undeliverable("unplayable")
    return await _playable(work, clip, form_for_phone(_found(clip)))


async def _playable(
    work: UnitOfWork, clip: AudioAsset, wanted: FormChoice
) -> Playable | RenditionMissing | Undeliverable:
    if clip.blob_id is None:
        return Undeliverable("gone")
    if wanted.as_it_is:
        return Playable(clip.blob_id, wanted.form, clip.size_bytes, clip.sha256, clip.duration_ms or 0)
    result = await work.session.exec(
        select(Rendition).where(
            col(Rendition.clip_id) == clip.clip_id,
            col(Rendition.form) == wanted.form.value,
            col(Rendition.max_bytes) == wanted.max_bytes,
        )
    )
    made = result.first()
    if made is None:
        return RenditionMissing(wanted.form, wanted.max_bytes)
    if made.blob_id is None:
        return Undeliverable(made.failure or "unplayable")
    return Playable(made.blob_id, wanted.form, made.size_bytes, made.sha256, made.duration_ms)


def _found(clip: AudioAsset) -> AssetFacts:
    return AssetFacts(
        media=None if clip.media is None else Media(clip.media),
        channels=clip.channels or 1,
        size_bytes=clip.size_bytes,
        duration_ms=clip.duration_ms or 0,
    )
