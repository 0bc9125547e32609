"""Recordings that mean harm: what they are refused for, or taken for, and what they never reach."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.core.platform.audio.child import read_frame, write_frame
from services.core.platform.audio.errors import AudioNotReadableError, ClipTooLongError
from services.core.platform.audio.rules import Form, Media
from services.core.platform.audio.sandbox import AudioSandbox
from tests.support.attacks.sounds import (
    PLAYLISTS,
    behind_magic,
    boastful_wav,
    endless_m4a,
    greedy_wav,
    playlist,
    polyglots,
    tiny_amr_frames,
)
from tests.support.sounds import duration_ms

IN_OPEN = 0x20
MILL = Path(__file__).parents[4] / "support" / "audio_jobs.py"
DAY_S = 24 * 3600
# Beyond what a process of libraries takes before it has seen a recording; measured: 25 MiB.
MORE_KIB_MAX = 64 * 1024


@dataclass
class Bait:
    """A file and a port; either remembers whether anybody touched it."""

    file: Path
    listener: socket.socket
    watcher: int

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def was_opened(self) -> bool:
        try:
            return len(os.read(self.watcher, 4096)) > 0
        except BlockingIOError:
            return False

    def was_called(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def bait() -> Iterator[Bait]:
    """A file that the kernel watches (inotify), and a listener on loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        file = Path(folder) / "secret.mp3"
        file.write_bytes(b"secret")
        watcher = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(watcher, os.fsencode(file), IN_OPEN) > 0
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield Bait(file, listener, watcher)
        os.close(watcher)


def test_the_bait_would_notice(bait: Bait) -> None:
    assert not bait.was_opened()
    assert not bait.was_called()
    bait.file.read_bytes()
    socket.create_connection(("127.0.0.1", bait.port)).close()
    assert bait.was_opened()
    assert bait.was_called()


async def test_no_playlist_is_a_recording_and_none_reaches_what_it_names(sandbox: AudioSandbox, bait: Bait) -> None:
    hostile = {kind: playlist(kind, str(bait.file), bait.port) for kind in PLAYLISTS}
    hostile |= behind_magic("concat", str(bait.file), bait.port)
    hostile |= {
        f"hls behind {kind}": recording for kind, recording in behind_magic("m3u8", str(bait.file), bait.port).items()
    }
    for kind, recording in hostile.items():
        if recording.startswith(b"#!AMR"):
            # Behind that, every byte is the head of a frame: it is noise, and nothing but noise.
            assert (await sandbox.examine(recording)).media is Media.AMR_NB
        else:
            with pytest.raises(AudioNotReadableError):
                await sandbox.examine(recording)
        assert not bait.was_opened(), kind
        assert not bait.was_called(), kind


async def test_sound_that_is_said_to_be_elsewhere_is_not_fetched(sandbox: AudioSandbox, bait: Bait) -> None:
    for place in (f"file://{bait.file}", str(bait.file), f"http://127.0.0.1:{bait.port}/a.mp4"):
        examined = await sandbox.examine(endless_m4a(10, reference=place.encode()))
        assert examined.duration_ms > 0
        await sandbox.render(endless_m4a(10, reference=place.encode()), Form.AMR_NB)
    assert not bait.was_opened()
    assert not bait.was_called()


@pytest.mark.parametrize("name", polyglots())
async def test_two_things_at_once_are_the_one_sound_or_nothing(sandbox: AudioSandbox, name: str) -> None:
    clip, media = polyglots()[name]
    if media is None:
        with pytest.raises(AudioNotReadableError):
            await sandbox.examine(clip)
        return
    assert (await sandbox.examine(clip)).media is media
    for form in Form:
        made = (await sandbox.render(clip, form)).data
        assert 3_200 < duration_ms(made) < 3_400
        for foreign in (b"<html", b"<b>", b"%PDF", b"PK\x03\x04", b"PNG", b"passwd", b"\xff\xd8\xff\xe0<"):
            assert foreign not in made


def in_child(clip: bytes) -> tuple[dict[str, object], float, int]:
    """Have a limited process examine a clip; return its answer, its CPU seconds and its peak in KiB.

    By way of the mill: a process's peak begins with that of who started it, and a test run is large.
    """
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-I", str(MILL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        write_frame(process.stdin, {"job": "examine"}, clip)
        frame = read_frame(process.stdout)
    assert frame is not None
    header: Any = frame[0]
    assert header["answer"] is not None
    return header["answer"], header["cpu_s"], header["peak_kib"]


async def test_a_day_in_a_few_kilobytes_is_too_long_at_once_and_takes_no_memory(sandbox: AudioSandbox) -> None:
    _, usual_s, usual_kib = in_child(endless_m4a(5))
    for clip in (endless_m4a(DAY_S), tiny_amr_frames(DAY_S // 5)):
        assert len(clip) < 1024 * 1024
        began_s = time.monotonic()
        with pytest.raises(ClipTooLongError):
            await sandbox.examine(clip)
        for form in Form:
            with pytest.raises(ClipTooLongError):
                await sandbox.render(clip, form)
        assert time.monotonic() - began_s < 10
        answer, cpu_s, peak_kib = in_child(clip)
        assert answer == {"error": "too_long"}
        assert cpu_s < usual_s + 2
        assert peak_kib < usual_kib + MORE_KIB_MAX
    assert len(endless_m4a(DAY_S)) < 10_000


async def test_what_a_header_claims_is_not_believed(sandbox: AudioSandbox) -> None:
    assert (await sandbox.examine(boastful_wav())).duration_ms == 100
    for clip in (greedy_wav(), endless_m4a(10, samples_said=2**32 - 1), endless_m4a(10, samples_said=2**27)):
        with pytest.raises(AudioNotReadableError):
            await sandbox.examine(clip)
        _, _, peak_kib = in_child(clip)
        assert peak_kib < in_child(endless_m4a(5))[2] + MORE_KIB_MAX
