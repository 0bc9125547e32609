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


def _children_of(*parents: int) -> set[int]:
    """Return the process ids of templates and decoders, which share their command line, that these started."""
    children = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if b"services.core.platform.audio.template" in command and int(parent) in parents and state != "Z":
            children.add(int(folder.name))
    return children


def templates() -> set[int]:
    """Return the process ids of the templates of this test run."""
    return _children_of(os.getpid())


def decoders() -> set[int]:
    """Return the process ids of all decoding processes of this test run."""
    return _children_of(*templates())


async def ready_one(before: set[int]) -> int:
    """Return the process that waits ready."""
    async with asyncio.timeout(60):
        while not (new := decoders() - before):  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.01)
    (process_id,) = new
    return process_id


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nobody_stays() -> AsyncIterator[None]:
    """Whatever a test does, its processes are gone when its sandbox is."""
    before = decoders() | templates()
    yield
    assert decoders() | templates() <= before


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


async def test_a_decoder_ends_with_its_template_and_the_next_job_brings_another() -> None:
    before, known = decoders(), templates()
    async with AudioSandbox(processes=1) as sandbox:
        hanging = await ready_one(before)
        os.kill(hanging, signal.SIGSTOP)
        refused = asyncio.create_task(sandbox.examine(AMR))
        await asyncio.sleep(0.05)
        (template,) = templates() - known
        os.kill(template, signal.SIGKILL)
        with pytest.raises(AudioNotReadableError):
            await refused
        assert (await sandbox.examine(AMR)).media is Media.AMR_NB
        assert template not in templates()


async def test_a_template_is_replaced_when_it_has_forked_often_and_its_decoders_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.core.platform.audio.decoders._FORKS_MAX", 2)
    known, seen = templates(), set()
    async with AudioSandbox(processes=1) as sandbox:
        for _ in range(6):
            assert (await sandbox.examine(AMR)).media is Media.AMR_NB
            seen |= templates() - known
            assert len(templates() - known) <= 2
    assert len(seen) >= 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what an undumpable process holds")
async def test_a_decoder_is_confined_and_holds_nothing_before_it_has_read_a_byte() -> None:
    before = decoders()
    async with AudioSandbox():
        ready = Path(f"/proc/{await ready_one(before)}")
        async with asyncio.timeout(60):
            while "Seccomp:\t2" not in (ready / "status").read_text():  # noqa: ASYNC110 - a process has no event
                await asyncio.sleep(0.01)
        status = (ready / "status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Uid:\t0\t" not in status
        assert sorted(file.name for file in (ready / "fd").iterdir()) == ["0", "1", "2"]
        # Its socket, twice, and nothing: neither the template's socket nor that of another job.
        assert (ready / "fd" / "0").readlink() == (ready / "fd" / "1").readlink()
        assert (ready / "fd" / "2").readlink() == Path("/dev/null")
        assert (ready / "environ").read_bytes() in {b"", b"LC_CTYPE=C.UTF-8\0"}


def niceness_of_session(process_id: int) -> str:
    """Return what the kernel says of it; "" where it cannot be set."""
    group = Path(f"/proc/{process_id}/autogroup")
    return group.read_text().split()[-1] if os.access(group, os.W_OK) else ""


async def test_decoders_of_work_that_may_wait_give_way() -> None:
    before = decoders()
    async with AudioSandbox(niceness=5) as sandbox:
        ready = await ready_one(before)
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, ready) == min(own + 5, 19)
        # Where the kernel shares the processor among sessions, that of the decoders gives way as a whole.
        assert niceness_of_session(ready) in {"5", ""}
        assert (await sandbox.examine(AMR)).media is Media.AMR_NB


async def test_both_results_of_one_process_are_those_of_two() -> None:
    async with AudioSandbox() as sandbox:
        examined = await sandbox.examine(AMR)
        both = await sandbox.transcode(AMR, Form.PHONE)
        assert (both.examined, both.rendered) == (examined, await sandbox.render(AMR, Form.PHONE))
        as_it_is = await sandbox.transcode(AMR, Form.AMR_NB)
        assert (as_it_is.examined, as_it_is.rendered, as_it_is.does_not_fit) == (examined, None, False)
        too_large = await sandbox.transcode(AMR, Form.AMR_NB, max_bytes=50)
        assert (too_large.rendered, too_large.does_not_fit) == (None, True)
        with pytest.raises(AudioNotReadableError):
            await sandbox.transcode(b"none", Form.PHONE)


async def test_many_at_once_are_all_answered() -> None:
    async with AudioSandbox(processes=2) as sandbox:
        results = await asyncio.gather(
            *(sandbox.examine(spoken(media)) for media in Media),
            *(sandbox.examine(b"none") for _ in range(8)),
            return_exceptions=True,
        )
    assert [getattr(result, "media", None) for result in results] == [*Media, *[None] * 8]
    assert all(isinstance(result, AudioNotReadableError) for result in results[len(Media) :])
