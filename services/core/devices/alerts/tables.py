"""Tables of alerts, of the calls to people about them, and of their answers."""

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
        Index("alert_to_check", "check_at", postgresql_where=text("check_at IS NOT NULL")),
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
    # When the guardian tapped the answer, by the guardian's phone.
    seen_at: datetime | None = maybe_time_column()
    # The state that the watch shows (round_rules.CallState), and since when.
    state: str | None = Field(default=None, max_length=12)
    state_at: datetime | None = maybe_time_column()
    # Escalation: when the next step is due and which (round_rules.Step), and the ids of guardians and contacts who
    # were sent a text message in the current round.
    escalate_at: datetime | None = maybe_time_column()
    escalated_to: list[str] = json_column(default_factory=list)
    calling_step: str | None = Field(default=None, max_length=10)
    calling_round: int = 0
    # Time of the last calls of the round, and the end of calling.
    called_at: datetime | None = maybe_time_column()
    calling_until_at: datetime | None = maybe_time_column()
    # When the guardian who takes care is to be asked whether the child is all right, was asked, and when one said yes.
    check_at: datetime | None = maybe_time_column()
    check_asked_at: datetime | None = maybe_time_column()
    all_right_at: datetime | None = maybe_time_column()
    all_right_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")


class AlertCall(SQLModel, table=True):
    """One text message to a guardian, or to a phone contact who lives with the child, about an alert."""

    __tablename__ = "alert_call"

    call_id: uuid.UUID = id_column()
    alert_id: uuid.UUID = Field(foreign_key="alert.alert_id", index=True, ondelete="CASCADE")
    # Counted from 1; it begins anew when a guardian who took care lets calling go on.
    round_no: int
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    contact_id: uuid.UUID | None = Field(default=None, foreign_key="contact.contact_id", ondelete="SET NULL")
    called_at: datetime = time_column()


class AlertAnswer(SQLModel, table=True):
    """One answer of a guardian to an alert (round_rules.AnswerKind)."""

    __tablename__ = "alert_answer"

    answer_id: uuid.UUID = id_column()
    alert_id: uuid.UUID = Field(foreign_key="alert.alert_id", index=True, ondelete="CASCADE")
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    answer: str = Field(max_length=12)
    tapped_at: datetime = time_column()
    answered_at: datetime = time_column()
