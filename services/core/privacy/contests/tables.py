"""Table of decisions about contested rights, made by two of staff."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class ContestDecision(SQLModel, table=True):
    """The office's decision about a contest: requested by one, approved by another, carried out two days later."""

    __tablename__ = "contest_decision"
    __table_args__ = (
        # One at a time for a contest.
        Index(
            "contest_decision_standing", "contest_id", unique=True,
            postgresql_where=text("state IN ('asked', 'waiting')"),
        ),
        Index("contest_decision_due", "due_at", postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip

    decision_id: uuid.UUID = id_column()
    contest_id: uuid.UUID = Field(foreign_key="contest.contest_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    site_id: uuid.UUID = Field(foreign_key="site.site_id", index=True, ondelete="CASCADE")
    # True: the right is removed. False: it stays.
    upholds: bool
    # Which document both of staff have seen (office.recovery.paper.Document), and its number as a keyed hash; empty
    # once the decision has ended.
    document: str = Field(max_length=20)
    number_hash: bytes = bytes_column()
    # asked, waiting (two have agreed), withdrawn, done, failed
    state: str = Field(default="asked", max_length=10)
    asked_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    asked_at: datetime = time_column()
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    due_at: datetime | None = maybe_time_column()
    ended_at: datetime | None = maybe_time_column()
