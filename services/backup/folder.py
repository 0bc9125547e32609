"""The backup folder: what lies where, which backups are complete, and who may change it.

reserve               room for the state on a full disk
state.json            the newest backup, its verification, how far everything was received
erasures.jsonl        the ledger of erasures, always the newest one: it belongs to no backup
blobs/<two hex>/      sealed recordings as in the audio store, and SHA256SUMS
lines/<line>/         one unbroken history of one database server
    received.json     how far its log was received
    wal/              the log, and SHA256SUMS of its completed segments
    backups/<id>/     backup.json, blobs.txt (the recordings that belong to it) and base/ (the database's files)

A folder named `coming` or `leaving` is no backup: it is being made or deleted, or a process was killed meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from services.backup.errors import BackupError
from services.backup.server import Server
from services.backup.sums import write_all
from services.core.platform.settings import Settings

FULL = "full"
INCREMENTAL = "incremental"
SEGMENT_NAME_LENGTH = 24
_ID_TIME = "%Y%m%dT%H%M%SZ"
_LOCK = "backup.lock"
_RESERVE = "reserve"
_RESERVE_BYTES = 256 * 1024


class Backup(BaseModel):
    """One complete backup; `parent` is the one that an incremental backup is based on."""

    model_config = ConfigDict(frozen=True)

    backup_id: str
    kind: str
    parent: str = ""
    began_at: AwareDatetime
    # The earliest time to which it can be restored.
    ended_at: AwareDatetime
    major_version: int
    # The segment of the log with which a recovery begins.
    first_segment: str
    recordings: int


class Received(BaseModel):
    """How far the log of a line was received, and until when rows, sound and erasures are complete."""

    model_config = ConfigDict(frozen=True)

    lsn: str = ""
    until: AwareDatetime | None = None


@dataclass(frozen=True)
class Line:
    """One unbroken history of one server."""

    folder: Path

    @property
    def name(self) -> str:
        """Name of the folder: system identifier, timeline, time of its beginning."""
        return self.folder.name

    @property
    def wal(self) -> Path:
        """The folder of the received log."""
        return self.folder / "wal"

    @property
    def backups_folder(self) -> Path:
        """The folder of the backups."""
        return self.folder / "backups"

    @property
    def timeline(self) -> int:
        """The timeline of the server, a number that grows with each restore."""
        return int(self.name.split("-")[1])

    def backups(self) -> list[Backup]:
        """Return the complete backups, the oldest first. Raises BackupError for one whose description is damaged."""
        return [self.backup(entry.name) for entry in sorted(self.backups_folder.glob("2*")) if entry.is_dir()]

    def backup(self, backup_id: str) -> Backup:
        """Return one complete backup."""
        try:
            return Backup.model_validate_json((self.backups_folder / backup_id / "backup.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise BackupError(
                "backup_damaged", f"Backup {backup_id} is damaged: its description backup.json cannot be read."
            ) from error

    def base(self, backup: Backup) -> Path:
        """The folder of the database's files."""
        return self.backups_folder / backup.backup_id / "base"

    def listed_blobs(self, backup: Backup) -> list[str]:
        """Return the recordings (32 hex digits each) that belong to a backup; raises BackupError."""
        try:
            listed = (self.backups_folder / backup.backup_id / "blobs.txt").read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            listed = []
        if len(listed) != backup.recordings:
            raise BackupError(
                "backup_damaged", f"Backup {backup.backup_id} is damaged: its list of recordings cannot be read."
            )
        return listed

    def chain(self, backup: Backup) -> list[Backup]:
        """Return the full backup, then each incremental one up to this one."""
        chain = [backup]
        while chain[0].kind != FULL:
            chain.insert(0, self.backup(chain[0].parent))
        return chain

    def segments(self) -> list[str]:
        """Return the names of the completed segments in order."""
        return sorted(file.name for file in self.wal.glob("[0-9A-F]*") if len(file.name) == SEGMENT_NAME_LENGTH)

    def received(self) -> Received:
        """Return how far the log was received."""
        try:
            return Received.model_validate_json((self.folder / "received.json").read_bytes())
        except (OSError, ValidationError):
            return Received()

    def note_received(self, received: Received) -> None:
        """Record how far the log was received."""
        write_whole(self.folder / "received.json", received.model_dump_json() + "\n")


