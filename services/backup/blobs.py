"""Copies of the sealed recordings: made within seconds, complete for every backup, deleted when no restore needs them.

A recording never changes, so that a copy is made once. It is opened by no key of the backup: its key is wrapped by a
master key that lives elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.backup.folder import BackupFolder, unwritable
from services.backup.sums import append_sums, forget_sums, read_sums, sync, write_all
from services.core.platform.blobs.queries import kept_after, kept_since
from services.core.platform.blobs.store import BlobMissingError, BlobStore
from services.core.platform.db.database import Database

PAGE = 5_000
_BATCH = 64
# Clocks of two machines differ, and a transaction commits later than it began. The daily backup compares everything.
_OVERLAP = timedelta(minutes=2)


class RecordingCopies:
    """The copies in one backup folder. Any number may copy the same recording at once: they write the same."""

    def __init__(self, folder: BackupFolder, database: Database, store: BlobStore) -> None:
        self._folder = folder
        self._database = database
        self._store = store
        self._known: set[bytes] | None = None
        self.missing = 0

    async def copy_all(self, listed: list[str] | None = None) -> int:
        """Copy every referenced recording that has no copy; append the id of each to ``listed``. Return the copies."""
        copied, after = 0, uuid.UUID(int=0)
        self.missing = 0
        while True:
            async with self._database.begin() as work:
                page = await kept_after(work, after, PAGE)
            if not page:
                return copied
            copied += await self._copy(page)
            if listed is not None:
                known = await self._load_known()
                listed.extend(blob_id.hex for blob_id in page if blob_id.bytes in known)
            after = page[-1]

    async def copy_since(self, since: datetime) -> int:
        """Copy what has been referenced since a time of the database's clock; return the number of copies."""
        async with self._database.begin() as work:
            page = await kept_since(work, since - _OVERLAP)
        return await self._copy(page)

    async def _load_known(self) -> set[bytes]:
        if self._known is None:
            self._known = await asyncio.to_thread(known_copies, self._folder.blobs)
        return self._known

    async def _copy(self, blob_ids: Iterable[uuid.UUID]) -> int:
        known = await self._load_known()
        wanted = [blob_id for blob_id in blob_ids if blob_id.bytes not in known]
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            sealed = await asyncio.gather(*(self._read(blob_id) for blob_id in batch))
            whole = {blob_id: content for blob_id, content in zip(batch, sealed, strict=True) if content is not None}
            self.missing += len(batch) - len(whole)
            try:
                await asyncio.to_thread(write_copies, self._folder.blobs, whole)
            except OSError as error:
                raise unwritable(error) from error
            known.update(blob_id.bytes for blob_id in whole)
        return len(wanted)

    async def _read(self, blob_id: uuid.UUID) -> bytes | None:
        try:
            return await self._store.read_sealed(blob_id)
        except BlobMissingError:
            return None  # released and deleted meanwhile, or lost


def known_copies(folder: Path) -> set[bytes]:
    """Return the ids of the recordings whose copies are complete."""
    return {bytes.fromhex(name) for part in folder.glob("??") for name in read_sums(part)}


def copy_of(folder: Path, blob_id: str) -> Path:
    """Return where the copy of a recording lies."""
    return folder / blob_id[:2] / blob_id


def write_copies(folder: Path, sealed: dict[uuid.UUID, bytes]) -> None:
    """Write copies and record their digests; all survive a loss of power once this returns."""
    parts: dict[Path, dict[str, str]] = defaultdict(dict)
    coming: list[tuple[Path, Path]] = []
    for blob_id, content in sealed.items():
        file = copy_of(folder, blob_id.hex)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        # A name of this call alone: the receiver and a backup copy the same recording at the same moment.
        descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".coming", dir=file.parent)
        temporary = Path(name)
        try:
            write_all(descriptor, content)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        parts[file.parent][file.name] = hashlib.sha256(content).hexdigest()
        coming.append((temporary, file))
    # All are written before the first is waited for: the disk orders them.
    for temporary, file in coming:
        sync(temporary)
        temporary.rename(file)
    for part, digests in parts.items():
        sync(part)
        append_sums(part, digests)


def delete_unneeded(folder: Path, needed: set[bytes], older_than: datetime) -> int:
    """Delete the copies that no backup lists and that were made before a time; return how many."""
    deleted = 0
    for part in sorted(folder.glob("??")):
        unneeded = set()
        for name in read_sums(part):
            file = part / name
            if bytes.fromhex(name) in needed:
                continue
            try:
                made_at = file.stat().st_mtime
            except FileNotFoundError:
                made_at = 0.0
            if made_at < older_than.timestamp():
                unneeded.add(name)
        if unneeded:
            # The line goes first: a file without one is no copy.
            forget_sums(part, unneeded)
            for name in unneeded:
                (part / name).unlink(missing_ok=True)
            deleted += len(unneeded)
        for leftover in (*part.glob("*.coming"), *part.glob("*.damaged")):
            if leftover.stat().st_mtime < older_than.timestamp():
                leftover.unlink(missing_ok=True)
    return deleted


def ids_of(listed: Sequence[str]) -> set[bytes]:
    """Return the ids of a list of recordings as bytes."""
    return {bytes.fromhex(name) for name in listed}
