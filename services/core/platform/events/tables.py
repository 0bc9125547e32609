"""Table of events for guardians' apps."""

from __future__ import annotations

import uuid
from typing import Any

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bigint_column, datetime, json_column, time_column


class Event(SQLModel, table=True):
    """One event of a family; ids and states only, no content."""

    __tablename__ = "event"

    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    # Allocated under the family's row lock: a reader that continues after a number misses no event.
    seq: int = bigint_column(primary_key=True)
    kind: str = Field(max_length=30)
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", ondelete="CASCADE")
    # Id of the message, pairing, contact ... that changed.
    ref_id: uuid.UUID | None = None
    # The only guardian who may read it; None: all guardians of the family.
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    # The right that a reader needs: message, locate, manage; empty: none.
    needs_right: str = Field(default="", max_length=10)
    detail: dict[str, Any] = json_column(default_factory=dict)
    created_at: datetime = time_column(index=True)
