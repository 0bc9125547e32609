"""Table of alerts."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, json_column, maybe_time_column, time_column


class Alert(SQLModel, table=True):
    """One call for the guardians' attention. It holds no place: where an SOS was is a consent and a room of its own."""

    __tablename__ = "alert"
    __table_args__ = (
        # The watch's own id makes a repeat the same alert.
        Index("alert_of_watch", "username", "ref", unique=True, postgresql_where=text("ref IS NOT NULL")),
        Index("alert_of_child", "child_id", "raised_at"),
        Index("alert_escalating", "escalate_at", postgresql_where=text("escalate_at IS NOT NULL")),
    )

    alert_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # See rules.AlertKind.
    kind: str = Field(max_length=16)
    username: str | None = Field(
        default=None, max_length=32, foreign_key="watch_identity.username", ondelete="SET NULL"
    )
    watch_id: uuid.UUID | None = Field(default=None, foreign_key="watch.watch_id", ondelete="SET NULL")
    # The watch's own id of it; empty where the backend raised it.
    ref: str | None = Field(default=None, max_length=36)
    # What it is about (a zone, for example): an id, never content. No foreign key: any room's rows can be meant.
    subject_id: uuid.UUID | None = None
    # By the watch's own time, if it knew it, and by ours.
    happened_at: datetime | None = maybe_time_column()
    raised_at: datetime = time_column(index=True)
    acknowledged_at: datetime | None = maybe_time_column()
    acknowledged_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    # What the watch calls who acknowledged it, and when the watch was last told so.
    seen_by: str | None = Field(default=None, max_length=12)
    seen_told_at: datetime | None = maybe_time_column()
    # An SOS that nobody acknowledges: when the next guardian is sent a text message, and the ids of those who were.
    escalate_at: datetime | None = maybe_time_column()
    escalated_to: list[str] = json_column(default_factory=list)
