"""Table of the transactional outbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, SmallInteger
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, json_column, maybe_time_column, time_column
from services.core.platform.outbox.rules import Urgency


class OutboxRow(SQLModel, table=True):
    """One external effect that waits to be made. Its payload holds ids or sealed values only."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "kind", "priority", "available_at"),)

    outbox_id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    # watch (target: user name), factory (target: serial), sms (target: empty; sealed payload), clip (target: its id),
    # decoy (never sent), wake (target: a family; payload: the event), push (target: an endpoint; ids and words)
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
