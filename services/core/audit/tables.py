"""Table of the audit log."""

from __future__ import annotations

import uuid

from sqlmodel import Field, SQLModel

from services.core.db.columns import datetime, id_column, time_column


class AuditEntry(SQLModel, table=True):
    """Who did or was refused what, when; random ids only."""

    __tablename__ = "audit"

    audit_id: uuid.UUID = id_column()
    at: datetime = time_column(index=True)
    # guardian, staff, watch, operator (the command line), system
    actor_kind: str = Field(max_length=10)
    actor_id: str = Field(default="", max_length=40)
    action: str = Field(max_length=40)
    # done or refused
    outcome: str = Field(default="done", max_length=10)
    # The error's code where it was refused.
    reason: str = Field(default="", max_length=40)
    # No foreign keys: the log outlives what it speaks of.
    family_id: uuid.UUID | None = Field(default=None, index=True)
    subject_id: str = Field(default="", max_length=40)
