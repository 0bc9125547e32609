"""The ledger of erasures in the backup folder: one file, always the newest, that no restore takes back in time."""

from __future__ import annotations

from pathlib import Path

from services.backup.errors import BackupError
from services.core.platform.erasure_ledger import ErasureLedger, LedgerAwayError, LedgerBrokenError
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.settings import Settings


def back_up_ledger(settings: Settings, target: Path) -> int:
    """Append the entries of the system's ledger that the copy lacks, and make the copy if there is none."""
    if not target.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
    return copy_ledger(open_ledger(settings), ErasureLedger(target), str(target))


def bring_ledger(source: Path, settings: Settings) -> int:
    """Append the entries of a copy that the system's ledger lacks, and make its file if there is none."""
    target = settings.erasure_ledger
    if not settings.erasure_ledger_url and not target.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
    return copy_ledger(ErasureLedger(source), open_ledger(settings), str(source))


def copy_ledger(source: ErasureLedger, target: ErasureLedger, copy: str) -> int:
    """Append the entries that the target lacks; return how many were new.

    Entries are only ever added: a shorter source takes nothing away. ``copy`` is the name of the one in the backups.
    """
    try:
        entries, known = source.read(), {entry.erasure_id for entry in target.read()}
        fresh = [entry for entry in entries if entry.erasure_id not in known]
        for entry in fresh:
            target.append(entry)
    except LedgerBrokenError as error:
        raise BackupError(
            "backup_ledger_broken", f"The ledger of erasures cannot be read: {copy} or the system's own is damaged."
        ) from error
    except LedgerAwayError as error:
        raise BackupError(
            "backup_ledger_away", "The bucket of the ledger of erasures does not answer, or does not create only."
        ) from error
    return len(fresh)
