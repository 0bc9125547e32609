"""Table of leases."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bigint_column, datetime, time_column


class Lease(SQLModel, table=True):
    """Which process holds a task, under which token, and until when unless it renews."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=40)
    # Unique, and for operators: host name, process id, and a random part.
    holder: str = Field(max_length=100)
    # Grows by one with each change of the holder; a transaction of an earlier holder finds another token and fails.
    token: int = bigint_column()
    expires_at: datetime = time_column()
