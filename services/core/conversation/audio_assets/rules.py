"""Choose the form of an audio asset for a receiver; bounds of unfinished uploads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.core.platform.audio.rules import Form, Media, plays_as

# For uploads without an `end`: a watch keeps the recording and sends missing chunks, even after weeks without network.
UNFINISHED_KEPT_FOR = timedelta(days=30)
# Bound for all unfinished chunks of a watch. Beyond it the oldest upload is deleted and its chunks requested again.
UNFINISHED_MAX_BYTES = 16 * 1024 * 1024
# Bound for one upload: twice the largest recording, so that all chunks can be sent again with another size.
ASSET_CHUNKS_MAX_BYTES = 2 * 1024 * 1024
# A single crash of a decoder may be the host's fault; a crash in every attempt is the recording's.
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class PlaybackProfile:
    """The codecs that a watch plays, in its order of preference, and its largest size."""

    forms: tuple[Form, ...]
    max_bytes: int
    max_play_ms: int


@dataclass(frozen=True)
class AssetFacts:
    """Known properties of an asset; ``media`` None: not decoded yet."""

    media: Media | None
    channels: int
    size_bytes: int
    duration_ms: int


@dataclass(frozen=True)
class FormChoice:
    """The chosen form; ``as_it_is``: the original already is that form."""

    form: Form
    max_bytes: int
    as_it_is: bool


@dataclass(frozen=True)
class Undeliverable:
    """No form is possible; ``detail`` is a word of the watch protocol for the sender."""

    detail: str


PHONE_MAX_BYTES = 0


def playback_profile(hello: Mapping[str, Any]) -> PlaybackProfile:
    """Return the playback capabilities of the latest hello; unknown codecs are ignored."""
    known = {form.value: form for form in (Form.AMR_NB, Form.OPUS)}
    plays = hello.get("plays", [Form.AMR_NB.value])
    return PlaybackProfile(
        forms=tuple(known[word] for word in plays if word in known),
        max_bytes=int(hello.get("max_clip_bytes", 256 * 1024)),
        max_play_ms=int(hello.get("max_play_s", 60)) * 1000,
    )


def form_for_watch(clip: AssetFacts, taste: PlaybackProfile) -> FormChoice | Undeliverable:
    """Choose the form for a watch: the original if it plays and fits, else the watch's first codec, made to fit."""
    if not taste.forms:
        return Undeliverable("unsupported_codec")
    # A recorder that stops at the limit may add an audio frame or two.
    if clip.duration_ms > taste.max_play_ms + 500:
        return Undeliverable("clip_too_large")
    if clip.media is not None and clip.size_bytes <= taste.max_bytes:
        own = plays_as(clip.media, clip.channels)
        if own in taste.forms:
            return FormChoice(own, taste.max_bytes, as_it_is=True)
    return FormChoice(taste.forms[0], taste.max_bytes, as_it_is=False)


def form_for_phone(clip: AssetFacts) -> FormChoice:
    """Choose the form for a phone."""
    own = None if clip.media is None else plays_as(clip.media, clip.channels)
    return FormChoice(Form.PHONE, PHONE_MAX_BYTES, as_it_is=own is Form.PHONE)
