"""Which form of a clip a receiver is given, and how long unfinished clips are kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.core.platform.audio.rules import Form, Media, plays_as

# A clip whose `end` has not come: its watch keeps it and sends what is missing, however long it was away.
UNFINISHED_KEPT_FOR = timedelta(days=30)
# Chunks of unfinished clips one watch may have here. The oldest clip makes room; its chunks are asked for again.
UNFINISHED_MAX_BYTES = 16 * 1024 * 1024
# Chunks of one clip: twice the largest, so that all of them can come again with another size.
ASSET_CHUNKS_MAX_BYTES = 2 * 1024 * 1024
# A process that dies while decoding proves nothing about the clip; one that dies every time does.
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class PlaybackProfile:
    """What a watch plays, in its own order of preference, and how much of it."""

    forms: tuple[Form, ...]
    max_bytes: int
    max_play_ms: int


@dataclass(frozen=True)
class AssetFacts:
    """What a clip is known to be; ``media`` None: not decoded yet."""

    media: Media | None
    channels: int
    size_bytes: int
    duration_ms: int


@dataclass(frozen=True)
class FormChoice:
    """The form to give; ``as_it_is``: the original is that form already."""

    form: Form
    max_bytes: int
    as_it_is: bool


@dataclass(frozen=True)
class Undeliverable:
    """No form will do; ``detail`` is a word of the watch protocol for the sender."""

    detail: str


PHONE_MAX_BYTES = 0


def playback_profile(hello: Mapping[str, Any]) -> PlaybackProfile:
    """Return what the latest hello says of playing; a codec that is not known here is passed over."""
    known = {form.value: form for form in (Form.AMR_NB, Form.OPUS)}
    plays = hello.get("plays", [Form.AMR_NB.value])
    return PlaybackProfile(
        forms=tuple(known[word] for word in plays if word in known),
        max_bytes=int(hello.get("max_clip_bytes", 256 * 1024)),
        max_play_ms=int(hello.get("max_play_s", 60)) * 1000,
    )


def form_for_watch(clip: AssetFacts, taste: PlaybackProfile) -> FormChoice | Undeliverable:
    """Choose what a watch is given: the original where it plays it and has room, else its first form, made to fit."""
    if not taste.forms:
        return Undeliverable("unsupported_codec")
    # A recorder that stops at the limit has a frame or two more.
    if clip.duration_ms > taste.max_play_ms + 500:
        return Undeliverable("clip_too_large")
    if clip.media is not None and clip.size_bytes <= taste.max_bytes:
        own = plays_as(clip.media, clip.channels)
        if own in taste.forms:
            return FormChoice(own, taste.max_bytes, as_it_is=True)
    return FormChoice(taste.forms[0], taste.max_bytes, as_it_is=False)


def form_for_phone(clip: AssetFacts) -> FormChoice:
    """Choose what a phone is given."""
    own = None if clip.media is None else plays_as(clip.media, clip.channels)
    return FormChoice(Form.PHONE, PHONE_MAX_BYTES, as_it_is=own is Form.PHONE)
