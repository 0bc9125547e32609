"""Read the newest backup from its first to its last byte: the database's files, the log, recordings, ledger."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from services.backup.blobs import copy_of
from services.backup.errors import BackupError
from services.backup.folder import SEGMENT_NAME_LENGTH, Backup, BackupFolder, Line
from services.backup.programs import Programs
from services.backup.server import SEGMENT_BYTES, lsn_number, lsn_text
from services.backup.sums import digest_of, forget_sums, read_sums
from services.core.platform.backup_state import update_backup_state
from services.core.platform.erasure_ledger import ErasureLedger, LedgerBrokenError

_FAULTS_SHOWN = 20


async def verify(folder: BackupFolder, programs: Programs) -> Backup:
    """Verify the newest backup with everything that belongs to it and note the outcome; raises BackupError."""
    with folder.locked():
        try:
            line, backup = newest_backup(folder)
            faults = await _faults_of(folder, programs, line, backup)
            if faults:
                raise BackupError(  # noqa: TRY301 - recorded below, like every other one
                    "backup_damaged",
                    f"Backup {backup.backup_id} is damaged ({len(faults)} faults): take a full backup, and look after "
                    "the disk.",
                    tuple(faults[:_FAULTS_SHOWN]),
                )
        except BackupError as error:
            update_backup_state(folder.folder, {"verify_fault": error.sentence})
            raise
        update_backup_state(
            folder.folder,
            {"verified_backup": backup.backup_id, "verified_at": datetime.now(UTC), "verify_fault": ""},
        )
    return backup


def newest_backup(folder: BackupFolder) -> tuple[Line, Backup]:
    """Return the newest backup and its line; raises BackupError when there is none."""
    newest = [(line, line.backups()[-1]) for line in folder.lines() if line.backups()]
    if not newest:
        raise BackupError("backup_missing", f"{folder.folder} holds no backup.")
    return max(newest, key=lambda pair: pair[1].ended_at)


async def _faults_of(folder: BackupFolder, programs: Programs, line: Line, backup: Backup) -> list[str]:
    faults: list[str] = []
    for link in line.chain(backup):
        try:
            await verify_base(programs, line, link, politely=True)
        except BackupError as error:
            faults += [f"{link.backup_id}: {text}" for text in error.lines or (error.sentence,)]
    faults += await asyncio.to_thread(lambda: list(faults_of_log(line, backup.first_segment)))
    if not faults:
        faults += await faults_of_open_segment(programs, line, backup.first_segment)
    faults += await asyncio.to_thread(lambda: list(_faults_of_recordings(folder, line, backup)))
    try:
        ErasureLedger(folder.ledger).read()
    except LedgerBrokenError:
        faults.append(f"{folder.ledger.name}: a line of the ledger of erasures cannot be read")
    if not folder.ledger.exists():
        faults.append(f"{folder.ledger.name}: the ledger of erasures is missing")
    return faults


async def verify_base(programs: Programs, line: Line, backup: Backup, *, politely: bool = False) -> None:
    """Compare the database's files of one backup with the digests of its manifest; raises BackupError."""
    if not line.base(backup).is_dir():
        raise BackupError("backup_damaged", f"The files of backup {backup.backup_id} are missing.")
    try:
        await programs.run("pg_verifybackup", "--quiet", line.base(backup), politely=politely)
    except BackupError as error:
        raise BackupError(
            "backup_damaged", f"The files of backup {backup.backup_id} are damaged.", error.lines
        ) from error


def faults_of_log(line: Line, first: str) -> Iterator[str]:
    """Yield what is wrong with the completed segments from the first one that is needed: gaps, altered bytes."""
    sums = read_sums(line.wal)
    segments = [name for name in line.segments() if name >= first]
    expected = sorted(name for name in sums if len(name) == SEGMENT_NAME_LENGTH and name >= first)
    for name in expected:
        if name not in segments:
            yield f"wal/{name}: missing"
    for before, name in itertools.pairwise(segments):
        if segment_number(name) != segment_number(before) + 1:
            yield f"wal/{name}: does not follow {before}"
    for name in segments:
        # The newest one may not have been recorded yet.
        if name in sums and digest_of(line.wal / name) != sums[name]:
            yield f"wal/{name}: altered"


async def faults_of_open_segment(programs: Programs, line: Line, first: str) -> list[str]:
    """Read the newest, incomplete segment record by record up to the position that was received.

    The receiver may complete it at any moment: what was found in it then says nothing, and the next one is read.
    """
    while (open_segment := next(reversed(_open_segments(line)), None)) and open_segment.name >= first:
        faults = await _faults_of_segment(programs, line, open_segment)
        if not faults or open_segment.exists():
            return faults
    return []


def _open_segments(line: Line) -> list[Path]:
    return sorted(line.wal.glob("[0-9A-F]*.partial"))


async def _faults_of_segment(programs: Programs, line: Line, segment: Path) -> list[str]:
    received = line.received().lsn
    name = segment.name.removesuffix(".partial")
    start, end = segment_number(name) * SEGMENT_BYTES, lsn_number(received) if received else 0
    if not start < end <= start + SEGMENT_BYTES:
        return []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).symlink_to(segment)
        # The records of the segment before may reach into this one.
        for before in [other for other in line.segments() if other < name][-1:]:
            (Path(folder) / before).symlink_to(line.wal / before)
        try:
            await programs.run(
                "pg_waldump", "--quiet", f"--path={folder}", f"--timeline={line.timeline}",
                f"--start={lsn_text(start)}", f"--end={received}",
            )  # fmt: skip
        except BackupError as error:
            return [f"wal/{segment.name}: {text}" for text in error.lines]
    return []


def _faults_of_recordings(folder: BackupFolder, line: Line, backup: Backup) -> Iterator[str]:
    """Yield each recording that is missing or altered: those of the backup, and those copied since."""
    try:
        wanted = {*line.listed_blobs(backup)}
    except BackupError as error:
        yield error.sentence
        wanted = set()
    for part in sorted(folder.blobs.glob("??")):
        for name, digest in read_sums(part).items():
            file = copy_of(folder.blobs, name)
            state = "missing" if not file.exists() else "altered" if digest_of(file) != digest else ""
            wanted.discard(name)
            if state:
                yield f"blobs/{part.name}/{name}: {state}"
                # No longer counts as a copy, so that the next backup copies the recording again.
                forget_sums(part, {name})
                if state == "altered":
                    file.rename(file.with_suffix(".damaged"))
    yield from (f"blobs/{name[:2]}/{name}: missing" for name in sorted(wanted))


def segment_number(name: str) -> int:
    """Return the number of a segment since the beginning of the log."""
    per_file = (1 << 32) // SEGMENT_BYTES
    return int(name[8:16], 16) * per_file + int(name[16:24], 16)
