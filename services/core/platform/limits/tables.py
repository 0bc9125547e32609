"""Table of the token buckets."""

from __future__ import annotations

from sqlmodel import SQLModel

from services.core.platform.db.columns import bytes_column, datetime, time_column


class LimitBucket(SQLModel, table=True):
    """Tokens left of one limit for one phone, address, account or range, which only a keyed hash identifies.

    UNLOGGED: a crash of the database fills every bucket, and no request waits for a disk.
    """

    __tablename__ = "limit_bucket"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    bucket_key: bytes = bytes_column(primary_key=True)
    tokens: float
    # Result of the newest request, set by the statement that decided it.
    granted: bool = True
    filled_at: datetime = time_column()
    # From this time on the bucket is full and its row redundant.
    full_at: datetime = time_column(index=True)
