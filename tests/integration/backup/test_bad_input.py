"""Damaged backups, impossible targets, full disks and killed commands: a sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from services.backup import taking
from services.backup.errors import BackupError
from services.backup.folder import BackupFolder
from services.backup.programs import Programs, programs_of
from services.backup.server import drop_slot
from services.backup.verifying import newest_backup, segment_number, verify
from services.core.platform.backup_state import read_backup_state
from services.core.platform.settings import Settings
from services.devstack.postgres_user import outside_folder
from tests.support.backups import (
    System,
    bring_keys,
    moment,
    open_folder,
    received,
    refusal,
    restore_into,
    running,
    until,
)
from tests.support.http import make_family
from tests.support.sounds import encoded


@dataclass(frozen=True)
class Kept:
    """A system that runs, and its backup: a full one, a recording, and a log that goes on."""

    system: System
    before: datetime
    secrets: str

    @property
    def base(self) -> Path:
        return self.system.base

    @property
    def backup(self) -> Path:
        return self.base / "backup"

    @property
    def programs(self) -> Programs:
        return programs_of(self.system.settings)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kept() -> AsyncIterator[Kept]:
    with open_folder() as base, contextlib.ExitStack() as ending:
        system = System(base, "lost")
        ending.callback(system.postgres.stop)
        await system.start()
        async with system.served() as (client, database):
            parent = await make_family(client, database)
            await parent.speak(encoded("amr-nb", 1.0))
            # The process takes and verifies the first backup by itself.
            with running(base, "backup", "run", SMARTWATCH_BACKUP_HEALTH_PORT="0", **system.environment) as process:
                await until(lambda: is_verified(base / "backup"), "the first backup is verified")
                await parent.send("after the backup")
                before = moment()
                await parent.send("the last one")
                await received(base / "backup", datetime.now(UTC))
                # A fault of the first seconds, on a busy machine, has been tried again.
                state = read_backup_state(base / "backup")
                assert state is not None
                assert state.fault == ""
                process.terminate()
                assert process.wait() == 0
        yield Kept(system, before, (system.folder / "secrets.json").read_text())


def is_verified(folder: Path) -> bool:
    state = read_backup_state(folder) if folder.is_dir() else None
    return state is not None and state.verified_backup == state.newest_backup != ""


@pytest.fixture
def copied(kept: Kept) -> Iterator[Path]:
    """A copy of the backup folder that a test may damage; unchanged files are the same files."""
    copy = kept.base / "copy"
    shutil.copytree(kept.backup, copy, copy_function=os.link)
    yield copy
    shutil.rmtree(copy)


def flip(file: Path, place: int | None = None) -> None:
    """Change one byte of a file of a copy, and not of the original."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 0x55
    file.unlink()
    file.write_bytes(content)


async def verify_fault(folder: Path) -> BackupError:
    with pytest.raises(BackupError) as raised:
        await verify(BackupFolder(folder), programs_of(Settings()))
    state = read_backup_state(folder)
    assert state is not None
    assert state.verify_fault == raised.value.sentence
    return raised.value


