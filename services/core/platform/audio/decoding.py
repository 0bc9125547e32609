"""Reading a recording with FFmpeg's libraries. Runs in the confined process only: see ``child.py``."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from services.core.platform.audio.rules import CLIP_MAX_S, CLIP_TOLERANCE_MS, Media, bars_of_peaks

# Peaks are taken every 20 ms of an 8 kHz copy.
_BAR_RATE_HZ: Final = 8_000
_PEAK_SAMPLES: Final = 160
# A damaged stream yields errors instead of frames; after so many errors decoding stops.
_ERRORS_MAX: Final = 2_000

# The accepted pairs of container and codec. Everything else that FFmpeg can read is rejected.
_KINDS: Final[dict[tuple[str, str], Media]] = {
    ("amr", "amrnb"): Media.AMR_NB,
    ("amr", "amrwb"): Media.AMR_WB,
    ("ogg", "opus"): Media.OGG_OPUS,
    ("matroska", "opus"): Media.WEBM_OPUS,
    ("mov", "aac"): Media.MP4_AAC,
    ("mov", "opus"): Media.MP4_OPUS,
    ("mp3", "mp3"): Media.MP3,
}
# FFmpeg's own AMR decoders give up at a pause: recorders send one of its frames for eight of silence (discontinuous
# transmission, 3GPP TS 26.093), which it has "not yet implemented". 3GPP's reference decoder is in the wheel, too.
_DECODERS: Final = {Media.AMR_NB: "libopencore_amrnb", Media.AMR_WB: "libopencore_amrwb"}


class NotReadableError(Exception):
    """The bytes cannot be decoded as a recording of an accepted kind."""


class TooLongError(Exception):
    """The recording is longer than a minute."""


def container_of(clip: bytes) -> str:
    """Return the demuxer for the first bytes of a file; raises NotReadableError.

    FFmpeg never chooses: its demuxers include playlists, which name other files and hosts.
    """
    if clip.startswith(b"#!AMR"):
        return "amr"
    if clip.startswith(b"OggS"):
        return "ogg"
    if clip.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if clip[4:8] == b"ftyp":
        return "mov"
    if clip.startswith(b"RIFF") and clip[8:12] == b"WAVE":
        return "wav"
    if clip.startswith(b"ID3") or (clip[:1] == b"\xff" and clip[1:2] >= b"\xe0"):
        return "mp3"
    raise NotReadableError


class Recording:
    """An open recording: its kind, and its frames."""

    def __init__(self, container: InputContainer, stream: AudioStream, media: Media) -> None:
        self._container = container
        self._stream = stream
        self._decoder = _decoder(stream, media)
        self.media = media
        self.channels = stream.codec_context.layout.nb_channels
        self.duration_us = 0

    def frames(self) -> Iterator[AudioFrame]:
        """Yield what decodes, in order, and count its length; raises TooLongError, NotReadableError.

        Damaged frames are skipped, a truncated recording ends early: a child's message is worth hearing with a gap.
        """
        errors = 0
        longest_us = (CLIP_MAX_S * 1000 + CLIP_TOLERANCE_MS) * 1000
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                # The last packet is empty and flushes the decoder.
                frames = self._decoder.decode(packet if packet.size else None)
            except (StopIteration, EOFError):
                return
            except FFmpegError as error:
                errors += 1
                if errors > _ERRORS_MAX or isinstance(error, av.error.MemoryError):
                    return
                continue
            for frame in frames:
                if frame.samples and frame.sample_rate:
                    self.duration_us += frame.samples * 1_000_000 // frame.sample_rate
                    if self.duration_us > longest_us:
                        raise TooLongError
                    yield frame

    def mono(self, rate_hz: int) -> Iterator[AudioFrame]:
        """Yield the recording as 16-bit mono frames of one rate, also when its own format changes midway."""
        resampler: AudioResampler | None = None
        shape: object = None
        for frame in self.frames():
            # Ignore time stamps: in damaged files they have gaps and jumps.
            frame.pts = None
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or now != shape:
                if resampler is not None:
                    yield from resampler.resample(None)
                resampler, shape = AudioResampler(format="s16", layout="mono", rate=rate_hz), now
            yield from resampler.resample(frame)
        if resampler is None:
            raise NotReadableError
        yield from resampler.resample(None)


@contextmanager
def opened(clip: bytes) -> Iterator[Recording]:
    """Open a recording; raises NotReadableError unless it is of an accepted kind."""
    demuxer = container_of(clip)
    try:
        with av.open(io.BytesIO(clip), "r", format=demuxer, metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise NotReadableError
            yield Recording(container, stream, _media(demuxer, stream))
    except (FFmpegError, ValueError, OverflowError, LookupError, ArithmeticError) as error:
        raise NotReadableError from error


def _decoder(stream: AudioStream, media: Media) -> AudioCodecContext:
    decoder = av.CodecContext.create(_DECODERS[media], "r") if media in _DECODERS else stream.codec_context
    if not isinstance(decoder, AudioCodecContext):
        raise NotReadableError
    decoder.thread_count = 1
    return decoder


def _media(demuxer: str, stream: AudioStream) -> Media:
    # None, despite its type, where FFmpeg has no decoder for the claimed codec.
    if not isinstance(stream.codec_context, AudioCodecContext):
        raise NotReadableError
    codec = stream.codec_context.codec.canonical_name
    names = {"amr_nb": "amrnb", "amr_wb": "amrwb"}
    if demuxer == "wav" and codec.startswith("pcm_"):
        return Media.WAV
    media = _KINDS.get((demuxer, names.get(codec, codec)))
    if media is None or not stream.codec_context.sample_rate:
        raise NotReadableError
    return media


def samples_of(frame: AudioFrame) -> array[int]:
    """Return the samples of a 16-bit mono frame."""
    samples: array[int] = array("h")
    samples.frombytes(memoryview(frame.planes[0])[: frame.samples * 2])
    return samples


def _peak(samples: array[int]) -> int:
    return max(*samples, -min(samples), 0)


def examine(clip: bytes) -> dict[str, object]:
    """Return ``media``, ``channels``, ``duration_ms`` and ``bars`` of a recording."""
    peaks: list[int] = []
    rest: array[int] = array("h")
    with opened(clip) as recording:
        for frame in recording.mono(_BAR_RATE_HZ):
            rest += samples_of(frame)
            whole = len(rest) // _PEAK_SAMPLES * _PEAK_SAMPLES
            for place in range(0, whole, _PEAK_SAMPLES):
                span = rest[place : place + _PEAK_SAMPLES]
                peaks.append(_peak(span))
            del rest[:whole]
        if rest:
            peaks.append(_peak(rest))
        if not recording.duration_us:
            raise NotReadableError
        return {
            "media": recording.media.value,
            "channels": recording.channels,
            "duration_ms": max(1, round(recording.duration_us / 1000)),
            "bars": bars_of_peaks(peaks),
        }
