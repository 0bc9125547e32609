"""Find the form of an audio asset that a receiver plays, and where its bytes are."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy.exc import NoResultFound
from sqlmodel import col, select

from services.core.conversation.audio_assets.rules import (
    PHONE_MAX_BYTES,
    AssetFacts,
    FormChoice,
    Undeliverable,
    form_for_phone,
    form_for_watch,
    playback_profile,
)
from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.people.households.tables import Child
from services.core.platform.audio.rules import Form, Media
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of


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
    wanted = form_for_watch(_facts(clip), playback_profile(hello))
    return wanted if isinstance(wanted, Undeliverable) else await _playable(work, clip, wanted)


def first_rendition_for_watch(clip: AssetFacts, hello: Mapping[str, Any]) -> RenditionMissing | None:
    """Return the rendition to make of a new asset for a watch with this ``hello``; None: it plays the original or none.

    No statement: a new asset has no renditions.
    """
    wanted = form_for_watch(clip, playback_profile(hello))
    if isinstance(wanted, Undeliverable) or wanted.as_it_is:
        return None
    return RenditionMissing(wanted.form, wanted.max_bytes)


@dataclass(frozen=True)
class PhoneAudio:
    """An asset with its child, and the audio of it that a phone receives."""

    clip: AudioAsset
    child: Child
    playable: Playable | RenditionMissing | Undeliverable


async def playable_for_phone(work: UnitOfWork, clip_id: uuid.UUID) -> PhoneAudio:
    """Return the audio that a phone receives, by one statement. Raises NoResultFound."""
    rows = await work.read(_for_phone(), clip_id, Form.PHONE.value, PHONE_MAX_BYTES)
    if not rows:
        raise NoResultFound
    clip, child, made = objects_of(work, tuple(rows[0]), AudioAsset, Child, Rendition)
    playable: Playable | RenditionMissing | Undeliverable = Undeliverable("unplayable")
    if clip.state != "unplayable":
        playable = _choose(clip, form_for_phone(_facts(clip)), made)
    return PhoneAudio(clip, child, playable)


@cache
def _for_phone() -> str:
    return f"""
        SELECT {columns_of((AudioAsset, "a"), (Child, "k"), (Rendition, "r"))}
        FROM clip a JOIN child k ON k.child_id = a.child_id
        LEFT JOIN rendition r ON r.clip_id = a.clip_id AND r.form = $2 AND r.max_bytes = $3
        WHERE a.clip_id = $1
    """  # noqa: S608 - names of our own columns


async def _playable(
    work: UnitOfWork, clip: AudioAsset, wanted: FormChoice
) -> Playable | RenditionMissing | Undeliverable:
    if clip.blob_id is None or wanted.as_it_is:
        return _choose(clip, wanted, None)
    result = await work.session.exec(
        select(Rendition).where(
            col(Rendition.clip_id) == clip.clip_id,
            col(Rendition.form) == wanted.form.value,
            col(Rendition.max_bytes) == wanted.max_bytes,
        )
    )
    return _choose(clip, wanted, result.first())


def _choose(
    clip: AudioAsset, wanted: FormChoice, made: Rendition | None
) -> Playable | RenditionMissing | Undeliverable:  # fmt: skip
    """Return the original, or the rendition of the wanted form if it was made."""
    if clip.blob_id is None:
        return Undeliverable("gone")
    if wanted.as_it_is:
        return Playable(clip.blob_id, wanted.form, clip.size_bytes, clip.sha256, clip.duration_ms or 0)
    if made is None:
        return RenditionMissing(wanted.form, wanted.max_bytes)
    if made.blob_id is None:
        return Undeliverable(made.failure or "unplayable")
    return Playable(made.blob_id, wanted.form, made.size_bytes, made.sha256, made.duration_ms)


def _facts(clip: AudioAsset) -> AssetFacts:
    return AssetFacts(
        media=None if clip.media is None else Media(clip.media),
        channels=clip.channels or 1,
        size_bytes=clip.size_bytes,
        duration_ms=clip.duration_ms or 0,
    )
