"""Limits of recordings, and the bit rates of renditions. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

# One minute, as the recording screens of watch and phone allow.
CLIP_MAX_S: Final = 60
# A recorder that stops at one minute adds a frame, and a codec its delay.
CLIP_TOLERANCE_MS: Final = 1_000
CLIP_MAX_BYTES: Final = 1024 * 1024
# Number of bars of a waveform on screens.
BARS: Final = 44


class Media(StrEnum):
    """The accepted kinds of recordings, as decoding finds them. At most 12 characters: they are stored."""

    ADTS_AAC = "adts-aac"
    AIFF = "aiff"
    AMR_NB = "amr-nb"
    AMR_WB = "amr-wb"
    CAF = "caf"
    FLAC = "flac"
    MP3 = "mp3"
    MP4_AAC = "mp4-aac"
    MP4_ALAC = "mp4-alac"
    MP4_AMR_NB = "mp4-amr-nb"
    MP4_AMR_WB = "mp4-amr-wb"
    MP4_OPUS = "mp4-opus"
    OGG_OPUS = "ogg-opus"
    WAV = "wav"
    WEBM_OPUS = "webm-opus"


class Form(StrEnum):
    """The forms of renditions: M4A/AAC for phones; AMR-NB (``#!AMR``) or Ogg/Opus for watches. All mono."""

    PHONE = "phone"
    AMR_NB = "amr-nb"
    OPUS = "opus"


MEDIA_TYPE: Final[Mapping[Form, str]] = {
    Form.PHONE: "audio/mp4",
    Form.AMR_NB: "audio/amr",
    Form.OPUS: "audio/ogg",
}

# Bits a second, the best first. AAC's encoder takes up to 7 % more than it is asked for, and 6 % less: phones get 24 to
# 32 kbit/s of sound at both of its rates (measured by the tests of renditions). AMR's are the eight modes of the codec
# (3GPP TS 26.071).
BIT_RATES: Final[Mapping[Form, Sequence[int]]] = {
    Form.PHONE: (28_000, 26_000),
    Form.AMR_NB: (12_200, 10_200, 7_950, 7_400, 6_700, 5_900, 5_150, 4_750),
    Form.OPUS: (24_000, 16_000, 12_000, 8_000, 6_000),
}
# Bytes of one frame of 20 ms in each mode, with its header (RFC 4867, section 5.3).
_AMR_FRAME_BYTES: Final = {
    12_200: 32, 10_200: 27, 7_950: 21, 7_400: 20, 6_700: 18, 5_900: 16, 5_150: 14, 4_750: 13,
}  # fmt: skip
_AMR_HEADER_BYTES: Final = 6


def original_will_do(media: Media, channels: int, size_bytes: int, form: Form, max_bytes: int | None) -> bool:
    """Return whether an original already is the wanted form and small enough; ``max_bytes`` None: no bound."""
    return plays_as(media, channels) is form and (max_bytes is None or size_bytes <= max_bytes)


def plays_as(media: Media, channels: int) -> Form | None:
    """Return the form that an original has already, and is delivered in; None when it must be rendered."""
    if media is Media.AMR_NB and channels == 1:
        return Form.AMR_NB
    if media is Media.OGG_OPUS and channels == 1:
        return Form.OPUS
    return Form.PHONE if media is Media.MP4_AAC else None


def expected_bytes(form: Form, bit_rate: int, duration_ms: int) -> int:
    """Return the minimum size of a recording of this length: exact for AMR, without the container for the others."""
    if form is Form.AMR_NB:
        return _AMR_HEADER_BYTES + -(-duration_ms // 20) * _AMR_FRAME_BYTES[bit_rate]
    # A coder of variable rate may stay below its target, but with speech never below half of it.
    return bit_rate * duration_ms // 16_000


def rates_to_try(form: Form, duration_ms: int, max_bytes: int | None) -> Sequence[int]:
    """Return the bit rates that may fit, best first; empty when none can."""
    return [
        rate for rate in BIT_RATES[form] if max_bytes is None or expected_bytes(form, rate, duration_ms) <= max_bytes
    ]


def bars_of_peaks(peaks: Sequence[int]) -> tuple[int, ...]:
    """Return 44 heights, 0 to 100, of peaks (0 to 32768) in equal spans of a recording.

    Heights are decibels: 100 is the loudest moment of this recording, 0 is 36 dB below it, so that a quiet one can
    be seen as well. A recording that never rises above -60 dBFS is silence: all 0.
    """
    loudest = max(peaks, default=0)
    if loudest < 33:  # noqa: PLR2004 - 32768 * 10 ** (-60 / 20)
        return (0,) * BARS
    heights = []
    for number in range(BARS):
        first = number * len(peaks) // BARS
        peak = max(peaks[first : max(first + 1, (number + 1) * len(peaks) // BARS)], default=0)
        below_db = 20 * math.log10(loudest / peak) if peak else math.inf
        heights.append(round(100 * max(0.0, 1 - below_db / 36)))
    return tuple(heights)