@contextlib.contextmanager
def new_system(kept: Kept, name: str = "new") -> Iterator[Path]:
    folder = kept.base / name
    bring_keys(kept.secrets, kept.base, name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        # Where root cannot run Postgres in the checkout: what a killed or failed restore left for the next one.
        shutil.rmtree(outside_folder(folder / "postgres"), ignore_errors=True)


def is_replaying(folder: Path) -> bool:
    """Whether a restore's server runs: at home, or outside where nothing else works (see postgres_user)."""
    homes = (folder / "postgres", outside_folder(folder / "postgres") / "instance")
    return any((home / "data.restoring" / "data" / "postmaster.pid").exists() for home in homes)


async def test_impossible_targets_are_refused_with_a_sentence_and_leave_nothing(kept: Kept) -> None:
    now = datetime.now(UTC)
    targets = {
        "yesterday": "restore_time_unreadable",
        "2026-03-01": "restore_time_unreadable",
        (now - timedelta(minutes=1)).replace(tzinfo=None).isoformat(): "restore_time_without_zone",
        (now + timedelta(hours=1)).isoformat(): "restore_time_in_future",
        (now - timedelta(days=400)).isoformat(): "restore_time_too_early",
        now.isoformat(): "restore_time_too_late",
    }
    with new_system(kept) as folder:
        for target, code in targets.items():
            assert (await refusal(kept.base, "new", target)).code == code, target
        (folder / "postgres" / "data").mkdir()
        (folder / "postgres" / "data" / "PG_VERSION").touch()
        assert (await refusal(kept.base, "new", "latest")).code == "restore_target_not_empty"
        assert [*(folder / "postgres" / "data").iterdir()] == [folder / "postgres" / "data" / "PG_VERSION"]
        shutil.rmtree(folder / "postgres" / "data")
        (folder / "blobs" / "ab").mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / "ab" / ("ab" * 16)).write_bytes(b"someone's sound")
        assert (await refusal(kept.base, "new", "latest")).code == "restore_store_not_empty"
        shutil.rmtree(folder / "blobs")
        assert sorted(entry.name for entry in (folder / "postgres").iterdir() if entry.is_dir()) == []
        (folder / "secrets.json").unlink()
        assert (await refusal(kept.base, "new", "latest")).code == "restore_keys_missing"
        (folder / "secrets.json").touch()
        assert (await refusal(kept.base, "new", "latest")).code == "restore_keys_differ"
        assert not outside_folder(folder / "postgres").exists()


