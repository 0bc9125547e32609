"""Table of number changes that guardians asked for."""

from __future__ import annotations

import uuid

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class NumberChange(SQLModel, table=True):
    """A guardian's change to another phone number; both numbers are deleted when it ends."""

    __tablename__ = "number_change"

    change_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    # The session that asked; it ends if the change is contested from another one.
    session_id: uuid.UUID | None = Field(
        default=None, foreign_key="session.session_id", index=True, ondelete="SET NULL"
    )
    old_phone: str = Field(default="", max_length=16)
    new_phone: str = Field(default="", max_length=16)
    # waiting, done, contested, withdrawn, failed.
    state: str = Field(default="waiting", max_length=10, index=True)
    asked_at: datetime = time_column()
    due_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