class BackupFolder:
    """The folder that SMARTWATCH_BACKUP_DIR names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def blobs(self) -> Path:
        """The folder of the sealed recordings."""
        return self.folder / "blobs"

    @property
    def ledger(self) -> Path:
        """The copy of the ledger of erasures."""
        return self.folder / "erasures.jsonl"

    def prepare(self) -> None:
        """Make the folder, readable by its owner only; raises BackupError."""
        try:
            for folder in (self.folder, self.blobs, self.folder / "lines"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.keep_reserve()
        except OSError as error:
            raise unwritable(error) from error

    def keep_reserve(self) -> None:
        """Keep room for the state, which has to say that the disk is full."""
        reserve = self.folder / _RESERVE
        if not reserve.exists():
            # A name of this call alone: several processes may prepare the folder at once.
            descriptor, coming = tempfile.mkstemp(prefix=f"{_RESERVE}.", suffix=".coming", dir=self.folder)
            try:
                write_all(descriptor, bytes(_RESERVE_BYTES))
                Path(coming).rename(reserve)
            except OSError:
                Path(coming).unlink(missing_ok=True)
                raise
            finally:
                os.close(descriptor)

    def use_reserve(self) -> None:
        """Give the room for the state free; a repeat does nothing."""
        (self.folder / _RESERVE).unlink(missing_ok=True)

    def lines(self) -> list[Line]:
        """Return every line, the oldest first."""
        entries = [entry for entry in (self.folder / "lines").glob("*-*-2*") if entry.is_dir()]
        return [Line(entry) for entry in sorted(entries, key=lambda entry: entry.name.rsplit("-", 1)[1])]

    def line_of(self, server: Server) -> Line | None:
        """Return the newest line of a server's present timeline."""
        prefix = f"{server.system_identifier}-{server.timeline}-"
        return next((line for line in reversed(self.lines()) if line.name.startswith(prefix)), None)

    def begin_line(self, server: Server) -> Line:
        """Begin a line: the server is new here, was restored, or its log has a gap."""
        began = server.now.strftime(_ID_TIME)
        line = Line(self.folder / "lines" / f"{server.system_identifier}-{server.timeline}-{began}")
        for folder in (line.wal, line.backups_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return line

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one backup, verification or restore; raises BackupError while another process does."""
        try:
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unwritable(error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
                raise BackupError(
                    "backup_busy",
                    f"Another backup, verification or restore is running (process {holder}): wait for it.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)


def folder_of(settings: Settings) -> BackupFolder:
    """Return the configured folder; raises BackupError when there is none."""
    if settings.backup_dir is None:
        raise BackupError(
            "backup_folder_unknown", "SMARTWATCH_BACKUP_DIR is empty: name a folder on another disk than the system's."
        )
    return BackupFolder(settings.backup_dir)


def new_backup_id(now: datetime, kind: str) -> str:
    """Return the id of a backup: its time, which sorts, and its kind."""
    return f"{now.strftime(_ID_TIME)}-{kind}"


def write_whole(file: Path, text: str) -> None:
    """Write a file that appears under its name once it is complete and on the disk."""
    coming = file.with_name(f"{file.name}.coming")
    with coming.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    coming.rename(file)


def remove(folder: Path) -> None:
    """Delete a folder so that a process killed meanwhile leaves no half of it under its name."""
    if folder.exists():
        leaving = folder.with_name("leaving")
        shutil.rmtree(leaving, ignore_errors=True)
        folder.rename(leaving)
        shutil.rmtree(leaving)


def segment_of(base: Path) -> str:
    """Return the segment of the log with which a recovery of these files begins; raises BackupError."""
    try:
        first = (base / "backup_label").read_text(encoding="utf-8").splitlines()[0]
        return first[first.index("(file ") + 6 : first.index(")")]
    except (OSError, ValueError, IndexError) as error:
        raise BackupError("backup_damaged", f"{base / 'backup_label'} cannot be read.") from error


def is_full_disk(error: OSError) -> bool:
    """Return whether the error says that a disk, a quota or a file is full."""
    return error.errno in {errno.EFBIG, errno.ENOSPC, errno.EDQUOT}


def unwritable(error: OSError) -> BackupError:
    """Return the error for a folder that cannot be written."""
    return BackupError(
        "backup_disk_full" if is_full_disk(error) else "backup_folder_unwritable",
        f"The backup folder cannot be written: {error.strerror}. Earlier backups are unchanged.",
        (str(error.filename),) if error.filename else (),
    )
