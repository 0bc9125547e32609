"""Delete what is older than backups may live: erased names and numbers can be read in it.

A full backup is deleted together with the incremental ones that build on it. The newest chain stays, whatever its age:
deleting the only backup helps nobody, and `smartwatch doctor` reports its age.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.backup.blobs import delete_unneeded, ids_of
from services.backup.folder import FULL, Backup, BackupFolder, Line, remove


def delete_expired(folder: BackupFolder, keep_days: int, now: datetime) -> int:
    """Delete expired backups, then the log and the recordings that no backup needs; return the number of backups."""
    # Looked at once a day: what would be too old tomorrow goes today.
    oldest = now - timedelta(days=keep_days - 1)
    lines = folder.lines()
    newest_line = max((line for line in lines if line.backups()), key=lambda line: line.backups()[-1].ended_at)
    newest_chain = newest_line.chain(newest_line.backups()[-1])[0].backup_id
    deleted = 0
    for line in lines:
        for chain in _chains(line.backups()):
            if chain[0].began_at < oldest and chain[0].backup_id != newest_chain:
                for backup in reversed(chain):
                    remove(line.backups_folder / backup.backup_id)
                    deleted += 1
        _delete_log(line)
        if line != newest_line and not line.backups() and _last_change(line) < oldest.timestamp():
            remove(line.folder)
    _delete_recordings(folder)
    return deleted


def _chains(backups: list[Backup]) -> list[list[Backup]]:
    chains: list[list[Backup]] = []
    for backup in backups:
        if backup.kind == FULL or not chains:
            chains.append([])
        chains[-1].append(backup)
    return chains


def _delete_log(line: Line) -> None:
    """Delete segments before the first one that a backup of the line needs."""
    backups = line.backups()
    if backups:
        first = min(backup.first_segment for backup in backups)
        for name in line.segments():
            if name < first:
                (line.wal / name).unlink(missing_ok=True)


def _last_change(line: Line) -> float:
    return max((entry.stat().st_mtime for entry in (*line.wal.iterdir(), line.folder)), default=0.0)


def _delete_recordings(folder: BackupFolder) -> None:
    needed: set[bytes] = set()
    began: list[datetime] = []
    for line in folder.lines():
        for backup in line.backups():
            needed |= ids_of(line.listed_blobs(backup))
            began.append(backup.began_at)
    if began:
        delete_unneeded(folder.blobs, needed, min(began))
