"""Take a backup: the list of recordings, their copies, the ledger, then the database's files.

The list comes first. Every recording that a restored database refers to is then on the list, or was copied later.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from services.backup.blobs import RecordingCopies
from services.backup.errors import BackupError
from services.backup.expiring import delete_expired
from services.backup.folder import (
    FULL,
    INCREMENTAL,
    Backup,
    BackupFolder,
    Line,
    folder_of,
    new_backup_id,
    remove,
    segment_of,
    unwritable,
    write_whole,
)
from services.backup.ledger import back_up_ledger
from services.backup.programs import Programs, programs_of
from services.backup.server import FIRST_WITH_INCREMENTAL, Server, connected, identify, identify_source
from services.core.platform.backup_state import update_backup_state
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings

# A backup of a small database has this much; less room than this and it is not begun.
LEAST_FREE_BYTES: Final = 200_000_000

log = structlog.get_logger()


@dataclass(frozen=True)
class Source:
    """Source, tools and target of a backup."""

    settings: Settings
    folder: BackupFolder
    programs: Programs
    database: Database
    store: BlobStore
    # False is for tests: a loss of power may cost the backup.
    durable: bool = True

    @property
    def url(self) -> str:
        """The address of the role that may replicate."""
        return self.settings.backup_database_url

    @property
    def addresses(self) -> tuple[str, str]:
        """The addresses of the processes, which may name several servers."""
        return self.settings.database_url, self.settings.database_direct_url

    def copies(self) -> RecordingCopies:
        """Return the copies of recordings for one run."""
        return RecordingCopies(self.folder, self.database, self.store)


def source_of(settings: Settings, database: Database, *, durable: bool = True) -> Source:
    """Return what the settings name; raises BackupError."""
    folder = folder_of(settings)
    folder.prepare()
    return Source(settings, folder, programs_of(settings), database, BlobStore.of(settings), durable)


async def take_backup(source: Source, kind: str, *, gently: bool = False) -> Backup:
    """Take a full or an incremental backup and delete expired ones; raises BackupError, and nothing is changed then.

    ``gently`` spreads the checkpoint at the beginning over minutes, as a scheduled backup should. Whatever an
    interrupted backup left is removed.
    """
    with source.folder.locked():
        server = await identify_source(source.url, source.addresses)
        _check_versions(source, server)
        line = source.folder.line_of(server) or source.folder.begin_line(server)
        parent = _parent_of(line, server, kind)
        _check_room(source.folder, line, parent)
        try:
            backup = await _make_backup(source, server, line, parent, gently=gently)
        except OSError as error:
            raise unwritable(error) from error
        update_backup_state(
            source.folder.folder,
            {"newest_backup": backup.backup_id, "newest_kind": backup.kind, "newest_at": backup.ended_at},
        )
        await asyncio.to_thread(delete_expired, source.folder, source.settings.keep_backups_days, server.now)
    log.info("backup_taken", kind=backup.kind, recordings=backup.recordings)
    return backup


def _check_versions(source: Source, server: Server) -> None:
    version = source.programs.major_version()
    if version != server.major_version:
        raise BackupError(
            "backup_version_differs",
            f"The server has Postgres {server.major_version}, the programs in {source.programs.folder} have {version}: "
            "set SMARTWATCH_POSTGRES_PROGRAMS to the folder of the server's version.",
        )


def _parent_of(line: Line, server: Server, kind: str) -> Backup | None:
    if kind == FULL:
        return None
    if server.major_version < FIRST_WITH_INCREMENTAL or not server.summarizes:
        raise BackupError(
            "backup_incremental_impossible",
            "Incremental backups need Postgres 17 or newer with summarize_wal=on: take a full one.",
        )
    backups = line.backups()
    if not backups:
        raise BackupError(
            "backup_full_missing", "There is no backup of this server to build on: take a full one first."
        )
    return backups[-1]


def _check_room(folder: BackupFolder, line: Line, parent: Backup | None) -> None:
    """Refuse a backup that would certainly not fit, so that what is received goes on having room."""
    free = shutil.disk_usage(folder.folder).free
    newest = [] if parent else line.backups()[-1:]
    before = sum(file.stat().st_size for backup in newest for file in line.base(backup).rglob("*") if file.is_file())
    needed = max(before if newest and newest[0].kind == FULL else 0, LEAST_FREE_BYTES)
    if free < needed:
        raise BackupError(
            "backup_disk_full",
            f"The disk of the backup folder has {free / 1e9:.1f} GB free, the backup needs {needed / 1e9:.1f} GB: make "
            "room. Earlier backups are unchanged.",
        )


async def _make_backup(source: Source, server: Server, line: Line, parent: Backup | None, *, gently: bool) -> Backup:
    coming = line.backups_folder / "coming"
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(mode=0o700)
    try:
        listed: list[str] = []
        copies = source.copies()
        await copies.copy_all(listed)
        if copies.missing:
            log.warning("backup_recordings_missing", count=copies.missing)
        await asyncio.to_thread(back_up_ledger, source.settings, source.folder.ledger)
        write_whole(coming / "blobs.txt", "".join(f"{name}\n" for name in listed))
        await _copy_base(source, coming / "base", line.base(parent) if parent else None, gently=gently)
        async with connected(source.url) as connection:
            after = await identify(connection)
        if (after.system_identifier, after.timeline) != (server.system_identifier, server.timeline):
            raise BackupError("backup_failed", "The server was replaced meanwhile: try again.")  # noqa: TRY301 - removed below
        kind = INCREMENTAL if parent else FULL
        backup = Backup(
            backup_id=new_backup_id(server.now, kind), kind=kind, parent=parent.backup_id if parent else "",
            began_at=server.now, ended_at=after.now, major_version=server.major_version,
            first_segment=segment_of(coming / "base"), recordings=len(listed),
        )  # fmt: skip
        write_whole(coming / "backup.json", backup.model_dump_json(indent=2) + "\n")
        coming.rename(line.backups_folder / backup.backup_id)
    except BaseException:
        remove(coming)
        raise
    return backup


async def _copy_base(source: Source, target: Path, parent: Path | None, *, gently: bool) -> None:
    await source.programs.run(
        "pg_basebackup",
        f"--pgdata={target}",
        "--wal-method=stream",
        f"--checkpoint={'spread' if gently else 'fast'}",
        *([f"--max-rate={rate}M"] if (rate := source.settings.backup_mb_per_s) else []),
        "--manifest-checksums=SHA256",
        "--no-password",
        *([] if source.durable else ["--no-sync"]),
        *([f"--incremental={parent / 'backup_manifest'}"] if parent else []),
        url=source.url,
        politely=True,
    )
