"""The ledger of erasures: outside the database, so that it survives the restore of a backup.

It is a file beside the keys, or, for a system of several machines, objects in a bucket (`erasure_ledger_s3`). One JSON
line an erasure, random ids only, appended and on the disk before the erasure is confirmed. What a restored database
brings back is erased again before anything is served.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.core.platform.errors import RetryLaterError

CHILD = "child"
FAMILY = "family"
# For whoever asks meanwhile: somebody has to act first.
_COME_BACK_AFTER_S = 60


class ErasuresPendingError(RetryLaterError):
    """The database holds what was erased: it was restored, and the ledger has not been applied to it yet."""

    code = "erasures_pending"
    sentence = "The database was restored, so the erasures must be replayed first: `smartwatch privacy replay`."

    def __init__(self) -> None:
        super().__init__(_COME_BACK_AFTER_S)


class LedgerBrokenError(RetryLaterError):
    """A line of the ledger cannot be read: nothing is served on a guess about what was erased."""

    code = "erasure_ledger_broken"
    sentence = "The erasure ledger cannot be read. Restore the copy that is stored with the keys."

    def __init__(self) -> None:
        super().__init__(_COME_BACK_AFTER_S)


class LedgerAwayError(RetryLaterError):
    """The bucket of the ledger does not answer, or lets entries be replaced: nothing is erased without an entry."""

    code = "erasure_ledger_away"
    sentence = "The erasure ledger cannot be reached or written. Try again later."

    def __init__(self) -> None:
        super().__init__(_COME_BACK_AFTER_S)


@dataclass(frozen=True)
class LedgerEntry:
    """One erasure: ``what`` is child or family, ``subject_id`` its id."""

    erasure_id: uuid.UUID
    what: str
    subject_id: uuid.UUID

    def line(self) -> str:
        """Return the entry as it is stored."""
        return json.dumps({"erasure_id": str(self.erasure_id), "what": self.what, "subject_id": str(self.subject_id)})

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Return a stored entry. Raises LedgerBrokenError."""
        try:
            row = json.loads(line)
            return cls(uuid.UUID(row["erasure_id"]), row["what"], uuid.UUID(row["subject_id"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerBrokenError from error


class ErasureLedger:
    """The file. Any number of processes read it and append to it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # Last content read, and the file's state then: compared whenever a connection is handed out.
        self._read_entries: list[LedgerEntry] = []
        self._read_signature: tuple[int, int, int] | None = None

    def append(self, entry: LedgerEntry) -> None:
        """Write an entry; it survives a loss of power once this returns."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _drop_torn_line(descriptor)
            os.write(descriptor, f"{entry.line()}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self) -> list[LedgerEntry]:
        """Return every entry, the oldest first; a missing file has none. Raises LedgerBrokenError."""
        # Taken before the file is read: an entry appended meanwhile is read once more, never missed.
        signature = self._signature()
        entries = self._parse()
        self._read_entries, self._read_signature = entries, signature
        return entries

    def unchanged_entries(self) -> list[LedgerEntry] | None:
        """Return what ``read`` returned last while the file is the same; None: it has to be read again."""
        return self._read_entries if self._read_signature == self._signature() else None

    def _signature(self) -> tuple[int, int, int]:
        """Return inode, size and time of change of the file; zeros: there is none."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return 0, 0, 0
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _parse(self) -> list[LedgerEntry]:
        try:
            raw = self._file.read_bytes()
        except FileNotFoundError:
            return []
        # A line that was cut while it was written was never confirmed.
        whole = raw[: raw.rfind(b"\n") + 1]
        return [LedgerEntry.parse(line) for line in whole.splitlines()]

    def exists(self) -> bool:
        """Return whether there is such a file: an empty ledger is one."""
        return self._file.exists()


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    tail_bytes = min(size, 4096)
    tail = os.pread(descriptor, tail_bytes, size - tail_bytes)
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - tail_bytes + tail.rfind(b"\n") + 1)
