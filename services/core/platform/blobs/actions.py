"""Rows that record which objects the store holds, so that a process killed at any step leaves no unknown object."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import and_, or_
from sqlmodel import col, select

from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.blobs.store import BlobStore
from services.core.platform.blobs.tables import Blob
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.together import Write, write_together

# A written blob is referenced within seconds, or its writer died.
WRITING_LIVES = timedelta(hours=1)


_RESERVE: Final = """
INSERT INTO blob (blob_id, child_id, state, size_bytes, sha256, created_at, changed_at)
SELECT $1, child_id, 'writing', $2, $3, $4, $4::timestamptz FROM {child}
"""


async def reserve(
    work: UnitOfWork, child_id: uuid.UUID, plain_bytes: int, sha256: str, *, is_last: bool = False
) -> uuid.UUID:
    """Write the row of a blob before the blob and return its id; the caller commits before it puts the object.

    ``is_last``: the caller commits at once, so that the row needs neither BEGIN nor COMMIT.
    """
    blob_id = uuid.uuid4()
    of_child = Write((("of_child", "SELECT $1::uuid AS child_id"),), (child_id,))
    await write_together(
        work, of_child, reservation(work, blob_id, plain_bytes, sha256, child="of_child"), is_last=is_last
    )
    return blob_id


def reservation(work: UnitOfWork, blob_id: uuid.UUID, plain_bytes: int, sha256: str, *, child: str) -> Write:
    """Return what :func:`reserve` writes for the ``child_id`` that the part ``child`` of the same statement names."""
    return Write((("reserved", _RESERVE.format(child=child)),), (blob_id, plain_bytes, sha256, work.now))


def reserve_for_export(work: UnitOfWork, export_id: uuid.UUID, plain_bytes: int, sha256: str) -> Blob:
    """Add the row of an export's blob, which belongs to no child; it is deleted with the export's row."""
    blob = Blob(
        blob_id=uuid.uuid4(), export_id=export_id, state="writing", size_bytes=plain_bytes, sha256=sha256,
        created_at=work.now, changed_at=work.now,
    )  # fmt: skip
    work.add(blob)
    return blob


def add_for_deletion(work: UnitOfWork, blob_id: uuid.UUID) -> None:
    """Add the row of an object that the database does not know, so that the sweep deletes it."""
    work.add(Blob(blob_id=blob_id, state="leaving", size_bytes=0, sha256="", created_at=work.now, changed_at=work.now))


async def keep(work: UnitOfWork, blob_id: uuid.UUID) -> None:
    """Mark a written blob as referenced by the caller's transaction; raises BlobGoneError if a sweep has claimed it."""
    kept = await work.fetch(
        "UPDATE blob SET state = 'kept', changed_at = $2 WHERE blob_id = $1 AND state <> 'leaving'"
        " AND (child_id IS NOT NULL OR export_id IS NOT NULL) RETURNING blob_id",
        blob_id, work.now,
    )  # fmt: skip
    if not kept:
        raise BlobGoneError


async def release(work: UnitOfWork, blob_id: uuid.UUID) -> None:
    """Mark a blob for deletion after this transaction commits; a repeat changes nothing."""
    blob = await _locked(work, blob_id)
    if blob is not None and blob.state != "leaving":
        blob.state = "leaving"
        blob.changed_at = work.now
        work.add(blob)


async def sweep_one(database: Database, store: BlobStore) -> bool:
    """Delete one object that is marked for deletion, then its row; return whether there was one.

    Candidates: released blobs, blobs written and never kept, and blobs of erased children. Safe to run twice, by
    many, and to be killed anywhere: the row is marked first, the object is deleted next, the row goes last.
    """
    async with database.begin() as work:
        rows = await work.session.exec(
            select(Blob)
            .where(
                or_(
                    col(Blob.state) == "leaving",
                    and_(col(Blob.state) == "writing", col(Blob.changed_at) <= work.now - WRITING_LIVES),
                    and_(col(Blob.child_id).is_(None), col(Blob.export_id).is_(None)),
                )
            )
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        blob = rows.first()
        if blob is None:
            return False
        blob_id = blob.blob_id
        blob.state = "leaving"
        blob.changed_at = work.now
        work.add(blob)
    await store.delete(blob_id)
    async with database.begin() as work:
        gone = await _locked(work, blob_id)
        if gone is not None:
            await work.session.delete(gone)
    return True


async def _locked(work: UnitOfWork, blob_id: uuid.UUID) -> Blob | None:
    rows = await work.session.exec(
        select(Blob).where(col(Blob.blob_id) == blob_id).with_for_update().execution_options(populate_existing=True)
    )
    return rows.first()
