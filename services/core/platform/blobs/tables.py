"""Table of the objects in the blob store: what exists there, and what is to leave it."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, time_column


class Blob(SQLModel, table=True):
    """One sealed object. Its row is there before it and goes after it: nothing is ever searched for."""

    __tablename__ = "blob"
    __table_args__ = (Index("blob_to_sweep", "state", "changed_at", postgresql_where=text("state <> 'kept'")),)

    blob_id: uuid.UUID = id_column()
    # None: the child was erased, and its key with it; the object goes next.
    child_id: uuid.UUID | None = Field(
        default=None, foreign_key="child.child_id", index=True, ondelete="SET NULL", nullable=True
    )
    # Of an export instead of a child; None there, too: nobody's, and the object goes next.
    export_id: uuid.UUID | None = Field(
        default=None, foreign_key="export.export_id", index=True, ondelete="SET NULL", nullable=True
    )
    # writing (not part of anything yet), kept, leaving
    state: str = Field(default="writing", max_length=10)
    # Of the plain bytes.
    size_bytes: int
    sha256: str = Field(max_length=64)
    created_at: datetime = time_column()
    changed_at: datetime = time_column()
