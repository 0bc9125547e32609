"""A process that hangs, dies or eats memory: one typed error, nobody left behind, no other job touched."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from services.core.platform.audio.errors import AudioBusyError, AudioNotReadableError
from services.core.platform.audio.rules import Form, Media
from services.core.platform.audio.sandbox import AudioSandbox
from tests.support.sounds import spoken

AMR = spoken(Media.AMR_NB)


def decoders() -> set[int]:
    """Return the process ids of all decoding processes of this test run."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"services.core.platform.audio.child" in command and int(parent) == os.getpid():
            found.add(int(folder.name))
    return found


async def ready_one(before: set[int]) -> int:
    """Return the process that waits ready."""
    async with asyncio.timeout(10):
        while not (new := decoders() - before):  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.01)
    (one,) = new
    return one


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nobody_stays() -> AsyncIterator[None]:
    """Whatever a test does, its processes are gone when its sandbox is."""
    before = decoders()
    yield
    assert decoders() <= before


async def test_one_that_is_killed_is_a_recording_that_cannot_be_read() -> None:
    before = decoders()
    async with AudioSandbox() as sandbox:
        os.kill(await ready_one(before), signal.SIGKILL)
        with structlog.testing.capture_logs() as lines, pytest.raises(AudioNotReadableError):
            await sandbox.examine(AMR)
        assert [(line["event"], line["job"]) for line in lines] == [("audio_process_failed", "examine")]
        assert (await sandbox.examine(AMR)).media is Media.AMR_NB


async def test_one_that_hangs_is_ended_in_time_and_the_others_go_on() -> None:
    before = decoders()
    async with AudioSandbox(processes=2, job_s=3.0) as sandbox:
        hanging = await ready_one(before)
        os.kill(hanging, signal.SIGSTOP)
        refused = asyncio.create_task(sandbox.examine(AMR))
        await asyncio.sleep(0)
        for _ in range(3):
            assert (await sandbox.render(AMR, Form.OPUS)).data
        assert not refused.done()
        with structlog.testing.capture_logs() as lines, pytest.raises(AudioNotReadableError):
            await refused
        assert [(line["event"], line["error"]) for line in lines] == [("audio_process_failed", "TimeoutError")]
        assert hanging not in decoders()


async def test_while_all_are_at_work_one_waits_and_is_told_so() -> None:
    before = decoders()
    async with AudioSandbox(processes=1, job_s=1.5, wait_s=0.1) as sandbox:
        os.kill(await ready_one(before), signal.SIGSTOP)
        refused = asyncio.create_task(sandbox.examine(AMR))
        await asyncio.sleep(0)
        with pytest.raises(AudioBusyError):
            await sandbox.examine(AMR)
        with pytest.raises(AudioNotReadableError):
            await refused
        assert (await sandbox.examine(AMR)).media is Media.AMR_NB


async def test_nothing_goes_on_that_nobody_waits_for() -> None:
    before = decoders()
    async with AudioSandbox(processes=1) as sandbox:
        hanging = await ready_one(before)
        os.kill(hanging, signal.SIGSTOP)
        given_up = asyncio.create_task(sandbox.examine(AMR))
        await asyncio.sleep(0.05)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert hanging not in decoders()
        assert (await sandbox.examine(AMR)).media is Media.AMR_NB


async def test_many_at_once_are_all_answered() -> None:
    async with AudioSandbox(processes=2) as sandbox:
        found = await asyncio.gather(
            *(sandbox.examine(spoken(media)) for media in Media),
            *(sandbox.examine(b"none") for _ in range(8)),
            return_exceptions=True,
        )
    assert [getattr(one, "media", None) for one in found] == [*Media, *[None] * 8]
    assert all(isinstance(one, AudioNotReadableError) for one in found[len(Media) :])
