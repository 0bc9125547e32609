"""Which objects the database refers to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from services.core.platform.blobs.tables import Blob
from services.core.platform.db.database import UnitOfWork


async def kept_after(work: UnitOfWork, after: uuid.UUID, limit: int) -> Sequence[uuid.UUID]:
    """Return a page of the referenced blobs in the order of their ids; an id of zeros begins."""
    rows = await work.session.exec(
        select(Blob.blob_id)
        .where(Blob.state == "kept", col(Blob.blob_id) > after)
        .order_by(col(Blob.blob_id))
        .limit(limit)
    )
    return rows.all()


async def kept_since(work: UnitOfWork, since: datetime) -> Sequence[uuid.UUID]:
    """Return the blobs that have been referenced since a time."""
    rows = await work.session.exec(select(Blob.blob_id).where(Blob.state == "kept", col(Blob.changed_at) >= since))
    return rows.all()


async def unknown_among(work: UnitOfWork, blob_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of which the database has no row."""
    rows = await work.session.exec(select(Blob.blob_id).where(col(Blob.blob_id).in_(blob_ids)))
    return {*blob_ids} - {*rows.all()}
