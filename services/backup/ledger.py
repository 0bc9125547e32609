"""The ledger of erasures in the backup folder: one file, always the newest, that no restore takes back in time."""

from __future__ import annotations

from pathlib import Path

from services.backup.errors import BackupError
from services.core.platform.erasure_ledger import ErasureLedger, LedgerBrokenError


def copy_ledger(source: Path, target: Path) -> int:
    """Append the entries that the target lacks, and make the target if there is none; return how many were new.

    Entries are only ever added: a shorter source takes nothing away.
    """
    if not target.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
    try:
        entries, known = ErasureLedger(source).read(), {entry.erasure_id for entry in ErasureLedger(target).read()}
    except LedgerBrokenError as error:
        raise BackupError(
            "backup_ledger_broken", f"The ledger of erasures cannot be read: {source} or {target} is damaged."
        ) from error
    copy = ErasureLedger(target)
    fresh = [entry for entry in entries if entry.erasure_id not in known]
    for entry in fresh:
        copy.append(entry)
    return len(fresh)
