"""What `smartwatch doctor` says about backups: whether they are made, verified, received, and not kept too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from services.backup.errors import BackupError
from services.backup.programs import programs_of
from services.backup.server import faults_of
from services.core.platform.backup_state import BackupStateBrokenError, read_backup_state
from services.core.platform.settings import Environment, Settings
from services.devstack.findings import Finding

OLDEST: Final = timedelta(hours=26)
VERIFIED_WITHIN: Final = timedelta(days=8)
RECEIVED_WITHIN: Final = timedelta(minutes=5)
# Sealed recordings live as long as a backup needs them, which their age does not tell.
_AGELESS: Final = ("blobs", "state.json", "state.json.lock", "backup.lock", "erasures.jsonl", "reserve")
_ROLE: Final = "docs/backup.md names the role and the settings of the server"


def backup_findings(settings: Settings) -> Iterator[Finding]:
    """Check the backups that the settings name; changes nothing."""
    folder = settings.backup_dir
    if folder is None:
        yield Finding(
            "backups", ok=True, what="none: SMARTWATCH_BACKUP_DIR is empty",
            mend="name a folder on another disk, and run `smartwatch up` or `smartwatch backup run`",
            warns=settings.environment is Environment.PRODUCTION,
        )  # fmt: skip
        return
    if not folder.is_dir():
        yield Finding("backups", ok=False, what=f"{folder} is no folder", mend="correct SMARTWATCH_BACKUP_DIR")
        return
    yield from state_findings(folder, datetime.now(UTC))
    yield kept_too_long(folder, settings.keep_backups_days)
    if settings.backup_database_url:
        yield server_finding(settings)


def state_findings(folder: Path, now: datetime) -> Iterator[Finding]:
    """Check the state that the backups leave in their folder."""
    try:
        state = read_backup_state(folder)
    except (BackupStateBrokenError, OSError) as error:
        yield Finding("backups", ok=False, what=str(error), mend="take a backup: it writes the state anew")
        return
    if state is None or state.newest_at is None:
        yield Finding("backups", ok=False, what=f"{folder} holds none", mend="`smartwatch backup full`")
        return
    age = now - state.newest_at
    what = f"{state.newest_backup}, {_span(age)} old"
    mend = "`smartwatch backup full`, and see why none was taken: is `smartwatch backup run` running?"
    yield Finding("backups", age < OLDEST, what, mend)
    if state.verify_fault:
        yield Finding(
            "backup verified", ok=False, what=state.verify_fault, mend="`smartwatch backup full`, then verify"
        )
    elif state.verified_at is None:
        yield Finding("backup verified", ok=False, what="never", mend="`smartwatch backup verify`")
    else:
        since = now - state.verified_at
        yield Finding(
            "backup verified", since < VERIFIED_WITHIN, f"{_span(since)} ago ({state.verified_backup})",
            "`smartwatch backup verify`",
        )  # fmt: skip
    if state.fault:
        yield Finding("backup receives", ok=False, what=state.fault, mend="see the log of `smartwatch backup run`")
    elif state.received_until is not None:
        behind = now - state.received_until
        mend = "start `smartwatch up` or `smartwatch backup run`: what is written now is in no backup"
        yield Finding("backup receives", behind < RECEIVED_WITHIN, f"until {_span(behind)} ago", mend)


def kept_too_long(folder: Path, keep_days: int) -> Finding:
    """Check for files that are older than backups may be: erased names and numbers can be read in them."""
    oldest = time.time() - keep_days * 24 * 3600
    entries = [entry for entry in folder.iterdir() if entry.name not in _AGELESS]
    files = [file for entry in entries for file in (entry.rglob("*") if entry.is_dir() else [entry]) if file.is_file()]
    too_old = sum(file.stat().st_mtime < oldest for file in files)
    return Finding(
        "backups kept", too_old == 0, f"{too_old} of {len(files)} files are older than {keep_days} days",
        f"delete them, and their copies elsewhere: {folder}",
    )  # fmt: skip


def server_finding(settings: Settings) -> Finding:
    """Check the rights and settings of the database server that backups need."""
    try:
        faults = asyncio.run(faults_of(settings.backup_database_url, programs_of(settings).major_version()))
    except BackupError as error:
        return Finding("backup server", ok=False, what=error.sentence, mend=_ROLE)
    return Finding("backup server", not faults, "; ".join(faults) or "allows replication", _ROLE)


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 1:
        return f"{max(0, round(span.total_seconds()))} s"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004 - two days
