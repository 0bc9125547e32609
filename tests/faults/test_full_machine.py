"""The one disk of the machine is full, also for the log of Postgres: room mends it, and nothing confirmed is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.devstack.installation import Installation
from tests.e2e.conftest import Play, pair
from tests.support.checker import Conversation, record_figures

# Postgres with some segments of its log, everything else, and little more.
DISK_BYTES = 512 * 1024 * 1024
FULL_S = 10.0
EACH_WAY = 5


@contextlib.contextmanager
def _no_room(disk: Path) -> Iterator[None]:
    """Fill the file system for the block, whatever is freed meanwhile."""
    with (disk / "filler").open("ab", buffering=0) as out:
        for size in (1024 * 1024, 4_096, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)):
                    pass
        yield
    (disk / "filler").unlink()


async def _needs_room(installation: Installation) -> None:
    """Have Postgres begin new segments of its log until there is no room for one."""
    assert installation.postgres is not None
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection = await asyncpg.connect(installation.postgres.superuser_dsn())
        try:
            for _ in range(64):
                await connection.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))")
                await connection.execute("SELECT pg_switch_wal()")
        finally:
            connection.terminate()
        pytest.fail("Postgres found room for its log")


@pytest_asyncio.fixture(loop_scope="session")
async def machine() -> AsyncIterator[tuple[Play, Path]]:
    """Everything on a small file system of its own."""
    disk = Path(tempfile.mkdtemp(prefix="smartwatch-machine-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:  # noqa: ASYNC221, S603
        disk.rmdir()  # noqa: ASYNC240
        pytest.skip("no file system can be mounted here")
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-play-"))
    started = Installation.acquire(disk / "var", "machine", announce=print)
    try:
        await asyncio.to_thread(started.start)
        database = Database(started.database_url, vault=Vault(started.settings["master_key"]))
        try:
            yield Play(started, database, folder), disk
        finally:
            await database.close()
    finally:
        await asyncio.to_thread(started.stop)
        subprocess.run(["umount", str(disk)], check=True)  # noqa: ASYNC221, S603, S607
        shutil.rmtree(disk)
        shutil.rmtree(folder)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_machine_without_room_loses_nothing_and_goes_on_once_there_is_room(
    machine: tuple[Play, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    play, disk = machine
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch)
        await asyncio.gather(talk.parent_writes(["before"]), talk.child_writes(["before"]))
        with _no_room(disk):
            talking = asyncio.gather(
                talk.parent_writes([f"down {number}" for number in range(EACH_WAY)]),
                talk.child_writes([f"up {number}" for number in range(EACH_WAY)]),
            )
            await _needs_room(play.installation)
            await asyncio.sleep(FULL_S)
        began_s = time.monotonic()
        await asyncio.to_thread(play.installation.wait_ready, 120)
        record_figures(
            capsys, "a full machine, once there is room, until everything is ready", [time.monotonic() - began_s]
        )
        await talking
        await asyncio.gather(talk.parent_writes(["after"]), talk.child_writes(["after"]))
        await talk.check()
