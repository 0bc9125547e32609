"""Table of the limits' buckets."""

from __future__ import annotations

from sqlmodel import SQLModel

from services.core.platform.db.columns import bytes_column, datetime, time_column


class LimitBucket(SQLModel, table=True):
    """How much is left of one limit for one phone, address, account or range; who that is stands in a keyed hash.

    UNLOGGED: a crash of the database fills every bucket, and in return no request waits for a disk.
    """

    __tablename__ = "limit_bucket"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    bucket_key: bytes = bytes_column(primary_key=True)
    tokens: float
    # Whether the newest request was granted: told by the statement that decided it.
    granted: bool = True
    filled_at: datetime = time_column()
    # By then the bucket is full again, which is what no row means, too.
    full_at: datetime = time_column(index=True)
