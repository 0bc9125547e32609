"""Decode a recording with FFmpeg's libraries. Runs in a limited process only: see ``child.py``."""

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

from services.core.platform.audio.containers import DECODERS, NotReadableError, container_of, media_of
from services.core.platform.audio.rules import CLIP_MAX_S, CLIP_TOLERANCE_MS, Media, bars_of_peaks

# Peaks are taken every 20 ms of an 8 kHz copy.
_BAR_RATE_HZ: Final = 8_000
_PEAK_SAMPLES: Final = 160
# A damaged stream yields errors instead of frames. Decoding stops after this many.
_ERRORS_MAX: Final = 2_000


class TooLongError(Exception):
    """The recording is longer than a minute."""


class Recording:
    """An open recording: its kind, and its frames."""

    def __init__(
        self, container: InputContainer, stream: AudioStream, media: Media, decoder: AudioCodecContext
    ) -> None:
        self._container = container
        self._stream = stream
        self._decoder = decoder
        self.media = media
        self.channels = stream.codec_context.layout.nb_channels
        self.duration_us = 0

    def frames(self) -> Iterator[AudioFrame]:
        """Yield the decoded frames in order and count their length; raises TooLongError, NotReadableError.

        Damaged packets are skipped, and a truncated file ends early: a child's words are worth hearing with a gap.
        """
        errors = 0
        longest_us = (CLIP_MAX_S * 1000 + CLIP_TOLERANCE_MS) * 1000
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                # The last packet is empty and drains the decoder.
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
        """Yield the recording as 16-bit mono frames of one rate, also where its own format changes half-way."""
        resampler: AudioResampler | None = None
        shape: object = None
        for frame in self.frames():
            # Time stamps jump only in damaged files: the frames are played one after the other.
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
def opened(clip: bytes, declared: str | None = None) -> Iterator[Recording]:
    """Open a recording of an accepted kind; ``declared``: the codec that a watch named. Raises NotReadableError."""
    source = container_of(clip, declared)
    try:
        with av.open(io.BytesIO(source.content), "r", format=source.demuxer, metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            # Without a decoder for what the file claims to hold, FFmpeg gives the stream no audio codec.
            if stream is None or not isinstance(stream.codec_context, AudioCodecContext):
                raise NotReadableError
            codec = stream.codec_context.codec.canonical_name
            media = media_of(source.demuxer, codec)
            if not stream.codec_context.sample_rate:
                raise NotReadableError
            yield Recording(container, stream, media, _decoder(stream, codec))
    except (FFmpegError, ValueError, OverflowError, LookupError, ArithmeticError) as error:
        raise NotReadableError from error


def _decoder(stream: AudioStream, codec: str) -> AudioCodecContext:
    decoder = av.CodecContext.create(DECODERS[codec], "r") if codec in DECODERS else stream.codec_context
    if not isinstance(decoder, AudioCodecContext):
        raise NotReadableError
    decoder.thread_count = 1
    return decoder


def _peaks(samples: array[int]) -> list[int]:
    # A list makes an object of each sample once; the array itself would do so for each look.
    spans = (samples[place : place + _PEAK_SAMPLES].tolist() for place in range(0, len(samples), _PEAK_SAMPLES))
    return [max(*span, -min(span)) for span in spans]


def examine(clip: bytes, declared: str | None = None) -> dict[str, object]:
    """Return ``media``, ``channels``, ``duration_ms`` and ``bars`` of a recording; ``declared``: see ``opened``."""
    # A minute of it, the longest recording, is a megabyte.
    samples: array[int] = array("h")
    with opened(clip, declared) as recording:
        for frame in recording.mono(_BAR_RATE_HZ):
            samples.frombytes(memoryview(frame.planes[0])[: frame.samples * 2])
        if not recording.duration_us:
            raise NotReadableError
        return {
            "media": recording.media.value,
            "channels": recording.channels,
            "duration_ms": max(1, round(recording.duration_us / 1000)),
            "bars": bars_of_peaks(_peaks(samples)),
        }
