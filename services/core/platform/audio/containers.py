"""Which demuxer and which codecs a recording may use; pure. Everything FFmpeg could read beyond this is refused.

The demuxer follows from the first bytes. FFmpeg never chooses it: some of its demuxers are playlists, which open other
files and hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.platform.audio.rules import Media

# Demuxer and codec of what is accepted, by FFmpeg's canonical names. A codec that ends in `*` stands for its variants.
_KINDS: Final[Mapping[tuple[str, str], Media]] = {
    ("aac", "aac"): Media.ADTS_AAC,
    ("aiff", "pcm_*"): Media.AIFF,
    ("amr", "amr_nb"): Media.AMR_NB,
    ("amr", "amr_wb"): Media.AMR_WB,
    ("caf", "aac"): Media.CAF,
    ("caf", "adpcm_ima_qt"): Media.CAF,
    ("caf", "alac"): Media.CAF,
    ("caf", "pcm_*"): Media.CAF,
    ("flac", "flac"): Media.FLAC,
    ("matroska", "opus"): Media.WEBM_OPUS,
    ("mov", "aac"): Media.MP4_AAC,
    ("mov", "alac"): Media.MP4_ALAC,
    ("mov", "amr_nb"): Media.MP4_AMR_NB,
    ("mov", "amr_wb"): Media.MP4_AMR_WB,
    ("mov", "opus"): Media.MP4_OPUS,
    ("mp3", "mp3"): Media.MP3,
    ("ogg", "opus"): Media.OGG_OPUS,
    ("wav", "adpcm_ima_wav"): Media.WAV,
    ("wav", "pcm_*"): Media.WAV,
}
DEMUXERS: Final = frozenset(demuxer for demuxer, _ in _KINDS)
# FFmpeg's own AMR decoders fail at a pause: with discontinuous transmission (3GPP TS 26.093) one frame stands for eight
# of silence, which they do not implement. PyAV's wheels hold 3GPP's reference decoders as well.
DECODERS: Final[Mapping[str, str]] = {"amr_nb": "libopencore_amrnb", "amr_wb": "libopencore_amrwb"}

# Files with one channel; `#!AMR_MC1.0` interleaves several, which FFmpeg plays one after the other, at half speed.
_AMR_MAGIC: Final = {"amr-nb": b"#!AMR\n", "amr-wb": b"#!AMR-WB\n"}
# Bytes of a frame behind its header byte, by frame type (RFC 4867, section 5.3; 3GPP TS 26.101 and 26.201).
_AMR_FRAME_BYTES: Final[Mapping[str, Mapping[int, int]]] = {
    "amr-nb": {0: 12, 1: 13, 2: 15, 3: 17, 4: 19, 5: 20, 6: 26, 7: 31, 8: 5, 15: 0},
    "amr-wb": {0: 17, 1: 23, 2: 32, 3: 36, 4: 40, 5: 46, 6: 50, 7: 58, 8: 60, 9: 5, 14: 0, 15: 0},
}
# So many well-formed frames at the start make a stream of AMR; noise passes with a chance of 1 in 10 million.
_AMR_FRAMES_TO_KNOW: Final = 5
_AMR_PADDING_BITS: Final = 0x83


class NotReadableError(Exception):
    """The bytes are no recording of an accepted kind."""


@dataclass(frozen=True)
class Container:
    """The demuxer to open ``content`` with; ``content`` is the recording, or the recording behind a missing header."""

    demuxer: str
    content: bytes


def container_of(recording: bytes, declared: str | None = None) -> Container:
    """Return the demuxer for a recording, by its first bytes; raises NotReadableError.

    ``declared`` is the codec that a watch named. It counts only for AMR frames without a file header, which some
    recorders send.
    """
    demuxer = _by_magic(recording)
    if demuxer is not None:
        return Container(demuxer, recording)
    if declared in _AMR_MAGIC and _starts_with_amr_frames(recording, declared):
        return Container("amr", _AMR_MAGIC[declared] + recording)
    raise NotReadableError


def media_of(demuxer: str, codec: str) -> Media:
    """Return what a codec in a container is accepted as; raises NotReadableError."""
    media = _KINDS.get((demuxer, codec))
    if media is None and codec.startswith("pcm_"):
        media = _KINDS.get((demuxer, "pcm_*"))
    if media is None:
        raise NotReadableError
    return media


def _by_magic(recording: bytes) -> str | None:  # noqa: PLR0911 - a format each
    if recording.startswith(tuple(_AMR_MAGIC.values())):
        return "amr"
    if recording.startswith(b"OggS"):
        return "ogg"
    if recording.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if recording[4:8] == b"ftyp":
        return "mov"
    if recording.startswith(b"RIFF") and recording[8:12] == b"WAVE":
        return "wav"
    if recording.startswith(b"FORM") and recording[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    if recording.startswith(b"caff"):
        return "caf"
    if recording.startswith(b"fLaC"):
        return "flac"
    return _mpeg_audio(recording)


def _mpeg_audio(recording: bytes) -> str | None:
    """Return ``mp3`` or ``aac`` (ADTS) for MPEG audio frames, at the start or behind an ID3v2 tag."""
    start = 0
    if recording.startswith(b"ID3") and len(recording) >= 10:  # noqa: PLR2004 - the tag's header
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(recording[6:10], (21, 14, 7, 0), strict=True))
    sync = recording[start : start + 2]
    if len(sync) == 2 and sync[0] == 0xFF and sync[1] & 0xF6 == 0xF0:  # noqa: PLR2004 - layer 00: AAC
        return "aac"
    if recording.startswith(b"ID3") or (len(sync) == 2 and sync[0] == 0xFF and sync[1] >= 0xE0):  # noqa: PLR2004
        return "mp3"
    return None


def _starts_with_amr_frames(recording: bytes, codec: str) -> bool:
    place = 0
    for _ in range(_AMR_FRAMES_TO_KNOW):
        if place >= len(recording):
            # A recording of a few frames.
            return place > 0
        head = recording[place]
        size_bytes = _AMR_FRAME_BYTES[codec].get(head >> 3 & 0x0F)
        if head & _AMR_PADDING_BITS or size_bytes is None:
            return False
        place += 1 + size_bytes
    return True
