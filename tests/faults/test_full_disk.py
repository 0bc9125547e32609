"""The disk of the audio store is full: no recording is confirmed, words go on, and room mends it all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
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
from tests.support.checker import Conversation

DISK_BYTES = 1024 * 1024
DOWN = record_clip(speech(2.0, 1), Codec.AMR_NB)
UP = record_clip(speech(2.0, 2), Codec.AMR_NB)


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """A file system of one MiB; skipped where none can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:  # noqa: S603
        shutil.rmtree(folder)
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small(disk: Path) -> AsyncIterator[Play]:
    """Everything, with its recordings on the small disk."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-full-"))
    await asyncio.to_thread(folder.chmod, 0o755)
    started = Installation.acquire(
        folder / "var", "full", announce=print, overrides={"blob_url": f"file:{disk / 'blobs'}"}
    )
    await asyncio.to_thread(started.start)
    database = Database(started.database_url, vault=Vault(started.settings["master_key"]))
    try:
        yield Play(started, database, folder)
    finally:
        await database.close()
        await asyncio.to_thread(started.stop)
        shutil.rmtree(folder, ignore_errors=True)


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        for size in (65_536, 4_096, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)):
                    pass
    with pytest.raises(OSError, match="No space left"):
        (disk / "more").write_bytes(bytes(8192))
    (disk / "more").unlink(missing_ok=True)
    return filler


@pytest.mark.timeout(300)
async def test_a_full_disk_confirms_no_recording_stops_no_words_and_loses_nothing(small: Play, disk: Path) -> None:
    home = await small.home()
    async with small.parent(home.phone) as parent, small.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(small, home, parent, watch)
        await talk.parent_writes(["before"])
        filler = _fill(disk)
        spoken = watch.voice.record("family", UP)
        with pytest.raises(ProblemError, match="try_again"):
            await parent.voice.speak_in_parts(talk.child_id, DOWN.sound, "audio/amr", timeout_s=3)
        # Words need no room in the store.
        await asyncio.gather(talk.parent_writes(["meanwhile"]), talk.child_writes(["meanwhile"]))
        assert spoken.number not in {one.number for one in watch.sent() if one.state == "stored"}
        filler.unlink()
        await watch.wait_stored(spoken, timeout_s=90)
        (sent,) = await parent.send_waiting(timeout_s=90)
        assert sent.voice is not None
        said = await small.said_by_child(home)
        assert said[spoken.wire_id][2] == UP.sound
        await watch.wait_until(
            lambda: DOWN.sound in [watch.voice.clip(item.ref) for item in watch.inbox()], timeout_s=90
        )
