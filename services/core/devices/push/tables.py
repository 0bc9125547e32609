"""Table of push endpoints."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class PushEndpoint(SQLModel, table=True):
    """One address to which notes for a guardian's session are sent; it ends with the session."""

    __tablename__ = "push_endpoint"
    __table_args__ = (UniqueConstraint("guardian_id", "mark"),)

    endpoint_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    session_id: uuid.UUID = Field(foreign_key="session.session_id", index=True, ondelete="CASCADE")
    # web_push or webhook
    kind: str = Field(max_length=10)
    # Keyed hash of the address: registering it again replaces the row.
    mark: bytes = bytes_column()
    # Address and keys as JSON, encrypted: reading the table does not allow sending notes.
    sealed: bytes = bytes_column()
    created_at: datetime = time_column()
    # Time of the last successful delivery, and of the first failure since.
    taken_at: datetime | None = maybe_time_column()
    failing_since_at: datetime | None = maybe_time_column()
