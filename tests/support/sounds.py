"""Real recordings for tests: tones with the rhythm of syllables, encoded by real encoders."""

from __future__ import annotations

import io
import math
import wave
from array import array
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream

from services.core.platform.audio.rules import Media

RATE_HZ = 16_000
VECTORS = Path(__file__).parents[1] / "vectors" / "audio"
# Files from recorders of phones and watches.
RECORDERS = VECTORS / "recorders"


def samples(seconds: float, *, pitch_hz: float = 180.0, rate_hz: int = RATE_HZ, level: float = 0.4) -> array[int]:
    """Return 16-bit mono samples of a voice-like hum, four syllables a second."""
    # With NumPy: many files make a recording as they are loaded, and sample by sample that took three seconds.
    turns = 2 * np.pi * np.arange(int(seconds * rate_hz)) / rate_hz
    syllables = np.maximum(0.05, np.sin(2 * turns) ** 2)
    voice = sum(np.sin(pitch_hz * overtone * turns) / overtone for overtone in (1, 2, 3, 5))
    return array("h", (32_767 * level * syllables * voice / 2.1).astype(np.int16).tobytes())


def wav(seconds: float, **options: float) -> bytes:
    """Return a WAV file of 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples(seconds, **options).tobytes())  # type: ignore[arg-type]
    return file.getvalue()


def encoded(kind: str, seconds: float, *, bit_rate: int | None = None, **options: float) -> bytes:
    """Return a recording as ``amr-nb`` (12.2 kbit/s), ``opus`` (Ogg), ``webm`` (Opus) or ``m4a`` (AAC)."""
    container, codec, rate_hz, usual = {
        "amr-nb": ("amr", "libopencore_amrnb", 8_000, 12_200),
        "opus": ("ogg", "libopus", 48_000, 16_000),
        "webm": ("webm", "libopus", 48_000, 24_000),
        "m4a": ("mp4", "aac", 44_100, 32_000),
    }[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, AudioStream)
        stream.bit_rate = bit_rate or usual
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate_hz, frame_size=stream.frame_size)
        frame = av.AudioFrame(format="s16", layout="mono", samples=int(seconds * RATE_HZ))
        frame.planes[0].update(samples(seconds, **options).tobytes())  # type: ignore[arg-type]
        frame.sample_rate = RATE_HZ
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return file.getvalue()


def duration_ms(clip: bytes) -> int:
    """Return how long a recording is, by decoding it."""
    with av.open(io.BytesIO(clip), "r") as file:
        stream = file.streams.audio[0]
        return round(sum(frame.samples / (frame.sample_rate or 0) for frame in file.decode(stream)) * 1000)


def bits_a_second(clip: bytes) -> float:
    """Return the bit rate of the sound itself, without its container."""
    with av.open(io.BytesIO(clip), "r") as file:
        stream = file.streams.audio[0]
        packets = [packet for packet in file.demux(stream) if packet.size]
        assert stream.time_base is not None
        seconds = float(sum(packet.duration or 0 for packet in packets) * stream.time_base)
        return sum(packet.size for packet in packets) * 8 / seconds


def spoken(media: Media) -> bytes:
    """Return the vector of this kind: 3.24 s of speech with 0.4 s of silence before and after."""
    (file,) = VECTORS.glob(f"{media.value}.*")
    return file.read_bytes()


def louder(clip: bytes, gain: float) -> bytes:
    """Return a mono WAV of 16 kHz as much louder (or softer) as ``gain`` says."""
    file = io.BytesIO()
    with wave.open(io.BytesIO(clip)) as source, wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        plain = array("h", source.readframes(source.getnframes()))
        out.writeframes(array("h", (max(-32_768, min(32_767, round(sample * gain))) for sample in plain)).tobytes())
    return file.getvalue()


def heard(clip: bytes, rate_hz: int = 8_000) -> array[int]:
    """Return a recording as 16-bit mono samples, by the same libraries but none of the product's code."""
    made: array[int] = array("h")
    with av.open(io.BytesIO(clip), "r") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        for frame in [*file.decode(file.streams.audio[0]), None]:
            for ready in resampler.resample(frame):
                made.frombytes(bytes(ready.planes[0])[: ready.samples * 2])
    return made


def loudness_db(samples_of_it: array[int], rate_hz: int = 8_000) -> float:
    """Return how loud speech is (dBFS): the mean power of the louder half of its moments of 50 ms."""
    span = rate_hz // 20
    powers = sorted(
        sum(sample * sample for sample in samples_of_it[place : place + span]) / span
        for place in range(0, len(samples_of_it) - span + 1, span)
    )
    louder = powers[len(powers) // 2 :]
    return 10 * math.log10(max(sum(louder) / len(louder), 1e-9) / 32_768**2)
