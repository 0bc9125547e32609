"""Delete full buckets: a missing bucket means a full one."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.tables import LimitBucket

_BATCH_ROWS = 1000


async def purge_full_buckets(work: UnitOfWork) -> bool:
    """Delete a batch of full buckets; return whether there were any. Safe to repeat."""
    full = (
        select(LimitBucket.bucket_key)
        .where(col(LimitBucket.full_at) <= work.now)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    gone = await work.run(
        delete(LimitBucket).where(col(LimitBucket.bucket_key).in_(full)).returning(col(LimitBucket.bucket_key))
    )
    return bool(gone.all())
