"""Table of the transactional outbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, SmallInteger, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, json_column, maybe_time_column, time_column
from services.core.platform.outbox.rules import Urgency


class OutboxRow(SQLModel, table=True):
    """One external effect that waits to be made. Its payload holds ids or sealed values only."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "kind", "priority", "available_at"),
        # A claim of several kinds reads the first rows in order, the claimed rows, and the rows of one target: without
        # these three it reads and sorts every waiting row (26,000 after a storm of hellos: 263 ms a claim, now 3 ms).
        Index("outbox_order", "priority", "available_at", "outbox_id"),
        Index("outbox_of_target", "target"),
        Index("outbox_claimed", "claimed_until", postgresql_where=text("claimed_until IS NOT NULL")),
    )

    outbox_id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    # watch (target: user name), factory (target: serial), sms (target: empty, an alert or a contact; sealed payload),
    # clip (target: its id), decoy (never sent), wake (target: a family; payload: the event),
    # push (target: an endpoint; ids and words)
    kind: str = Field(max_length=10)
    target: str = Field(default="", max_length=40)
    payload: dict[str, Any] = json_column(default_factory=dict)
    # An Urgency: lower values are claimed first.
    priority: int = Field(default=Urgency.NORMAL, sa_type=SmallInteger)
    created_at: datetime = time_column()
    available_at: datetime = time_column()
    # Set while a process works on the row. After this time the process counts as killed and another one may claim it.
    claimed_until: datetime | None = maybe_time_column()
    # Counted by claims.
    attempts: int = 0


class SmsOutcome(SQLModel, table=True):
    """Outcome of one text message at one provider. Holds no number, no text and no reference to a person."""

    __tablename__ = "sms_outcome"

    message_id: str = Field(primary_key=True, max_length=30)
    # A name of the routes; `none`: the message was offered to nobody.
    provider: str = Field(primary_key=True, max_length=10)
    kind: str = Field(max_length=40)
    priority: int = Field(sa_type=SmallInteger)
    # taken, delivered, undelivered (by the provider's report), number_refused, refused, busy, unsure, expired
    outcome: str = Field(max_length=20)
    # The provider's own code; `no_balance` in front where it has no money left.
    reason: str = Field(default="", max_length=80)
    happened_at: datetime = time_column(index=True)
