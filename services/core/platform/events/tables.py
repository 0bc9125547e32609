"""Table of what guardians' apps are told."""

from __future__ import annotations

import uuid
from typing import Any

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bigint_column, datetime, json_column, time_column


class Event(SQLModel, table=True):
    """One thing that happened in a family; ids and states only, no content."""

    __tablename__ = "event"

    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    # Allocated under the family's row lock: readers that continue after a number never miss one.
    seq: int = bigint_column(primary_key=True)
    kind: str = Field(max_length=30)
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", ondelete="CASCADE")
    # Which message, pairing, contact ... it is about.
    ref_id: uuid.UUID | None = None
    # For one guardian only; None: for all of the family.
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    # The right that a guardian needs to be told: message, locate, manage; empty: every guardian.
    needs_right: str = Field(default="", max_length=10)
    detail: dict[str, Any] = json_column(default_factory=dict)
    created_at: datetime = time_column(index=True)