@pytest.mark.parametrize("part", ["base", "log", "open segment", "ledger", "recording"])
async def test_a_flipped_byte_is_found_and_refused(kept: Kept, copied: Path, part: str) -> None:
    line, backup = newest_backup(BackupFolder(copied))
    [sound] = [file for file in (copied / "blobs").glob("??/*") if len(file.name) == 32]
    [partial] = line.wal.glob("*.partial")
    received_lsn = line.received().lsn
    damaged = {
        "base": line.base(backup) / "base/1/1259", "log": line.wal / line.segments()[-1], "open segment": partial,
        "ledger": copied / "erasures.jsonl", "recording": sound,
    }[part]  # fmt: skip
    if part == "ledger":
        damaged.unlink()
    else:
        flip(damaged, int(received_lsn.partition("/")[2], 16) % 2**24 // 2 if part == "open segment" else None)
    error = await verify_fault(copied)
    assert error.code == "backup_damaged"
    assert any(damaged.name.removesuffix(".partial") in text for text in error.lines), error.lines
    with new_system(kept):
        if part == "recording":
            # One recording less is no reason to keep everything else from a family.
            assert (await restore_into(kept.base, "new", "latest", backup=copied)).lost_recordings == 1
        else:
            error = await refusal(kept.base, "new", "latest", backup=copied)
            assert error.code == ("backup_ledger_missing" if part == "ledger" else "backup_damaged")
            assert not (kept.base / "new" / "postgres" / "data").exists()


@dataclass(frozen=True)
class ProgramsBesideAReceiver(Programs):
    """Postgres' programs, while the receiver completes the open segment just before it is read."""

    open_segment: Path

    async def run(self, name: str, *arguments: str | Path, url: str = "", politely: bool = False) -> str:
        if name == "pg_waldump" and self.open_segment.exists():
            self.open_segment.rename(self.open_segment.with_suffix(""))
        return await super().run(name, *arguments, url=url, politely=politely)


async def test_a_segment_that_is_completed_while_it_is_read_is_not_damaged(kept: Kept, copied: Path) -> None:
    folder = BackupFolder(copied)
    line, backup = newest_backup(folder)
    [partial] = line.wal.glob("*.partial")
    assert await verify(folder, ProgramsBesideAReceiver(kept.programs.folder, partial)) == backup
    assert line.segments()[-1] == partial.stem


async def test_a_full_disk_and_a_second_backup_are_refused_and_the_earlier_ones_stay(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(entry.name for entry in kept.backup.glob("lines/*/backups/*"))
    monkeypatch.setattr(taking, "LEAST_FREE_BYTES", 10**18)
    with pytest.raises(BackupError, match="backup_disk_full"):
        await kept.system.take("full")
    monkeypatch.setattr(taking, "LEAST_FREE_BYTES", 0)
    with BackupFolder(kept.backup).locked(), pytest.raises(BackupError, match="backup_busy"):
        await kept.system.take("full")
    if os.geteuid() == 0:
        with small_disk(kept.base / "small", 12) as small:
            shutil.copytree(kept.backup / "blobs", small / "blobs")
            with pytest.raises(BackupError, match="backup_disk_full"):
                await kept.system.take("full", small)
            assert [*small.glob("lines/*/backups/*")] == []
    assert sorted(entry.name for entry in kept.backup.glob("lines/*/backups/*")) == before


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """A small file system: a backup of the database needs 40 MiB, a segment of the log 16."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "smartwatch-test", str(folder))
    try:
        yield folder
    finally:
        _run("umount", str(folder))
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system of 40 MiB")
async def test_while_the_backup_disk_is_full_the_state_says_so_and_afterwards_nothing_is_missing(kept: Kept) -> None:
    # The log that backups of other tests have written since would fill the disk from the beginning.
    await drop_slot(kept.system.postgres.backup_dsn())
    with small_disk(kept.base / "small", 40) as small:
        async with kept.system.followed(small):
            await received(small, datetime.now(UTC))
            await kept.system.write_log(segments=3)
            await until(lambda: "full" in fault(small), "the state says that the disk is full")
            _run("mount", "-o", "remount,size=200m", str(small))
            await received(small, datetime.now(UTC))
            assert fault(small) == ""
        [line] = BackupFolder(small).lines()
        numbers = [segment_number(name) for name in line.segments()]
        assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
        assert len(numbers) >= 3


def fault(folder: Path) -> str:
    state = read_backup_state(folder)
    return "" if state is None else state.fault


def _run(*words: str) -> None:
    subprocess.run(words, check=True)  # noqa: S603 - programs of the system


async def test_a_backup_and_a_restore_that_are_killed_leave_nothing_that_hinders_the_next(
    kept: Kept, copied: Path
) -> None:
    environment = kept.system.environment | {"SMARTWATCH_BACKUP_DIR": str(copied)}
    [line] = BackupFolder(copied).lines()
    with running(kept.base, "backup", "full", **environment) as taking_one:
        await until((line.backups_folder / "coming" / "base").exists, "the copy has begun")
        taking_one.kill()
    assert len(line.backups()) == 1
    backup_id = await kept.system.take("incremental", copied)
    assert [backup.backup_id for backup in line.backups()][1:] == [backup_id]
    assert not (line.backups_folder / "coming").exists()

    with running(kept.base, "backup", "verify", **environment) as verifying:
        await asyncio.sleep(0.1)
        verifying.kill()
    await verify(BackupFolder(copied), programs_of(Settings()))
    state = read_backup_state(copied)
    assert state is not None
    assert (state.verified_backup, state.verify_fault) == (backup_id, "")

    with new_system(kept) as folder:
        given = {"SMARTWATCH_BACKUP_DIR": str(copied), "SMARTWATCH_ENVIRONMENT": "test"}
        words = ("restore", "--to", kept.before.isoformat(), "--instance", "new")
        with running(kept.base, *words, **given) as restoring:
            await until(lambda: is_replaying(folder), "the server runs")
            restoring.kill()
        done = await restore_into(kept.base, "new", kept.before.isoformat(), backup=copied)
        assert (done.recordings, done.lost_recordings) == (1, 0)
        assert sorted(entry.name for entry in (folder / "postgres").iterdir() if entry.is_dir()) == ["data"]
        assert not outside_folder(folder / "postgres").exists()
