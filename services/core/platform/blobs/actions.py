"""The rows that say what exists in the store, so that a process killed at any step leaves nothing unknown there."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import and_, or_
from sqlmodel import col, select

from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.blobs.store import BlobStore
from services.core.platform.blobs.tables import Blob
from services.core.platform.db.database import Database, UnitOfWork

# What is being written becomes part of something within seconds, or its writer died.
WRITING_LIVES = timedelta(hours=1)


def reserve(work: UnitOfWork, child_id: uuid.UUID, plain_bytes: int, sha256: str) -> Blob:
    """Add the row of a blob that is about to be written; to be committed before the object is put."""
    blob = Blob(
        blob_id=uuid.uuid4(), child_id=child_id, state="writing", size_bytes=plain_bytes, sha256=sha256,
        created_at=work.now, changed_at=work.now,
    )  # fmt: skip
    work.add(blob)
    return blob


def reserve_for_export(work: UnitOfWork, export_id: uuid.UUID, plain_bytes: int, sha256: str) -> Blob:
    """Add the row of an export's blob, which belongs to no child; it goes when the export's row does."""
    blob = Blob(
        blob_id=uuid.uuid4(), export_id=export_id, state="writing", size_bytes=plain_bytes, sha256=sha256,
        created_at=work.now, changed_at=work.now,
    )  # fmt: skip
    work.add(blob)
    return blob


async def keep(work: UnitOfWork, blob_id: uuid.UUID) -> None:
    """Make a written blob part of what the caller's transaction writes; raises BlobGoneError if it was given up."""
    blob = await _locked(work, blob_id)
    if blob is None or blob.state == "leaving" or (blob.child_id is None and blob.export_id is None):
        raise BlobGoneError
    blob.state = "kept"
    blob.changed_at = work.now
    work.add(blob)


async def release(work: UnitOfWork, blob_id: uuid.UUID) -> None:
    """Have a blob deleted once this transaction has committed; a repeat changes nothing."""
    blob = await _locked(work, blob_id)
    if blob is not None and blob.state != "leaving":
        blob.state = "leaving"
        blob.changed_at = work.now
        work.add(blob)


async def sweep_one(database: Database, store: BlobStore) -> bool:
    """Delete one object that is to leave, then its row; return whether there was one.

    Taken: what was released, what was written and never kept, and what was an erased child's. Safe to run twice, by
    many, and to be killed anywhere: the row is marked first, the object is deleted next, the row goes last.
    """
    async with database.begin() as work:
        found = await work.session.exec(
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
        blob = found.first()
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
    found = await work.session.exec(
        select(Blob).where(col(Blob.blob_id) == blob_id).with_for_update().execution_options(populate_existing=True)
    )
    return found.first()
