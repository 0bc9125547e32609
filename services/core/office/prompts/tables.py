"""Tables of reminders: guardians who turned them on, and the reminders sent."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class NudgeWanted(SQLModel, table=True):
    """A guardian turned on reminders after a silent day; without a row no reminder is sent."""

    __tablename__ = "nudge_wanted"

    guardian_id: uuid.UUID = Field(primary_key=True, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    since_at: datetime = time_column()


class Nudge(SQLModel, table=True):
    """One reminder; at most one a day for a guardian, by the site's calendar."""

    __tablename__ = "nudge"
    __table_args__ = (
        UniqueConstraint("guardian_id", "local_day"),
        Index("nudge_to_judge", "nudged_at", postgresql_where=text("judged_at IS NULL")),
    )

    nudge_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    local_day: date
    nudged_at: datetime = time_column()
    # Set once it is known whether a message followed; the usage fact holds the answer.
    judged_at: datetime | None = maybe_time_column()
