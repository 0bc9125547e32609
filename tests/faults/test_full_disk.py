"""The audio store has no room: no recording is confirmed, words go on, and room mends it all.

It runs out of room in two ways: its file system is full, which only root can arrange, or no process may write a file
as large as a recording (RLIMIT_FSIZE), which every account can. Each takes the minute after which a watch repeats.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.device_sim.parent.types import ProblemError
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.devstack.installation import Installation
from services.protocol.words import Codec
from tests.e2e.conftest import Play, pair
from tests.support.checker import Confirmed, Conversation

DISK_BYTES = 1024 * 1024
# Less than a recording of half a minute and more than the log of a process in this run, which goes on.
FILE_MAX_BYTES = 40 * 1024
FILE_SYSTEM, FILE_SIZE = "file system is full", "files are limited"
RECORDINGS_S = {FILE_SYSTEM: 2.0, FILE_SIZE: 30.0}
# Those that write recordings or renditions.
WRITERS = ("api", "bridge", "worker")


@dataclass(frozen=True)
class Store:
    """A machine and the folder of its recordings, which is a small file system where one can be mounted."""

    play: Play
    folder: Path
    is_small: bool

    @contextlib.contextmanager
    def full_file_system(self) -> Iterator[None]:
        """Fill the file system for the block."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as out:
            for size in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while out.write(bytes(size)):
                        pass
        with pytest.raises(OSError, match="No space left"):
            (self.folder / "more").write_bytes(bytes(8192))
        (self.folder / "more").unlink(missing_ok=True)
        yield
        filler.unlink()

    @contextlib.contextmanager
    def limited_files(self) -> Iterator[None]:
        """Let no process write a file as large as a recording for the block."""
        process_ids = self.play.installation.process_ids()
        for name in WRITERS:
            assert self.play.installation.processes[name].log_file.stat().st_size < FILE_MAX_BYTES // 2
            _limit_files(process_ids[name], FILE_MAX_BYTES)
        yield
        assert self.play.installation.process_ids() == process_ids, "no process ended for it"
        for name in WRITERS:
            _limit_files(process_ids[name], resource.RLIM_INFINITY)


def _limit_files(process_id: int | None, limit_bytes: int) -> None:
    assert process_id is not None
    _, hard_bytes = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (limit_bytes, hard_bytes))


@pytest.fixture(scope="module")
def disk() -> Iterator[tuple[Path, bool]]:
    """A folder, and whether it is a file system of one MiB; it is not where none can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", str(folder)]
    is_small = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0  # noqa: S603
    yield folder, is_small
    if is_small:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(disk: tuple[Path, bool]) -> AsyncIterator[Store]:
    """Everything, with its recordings in the folder."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-full-"))
    await asyncio.to_thread(folder.chmod, 0o755)
    started = Installation.acquire(
        folder / "var", "full", announce=print, overrides={"blob_url": f"file:{disk[0] / 'blobs'}"}
    )
    await asyncio.to_thread(started.start)
    database = Database(started.database_url, vault=Vault(started.settings["master_key"]))
    try:
        yield Store(Play(started, database, folder), *disk)
    finally:
        await database.close()
        await asyncio.to_thread(started.stop)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("file_size", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_without_room_no_recording_is_confirmed_no_words_stop_and_nothing_is_lost(
    store: Store, *, file_size: bool
) -> None:
    how = FILE_SIZE if file_size or not store.is_small else FILE_SYSTEM
    down, up = (record_clip(speech(RECORDINGS_S[how], seed), Codec.AMR_NB) for seed in (1, 2))
    home = await store.play.home()
    async with store.play.parent(home.phone) as parent, store.play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(store.play, home, parent, watch)
        await talk.parent_writes(["before"])
        assert how == FILE_SYSTEM or min(len(down.sound), len(up.sound)) > FILE_MAX_BYTES
        with store.full_file_system() if how == FILE_SYSTEM else store.limited_files():
            spoken = watch.voice.record("family", up)
            with pytest.raises(ProblemError, match="try_again"):
                await parent.voice.speak_in_parts(talk.child_id, down.sound, "audio/amr", timeout_s=3)
            # Words need no room in the store.
            await asyncio.gather(talk.parent_writes(["meanwhile"]), talk.child_writes(["meanwhile"]))
            assert spoken.number not in {message.number for message in watch.sent() if message.state == "stored"}
        spoken = await watch.wait_stored(spoken, timeout_s=90)
        talk.up.append(Confirmed(spoken.wire_id, up.sound))
        (sent,) = await parent.send_waiting(timeout_s=90)
        talk.down.append(Confirmed(str(sent.message_id), down.sound))
        await talk.check()
