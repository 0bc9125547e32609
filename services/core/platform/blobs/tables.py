"""Table of the objects in the blob store and of those to be deleted from it."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, time_column


class Blob(SQLModel, table=True):
    """One sealed object. Its row is written before it and deleted after it, so that the store is never searched."""

    __tablename__ = "blob"
    __table_args__ = (
        Index("blob_to_sweep", "state", "changed_at", postgresql_where=text("state <> 'kept'")),
        # A backup looks for what has been kept since a moment ago.
        Index("blob_kept_at", "changed_at", postgresql_where=text("state = 'kept'")),
    )

    blob_id: uuid.UUID = id_column()
    # None: the child and its key were erased; the object is deleted next.
    child_id: uuid.UUID | None = Field(
        default=None, foreign_key="child.child_id", index=True, ondelete="SET NULL", nullable=True
    )
    # Set for an export instead of a child. Neither is set: the object is deleted next.
    export_id: uuid.UUID | None = Field(
        default=None, foreign_key="export.export_id", index=True, ondelete="SET NULL", nullable=True
    )
    # writing (not referenced yet), kept, leaving (to be deleted)
    state: str = Field(default="writing", max_length=10)
    # Digest of the plain bytes.
    size_bytes: int
    sha256: str = Field(max_length=64)
    created_at: datetime = time_column()
    changed_at: datetime = time_column()
