"""Audio as bytes: from any file to samples, from samples to a watch's recording, and back to a WAV file."""

from __future__ import annotations

import hashlib
import io
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from services.device_sim.speech import RATE_HZ, speech
from services.protocol import limits
from services.protocol.words import Codec

_SAMPLE_BYTES = 2


class SoundRefusedError(Exception):
    """Bytes that are not audio, or audio that no watch could record; the message is for people."""


@dataclass(frozen=True)
class Clip:
    """A recording as a watch makes it: AMR-NB with its `#!AMR` header, or Opus in Ogg; mono."""

    codec: Codec
    sound: bytes = field(repr=False)
    duration_ms: int

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes, in hex."""
        return hashlib.sha256(self.sound).hexdigest()


@dataclass(frozen=True)
class _Target:
    container: str
    codec: str
    rate_hz: int
    bit_rate: int
    options: dict[str, str]
    container_options: dict[str, str]


# Bit rates of watches on the market: AMR's highest mode, and Opus where speech begins to sound close.
_TARGETS: Final = {
    Codec.AMR_NB: _Target("amr", "libopencore_amrnb", 8_000, 12_200, {}, {}),
    Codec.OPUS: _Target("ogg", "libopus", 16_000, 16_000, {"application": "voip"}, {"fflags": "+bitexact"}),
}


_HEADS: Final = {b"#!AMR\n": Codec.AMR_NB, b"OggS": Codec.OPUS}


def record_clip(samples: array[int], codec: Codec) -> Clip:
    """Encode 16-bit mono samples at 8 kHz. Raises SoundRefusedError for no samples and for more than a minute."""
    if not samples:
        raise SoundRefusedError("there is no sound in it")
    if len(samples) > limits.CLIP_MAX_S * RATE_HZ:
        raise SoundRefusedError(f"a watch records at most {limits.CLIP_MAX_S} seconds")
    target = _TARGETS[codec]
    frame = AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.sample_rate = RATE_HZ
    frame.planes[0].update(samples.tobytes())
    return Clip(codec, _encoded(frame, target), len(samples) * 1000 // RATE_HZ)


def _encoded(frame: AudioFrame, target: _Target) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=target.container, container_options=target.container_options) as out:
        stream = out.add_stream(target.codec, rate=target.rate_hz, layout="mono", options=target.options)
        if not isinstance(stream, AudioStream):
            raise SoundRefusedError("this machine cannot encode sound")
        stream.bit_rate = target.bit_rate
        stream.codec_context.open()
        resampler = AudioResampler(
            format=stream.format, layout="mono", rate=target.rate_hz, frame_size=stream.codec_context.frame_size
        )
        for given in (frame, None):
            for ready in resampler.resample(given):
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return file.getvalue()


def encoded_clip(sound: bytes) -> Clip:
    """Return a file that is AMR-NB or Ogg by its first bytes as a recording, unchanged; raises SoundRefusedError.

    A file that cannot be decoded has the duration 0.
    """
    codec = next((codec for head, codec in _HEADS.items() if sound.startswith(head)), None)
    if codec is None:
        raise SoundRefusedError("neither AMR-NB (#!AMR) nor Ogg: a watch could not send it")
    try:
        duration_ms = len(samples_of(sound)) * 1000 // RATE_HZ
    except SoundRefusedError:
        duration_ms = 0
    return Clip(codec, sound, duration_ms)


def samples_of(recording: bytes) -> array[int]:
    """Return any recording (WAV, AMR, Ogg, WebM, M4A, ...) as 16-bit mono samples, 8 kHz; raises SoundRefusedError."""
    samples: array[int] = array("h")
    try:
        with av.open(io.BytesIO(recording), "r") as file:
            if not file.streams.audio:
                raise SoundRefusedError("there is no sound in it")
            resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            for frame in file.decode(file.streams.audio[0]):
                frame.pts = None
                _append(samples, resampler.resample(frame))
            _append(samples, resampler.resample(None))
    except FFmpegError:
        raise SoundRefusedError("this is no recording") from None
    return samples


def _append(samples: array[int], frames: list[AudioFrame]) -> None:
    for frame in frames:
        # A plane may be longer than its samples: FFmpeg pads it.
        samples.frombytes(bytes(frame.planes[0])[: frame.samples * _SAMPLE_BYTES])


def wav_of(samples: array[int]) -> bytes:
    """Return 16-bit mono samples at 8 kHz as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, _SAMPLE_BYTES, RATE_HZ, 0, "NONE", ""))
        out.writeframes(samples.tobytes())
    return file.getvalue()


def speech_wav(seconds: float, seed: int) -> bytes:
    """Return a WAV file of this many seconds that sounds like speech."""
    return wav_of(speech(seconds, seed))


def read_file(path: Path) -> bytes:
    """Return the content of a file; raises SoundRefusedError with the reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SoundRefusedError(f"{path}: {error.strerror}") from None


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file; raises SoundRefusedError with the reason."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SoundRefusedError(f"{path}: {error.strerror}") from None
