"""Rendering a recording with FFmpeg's libraries. Runs in the confined process only: see ``child.py``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import BlockingIOError as NothingYetError
from av.filter import Graph

from services.core.platform.audio.containers import NotReadableError
from services.core.platform.audio.decoding import opened
from services.core.platform.audio.rules import Form, rates_to_try


class DoesNotFitError(Exception):
    """No bit rate makes the rendition small enough."""


@dataclass(frozen=True)
class _Target:
    """How a form is written."""

    container: str
    codec: str
    rate_hz: int
    options: dict[str, str]
    container_options: dict[str, str]


_TARGETS: Final = {
    Form.PHONE: _Target("mp4", "aac", 24_000, {}, {"fflags": "+bitexact"}),
    Form.AMR_NB: _Target("amr", "libopencore_amrnb", 8_000, {}, {}),
    Form.OPUS: _Target("ogg", "libopus", 16_000, {"application": "voip"}, {"fflags": "+bitexact"}),
}
# Rumble that a tiny speaker cannot play only takes its room. dynaudnorm evens loudness in windows of 0.2 s, smoothed
# over a second, up to a peak of -1 dB, by 30 times at most, and leaves what is below -54 dB: silence stays silence.
# Measured on speech with peaks from 0 to -26 dB: within 3 dB of each other afterwards; 15 times left 4.
# loudnorm (EBU R128) needs three seconds before it knows how loud it is; most clips are hardly longer.
_FILTERS: Final = (("highpass", "f=120"), ("dynaudnorm", "f=200:g=5:p=0.89:m=30:t=0.002"))


def render(
    clip: bytes, form: Form, max_bytes: int | None, declared: str | None = None
) -> tuple[bytes, dict[str, object]]:
    """Return the recording as ``form``, at most ``max_bytes``, with ``duration_ms`` and ``bit_rate``.

    ``declared``: the codec that a watch named. The best bit rate that fits is used. Raises NotReadableError,
    TooLongError, DoesNotFitError.
    """
    target = _TARGETS[form]
    with opened(clip, declared) as recording:
        # A minute of 24 kHz is 3 MB: kept, so that several bit rates can be tried.
        evened = list(_evened(recording.mono(target.rate_hz), target.rate_hz))
        duration_ms = round(recording.duration_us / 1000)
    if not duration_ms:
        raise NotReadableError
    for bit_rate in rates_to_try(form, duration_ms, max_bytes):
        made = _encoded(evened, target, bit_rate)
        if max_bytes is None or len(made) <= max_bytes:
            return made, {"duration_ms": duration_ms, "bit_rate": bit_rate}
    raise DoesNotFitError


def _evened(frames: Iterator[AudioFrame], rate_hz: int) -> Iterator[AudioFrame]:
    graph = Graph()
    last = graph.add_abuffer(sample_rate=rate_hz, format="s16", layout="mono")
    for name, options in _FILTERS:
        following = graph.add(name, options)
        last.link_to(following)
        last = following
    # The filters calculate in floating point; back to what the encoders' resampler is set up for.
    out = graph.add("aformat", f"sample_fmts=s16:sample_rates={rate_hz}:channel_layouts=mono")
    last.link_to(out)
    sink = graph.add("abuffersink")
    out.link_to(sink)
    graph.configure()
    for frame in frames:
        frame.pts = None
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (NothingYetError, EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame


def _encoded(frames: list[AudioFrame], target: _Target, bit_rate: int) -> bytes:
    file = io.BytesIO()
    options = dict(target.container_options)
    if target.container == "mp4":
        # The index at the front, so that a phone plays before it has everything. Room is kept for it: `faststart`
        # would open the file a second time, which it has no name for. Ten bytes for each frame of 1,024 samples.
        options["moov_size"] = str(2_048 + sum(frame.samples for frame in frames) // 100)
    with av.open(file, "w", format=target.container, container_options=options) as out:
        stream = out.add_stream(target.codec, rate=target.rate_hz, layout="mono", options=target.options)
        if not isinstance(stream, AudioStream):
            raise NotReadableError
        stream.bit_rate = bit_rate
        stream.codec_context.open()
        resampler = AudioResampler(
            format=stream.format, layout="mono", rate=target.rate_hz, frame_size=stream.codec_context.frame_size
        )
        place = 0
        for frame in [*frames, None]:
            if frame is not None:
                frame.pts = None
            for ready in resampler.resample(frame):
                # Counted from 0, so that the encoder's own delay comes before it and players know to skip it.
                ready.pts, ready.time_base = place, Fraction(1, target.rate_hz)
                place += ready.samples
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return file.getvalue()
