"""Table of the ids used by watches."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, time_column


class Uplink(SQLModel, table=True):
    """One id made by a watch, the digest of its content, and its receipt."""

    __tablename__ = "uplink"
    # Used by the purge of digests.
    __table_args__ = (Index("uplink_fingerprint", "received_at", postgresql_where=text("fingerprint <> ''")),)

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    ref: str = Field(primary_key=True, max_length=36)
    kind: str = Field(max_length=12)
    # Digest of the known parsed fields: other content under the same id is a conflict. Empty after its purge.
    fingerprint: str = Field(max_length=64)
    code: str = Field(max_length=12)
    detail: str | None = Field(default=None, max_length=30)
    received_at: datetime = time_column(index=True)
