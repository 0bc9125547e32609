"""Table of alerts."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, json_column, maybe_time_column, time_column


class Alert(SQLModel, table=True):
    """One alert. It holds no place: the place of an SOS needs a consent of its own and is stored in core/location."""

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
    # The id under which the watch sent it; empty where the backend raised it.
    ref: str | None = Field(default=None, max_length=36)
    # The id as the watch sent it, where it could not be used as `ref`: the watch is answered by it.
    sent_ref: str | None = Field(default=None, max_length=36)
    # The id of the alert's subject, for example a zone. No foreign key: rows of any area can be the subject.
    subject_id: uuid.UUID | None = None
    # By the clock of the watch, where it could be read, and by ours.
    happened_at: datetime | None = maybe_time_column()
    raised_at: datetime = time_column(index=True)
    acknowledged_at: datetime | None = maybe_time_column()
    acknowledged_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    # The contact id of the guardian who acknowledged it, and when the watch was last sent that.
    seen_by: str | None = Field(default=None, max_length=12)
    seen_told_at: datetime | None = maybe_time_column()
    # Escalation: when the next guardian is sent a text message, and the ids of those who were.
    escalate_at: datetime | None = maybe_time_column()
    escalated_to: list[str] = json_column(default_factory=list)
