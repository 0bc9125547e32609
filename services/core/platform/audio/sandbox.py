"""Decoding in confined processes: whatever a recording does to one, the caller gets an answer or a typed error."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog

from services.core.platform.audio.decoders import Decoder, TemplateProcess
from services.core.platform.audio.errors import (
    AudioBusyError,
    AudioNotReadableError,
    ClipTooLongError,
    DoesNotFitError,
)
from services.core.platform.audio.rules import BARS, Form, Media, original_will_do

# A process that has not answered within this time is killed.
_JOB_S: Final = 20.0
# How long a job waits for a free process.
_WAIT_S: Final = 15.0
_RETRY_AFTER_S: Final = 2
# A process that has answered, or whose pipe is closed, exits by itself within this time.
_GRACE_S: Final = 2.0
# Larger than every answer.
_ANSWER_MAX_BYTES: Final = 4 * 1024 * 1024

log = structlog.get_logger()


@dataclass(frozen=True)
class Examined:
    """Result of decoding; ``bars`` are 44 heights of the waveform, 0 to 100 (see rules.bars_of_peaks)."""

    media: Media
    channels: int
    duration_ms: int
    bars: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """A rendition for one kind of receiver."""

    data: bytes
    form: Form
    duration_ms: int
    bit_rate: int


@dataclass(frozen=True)
class Transcoded:
    """Both results of one process; without a rendition the original will do, unless it does not fit."""

    examined: Examined
    rendered: Rendered | None
    does_not_fit: bool = False


class _ProcessFailedError(Exception):
    """The process died, was killed, or gave a malformed answer."""


class AudioSandbox:
    """Runs at most ``processes`` jobs at a time, each in a process of its own that reads one recording and exits.

    The processes are forked from a template that is loaded once. Use as an async context manager: outside of it a job
    brings a template of its own. One spare process is kept forked and confined, so that a job waits for nothing.
    ``niceness`` is that of the processes: above 0 they give way to whatever else the machine has to do.
    """

    def __init__(
        self, *, processes: int = 2, niceness: int = 0, job_s: float = _JOB_S, wait_s: float = _WAIT_S
    ) -> None:
        self._places = asyncio.Semaphore(processes)
        self._niceness = niceness
        self._job_s = job_s
        self._wait_s = wait_s
        self._spare: asyncio.Task[Decoder] | None = None
        self._template: TemplateProcess | None = None
        self._templates: list[TemplateProcess] = []  # worn ones whose decoders may still be at work
        self._forking = asyncio.Lock()
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._is_open = True
        self._make_spare()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        if self._spare is not None:
            spare, self._spare = self._spare, None
            with contextlib.suppress(OSError):
                await (await spare).end(grace_s=_GRACE_S)
        if self._template is not None:
            self._templates.append(self._template)
            self._template = None
        await self._stop_templates(lambda _: True)

    async def examine(self, clip: bytes, *, declared: str | None = None) -> Examined:
        """Return what a recording is, by decoding all of it; ``declared``: the codec that a watch named.

        Raises AudioNotReadableError, ClipTooLongError, AudioBusyError.
        """
        answer, _ = await self._run({"job": "examine", "declared": declared}, clip)
        return _examined(answer)

    async def render(
        self, clip: bytes, form: Form, *, max_bytes: int | None = None, declared: str | None = None
    ) -> Rendered:
        """Return a recording as ``form``: mono, its loudness evened, without metadata, at most ``max_bytes``.

        ``declared``: the codec that a watch named. Raises AudioNotReadableError, ClipTooLongError, DoesNotFitError,
        AudioBusyError.
        """
        answer, made = await self._run(
            {"job": "render", "form": form.value, "max_bytes": max_bytes, "declared": declared}, clip
        )
        return _rendered(answer, made, form, max_bytes)

    async def transcode(
        self, clip: bytes, form: Form, *, max_bytes: int | None = None, declared: str | None = None
    ) -> Transcoded:
        """Examine a recording and render it, in one process, unless its original is that form and small enough.

        Raises AudioNotReadableError, ClipTooLongError, AudioBusyError; then a caller who needs to know which of both
        failed asks for each by itself.
        """
        answer, made = await self._run(
            {"job": "transcode", "form": form.value, "max_bytes": max_bytes, "declared": declared}, clip
        )
        examined = _examined(answer.get("examined"))
        if answer.get("does_not_fit") is True:
            return Transcoded(examined, None, does_not_fit=True)
        if not made and original_will_do(examined.media, examined.channels, len(clip), form, max_bytes):
            return Transcoded(examined, None)
        return Transcoded(examined, _rendered(answer, made, form, max_bytes))

    async def _run(self, job: dict[str, Any], clip: bytes) -> tuple[dict[str, Any], bytes]:
        async with self._place():
            decoder = await self._acquire()
            grace_s = 0.0
            try:
                async with asyncio.timeout(self._job_s):
                    answer, body = await _ask(decoder, job, clip)
                grace_s = _GRACE_S
            except (_ProcessFailedError, OSError) as error:
                # TimeoutError is an OSError. A process that closed its pipe is about to exit by itself.
                grace_s = 0.0 if isinstance(error, TimeoutError) else _GRACE_S
                log.warning("audio_process_failed", job=job["job"], error=type(error).__qualname__)
                raise AudioNotReadableError from error
            finally:
                # Also when the caller was cancelled: no process outlives its job.
                await asyncio.shield(decoder.end(grace_s=grace_s))
        match answer.get("error"):
            case None:
                return answer, body
            case "too_long":
                raise ClipTooLongError
            case "does_not_fit":
                raise DoesNotFitError
            case _:
                raise AudioNotReadableError

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise AudioBusyError(_RETRY_AFTER_S) from error
        try:
            yield
        finally:
            self._places.release()

    async def _acquire(self) -> Decoder:
        spare, self._spare = self._spare, None
        decoder = await (spare if spare is not None else self._fork())
        if decoder.is_orphan:
            await decoder.end(grace_s=0.0)
            decoder = await self._fork()
        self._make_spare()
        return decoder

    def _make_spare(self) -> None:
        if self._is_open and self._spare is None:
            self._spare = asyncio.create_task(self._fork())

    async def _fork(self) -> Decoder:
        async with self._forking:
            if self._template is None or self._template.is_worn:
                self._templates = [known for known in (*self._templates, self._template) if known is not None]
                self._template = await TemplateProcess.start(self._niceness)
                await self._stop_templates(lambda known: not known.has_decoders)
            return await self._template.fork()

    async def _stop_templates(self, is_done: Callable[[TemplateProcess], bool]) -> None:
        """End worn templates; one whose decoders are still at work stays."""
        done = [known for known in self._templates if is_done(known)]
        self._templates = [known for known in self._templates if known not in done]
        for template in done:
            await template.stop()


def _examined(answer: Any) -> Examined:  # noqa: ANN401 - a process that strangers' bytes reached said it
    try:
        bars = tuple(int(bar) for bar in answer["bars"])
        examined = Examined(Media(answer["media"]), int(answer["channels"]), int(answer["duration_ms"]), bars)
    except (KeyError, TypeError, ValueError) as error:
        raise AudioNotReadableError from error
    if len(examined.bars) != BARS:
        raise AudioNotReadableError
    return examined


def _rendered(answer: dict[str, Any], made: bytes, form: Form, max_bytes: int | None) -> Rendered:
    try:
        rendered = Rendered(made, form, int(answer["duration_ms"]), int(answer["bit_rate"]))
    except (KeyError, TypeError, ValueError) as error:
        raise AudioNotReadableError from error
    if not made or (max_bytes is not None and len(made) > max_bytes):
        raise AudioNotReadableError
    return rendered


async def _ask(decoder: Decoder, job: dict[str, Any], clip: bytes) -> tuple[dict[str, Any], bytes]:
    head = json.dumps(job).encode()
    decoder.writer.write(struct.pack(">I", len(head)) + head + struct.pack(">I", len(clip)) + clip)
    await decoder.writer.drain()
    try:
        answer = json.loads(await _read(decoder.reader))
        body = await _read(decoder.reader)
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise _ProcessFailedError from error
    if not isinstance(answer, dict):
        raise _ProcessFailedError
    return answer, body


async def _read(source: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack(">I", await source.readexactly(4))
    if length > _ANSWER_MAX_BYTES:
        raise _ProcessFailedError
    return await source.readexactly(length)
