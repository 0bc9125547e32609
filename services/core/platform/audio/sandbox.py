"""Decoding in confined processes: whatever a recording does to one, the caller gets an answer or a typed error."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog

from services.core.platform.audio.errors import (
    AudioBusyError,
    AudioNotReadableError,
    ClipTooLongError,
    DoesNotFitError,
)
from services.core.platform.audio.rules import BARS, Form, Media

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


class _ProcessFailedError(Exception):
    """The process died, was killed, or gave a malformed answer."""


class AudioSandbox:
    """Runs at most ``processes`` jobs at a time, each in a process of its own that reads one recording and exits.

    Use as an async context manager. One spare process is kept loaded, so that a job does not wait for libraries.
    """

    def __init__(self, *, processes: int = 2, job_s: float = _JOB_S, wait_s: float = _WAIT_S) -> None:
        self._places = asyncio.Semaphore(processes)
        self._job_s = job_s
        self._wait_s = wait_s
        self._spare: asyncio.Task[asyncio.subprocess.Process] | None = None
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
                await _end(await spare, grace_s=_GRACE_S)

    async def examine(self, clip: bytes, *, declared: str | None = None) -> Examined:
        """Return what a recording is, by decoding all of it; ``declared``: the codec that a watch named.

        Raises AudioNotReadableError, ClipTooLongError, AudioBusyError.
        """
        answer, _ = await self._run({"job": "examine", "declared": declared}, clip)
        try:
            bars = tuple(int(bar) for bar in answer["bars"])
            examined = Examined(Media(answer["media"]), int(answer["channels"]), int(answer["duration_ms"]), bars)
        except (KeyError, TypeError, ValueError) as error:
            raise AudioNotReadableError from error
        if len(examined.bars) != BARS:
            raise AudioNotReadableError
        return examined

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
        try:
            rendered = Rendered(made, form, int(answer["duration_ms"]), int(answer["bit_rate"]))
        except (KeyError, TypeError, ValueError) as error:
            raise AudioNotReadableError from error
        if not made or (max_bytes is not None and len(made) > max_bytes):
            raise AudioNotReadableError
        return rendered

    async def _run(self, job: dict[str, Any], clip: bytes) -> tuple[dict[str, Any], bytes]:
        async with self._place():
            process = await self._take()
            grace_s = 0.0
            try:
                async with asyncio.timeout(self._job_s):
                    answer, body = await _ask(process, job, clip)
                grace_s = _GRACE_S
            except (_ProcessFailedError, OSError) as error:
                # TimeoutError is an OSError. A process that closed its pipe is about to exit by itself.
                grace_s = 0.0 if isinstance(error, TimeoutError) else _GRACE_S
                log.warning("audio_process_failed", job=job["job"], error=type(error).__qualname__)
                raise AudioNotReadableError from error
            finally:
                # Also when the caller was cancelled: no process outlives its job.
                await asyncio.shield(_end(process, grace_s=grace_s))
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

    async def _take(self) -> asyncio.subprocess.Process:
        spare, self._spare = self._spare, None
        process = await (spare if spare is not None else _start())
        self._make_spare()
        return process

    def _make_spare(self) -> None:
        if self._is_open and self._spare is None:
            self._spare = asyncio.create_task(_start())


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "services.core.platform.audio.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        # The environment holds keys: a process that reads strangers' bytes gets an empty one.
        env={}, start_new_session=True,
    )  # fmt: skip


async def _ask(process: asyncio.subprocess.Process, job: dict[str, Any], clip: bytes) -> tuple[dict[str, Any], bytes]:
    if process.stdin is None or process.stdout is None:
        raise _ProcessFailedError
    head = json.dumps(job).encode()
    process.stdin.write(struct.pack(">I", len(head)) + head + struct.pack(">I", len(clip)) + clip)
    await process.stdin.drain()
    try:
        answer = json.loads(await _read(process.stdout))
        body = await _read(process.stdout)
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


async def _end(process: asyncio.subprocess.Process, *, grace_s: float) -> None:
    """Wait for a process to exit, and kill it after ``grace_s`` seconds."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(grace_s):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
