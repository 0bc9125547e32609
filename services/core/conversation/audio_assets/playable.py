"""Find the form of an audio asset that a receiver plays, and where its bytes are."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy.exc import NoResultFound

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
    """The form of an asset that the receiver needs, of which no rendition exists yet."""

    clip_id: uuid.UUID
    form: Form
    max_bytes: int


def playable_for_watch(
    clip: AudioAsset, made: Collection[MadeForm], hello: Mapping[str, Any]
) -> Playable | RenditionMissing | Undeliverable:
    """Return the audio that a watch with this ``hello`` receives; ``made``: the renditions of the asset."""
    if clip.state == "unplayable":
        return Undeliverable("unsupported_codec")
    if clip.state == "raw":
        # The asset was not decoded yet, so the form for the watch cannot be chosen.
        return RenditionMissing(clip.clip_id, Form.PHONE, 0)
    wanted = form_for_watch(_facts(clip), playback_profile(hello))
    if isinstance(wanted, Undeliverable):
        return wanted
    known = (each for each in made if (each.form, each.max_bytes) == (wanted.form.value, wanted.max_bytes))
    return _choose(clip, wanted, next(known, None))


def first_rendition_for_watch(
    clip_id: uuid.UUID, clip: AssetFacts, hello: Mapping[str, Any]
) -> RenditionMissing | None:
    """Return the rendition to make of a new asset for a watch with this ``hello``; None: it plays the original or none.

    No statement: a new asset has no renditions.
    """
    wanted = form_for_watch(clip, playback_profile(hello))
    if isinstance(wanted, Undeliverable) or wanted.as_it_is:
        return None
    return RenditionMissing(clip_id, wanted.form, wanted.max_bytes)


class MadeForm(NamedTuple):
    """A rendition, as a statement that reads much more returns it (`MADE_FORMS`)."""

    form: str
    max_bytes: int
    blob_id: uuid.UUID | None
    size_bytes: int
    sha256: str
    duration_ms: int
    failure: str | None


# An expression for the renditions of the asset in the row `clip`; see `made_forms`.
MADE_FORMS: Final = (
    "(SELECT jsonb_agg(jsonb_build_array(made.form, made.max_bytes, made.blob_id, made.size_bytes, made.sha256,"
    " made.duration_ms, made.failure)) FROM rendition AS made WHERE made.clip_id = clip.clip_id)"
)


def made_forms(value: Sequence[Sequence[Any]] | None) -> list[MadeForm]:
    """Return the renditions of a value of `MADE_FORMS`."""
    return [
        MadeForm(form, max_bytes, None if blob_id is None else uuid.UUID(blob_id), *others)
        for form, max_bytes, blob_id, *others in value or ()
    ]


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


def _choose(
    clip: AudioAsset, wanted: FormChoice, made: Rendition | MadeForm | None
) -> Playable | RenditionMissing | Undeliverable:  # fmt: skip
    """Return the original, or the rendition of the wanted form if it was made."""
    if clip.blob_id is None:
        return Undeliverable("gone")
    if wanted.as_it_is:
        return Playable(clip.blob_id, wanted.form, clip.size_bytes, clip.sha256, clip.duration_ms or 0)
    if made is None:
        return RenditionMissing(clip.clip_id, wanted.form, wanted.max_bytes)
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
