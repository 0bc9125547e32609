"""State of this system's backups, in one small file of the backup folder (`state.json`).

`smartwatch backup` writes it; `smartwatch doctor` and whatever watches the system read it with `read_backup_state`.
It holds ids of backups and times, nothing about people.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

STATE_FILE = "state.json"


class BackupStateBrokenError(Exception):
    """The file cannot be read as a state of backups."""


class BackupState(BaseModel):
    """The newest backup, its verification, and how far the write-ahead log was received. None or "": never happened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    # The newest complete backup: its id, `full` or `incremental`, and the time up to which it reaches by itself.
    newest_backup: str = ""
    newest_kind: str = ""
    newest_at: AwareDatetime | None = None
    # The last verification that found no fault, and the backup that it read.
    verified_backup: str = ""
    verified_at: AwareDatetime | None = None
    # A sentence about the last verification that failed; empty after one that passed.
    verify_fault: str = ""
    # Everything committed until then is in the backup folder: rows, sound and erasures.
    received_until: AwareDatetime | None = None
    # The line of the folder that is being received, and its last position that is on this disk.
    received_line: str = ""
    received_lsn: str = ""
    # A sentence about what keeps the receiving or the daily backup from working; empty while it works.
    fault: str = ""
    fault_since: AwareDatetime | None = None


def read_backup_state(folder: Path) -> BackupState | None:
    """Return the state of the backups in this folder; None: there is none yet. Raises BackupStateBrokenError."""
    try:
        return BackupState.model_validate_json((folder / STATE_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        message = f"{folder / STATE_FILE} cannot be read"
        raise BackupStateBrokenError(message) from error


def update_backup_state(folder: Path, changes: Mapping[str, str | datetime | None]) -> None:
    """Change some fields of the state; several processes may do so at once. A state that cannot be read begins anew."""
    with _locked(folder):
        try:
            state = read_backup_state(folder) or BackupState()
        except BackupStateBrokenError:
            state = BackupState()
        fields = state.model_copy(update=dict(changes)).model_dump(mode="json")
        coming = folder / f"{STATE_FILE}.coming"
        coming.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
        coming.rename(folder / STATE_FILE)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / f"{STATE_FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
