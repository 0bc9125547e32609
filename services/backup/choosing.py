"""Which backup a restore to a time begins with, and whether the log reaches to that time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from services.backup.errors import BackupError
from services.backup.folder import Backup, BackupFolder, Line
from services.backup.verifying import newest_backup

LATEST = "latest"
_DATE_ONLY = re.compile(r"\d{4}-?\d\d-?\d\d")


@dataclass(frozen=True)
class Choice:
    """A chain of backups, the log after it, and the time to which it is replayed (None: to its end)."""

    line: Line
    chain: list[Backup]
    target: datetime | None

    @property
    def newest(self) -> Backup:
        """The backup with which the recovery begins."""
        return self.chain[-1]


def read_target(text: str, now: datetime) -> datetime | None:
    """Return the time of `--to`, None for `latest`; raises BackupError for one without zone, or in the future."""
    if text == LATEST:
        return None
    try:
        target = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BackupError(
            "restore_time_unreadable",
            "--to needs `latest` or a time such as 2027-03-01T14:30:00+08:00.",
        ) from None
    if _DATE_ONLY.fullmatch(text.strip()):
        raise BackupError(
            "restore_time_unreadable", "--to needs a time of day beside the date, such as 2027-03-01T14:30:00+08:00."
        )
    if target.tzinfo is None:
        raise BackupError(
            "restore_time_without_zone",
            f"--to {text} has no time zone: add one, such as {target.isoformat()}+08:00, or Z for UTC.",
        )
    if target > now:
        raise BackupError("restore_time_in_future", f"--to {text} is in the future: it is {shown(now)} now.")
    return target.astimezone(UTC)


def choose(folder: BackupFolder, target: datetime | None) -> Choice:
    """Return the newest backup before the target with its chain; raises BackupError when nothing reaches there."""
    if not (folder.folder / "lines").is_dir():
        raise BackupError("backup_missing", f"{folder.folder} holds no backup.")
    line, backup = newest_backup(folder)
    if target is not None:
        every = [(line, backup) for line in folder.lines() for backup in line.backups()]
        oldest = min(backup.ended_at for _, backup in every)
        earlier = [pair for pair in every if pair[1].ended_at <= target]
        if not earlier:
            raise BackupError(
                "restore_time_too_early", f"The oldest backup is of {shown(oldest)}: nothing older can be restored."
            )
        line, backup = max(earlier, key=lambda pair: pair[1].ended_at)
        reach = max(filter(None, (line.received().until, line.backups()[-1].ended_at)))
        if target > reach:
            raise BackupError(
                "restore_time_too_late",
                f"The log was received until {shown(reach)}: name that time or an earlier one, or `--to latest`.",
            )
    return Choice(line, line.chain(backup), target)


def shown(time: datetime) -> str:
    """Return a time for a sentence, in UTC, to the second before it: what is shown can be named in --to."""
    return time.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
