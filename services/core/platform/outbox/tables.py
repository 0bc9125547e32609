"""Table of the transactional outbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, json_column, time_column


class OutboxRow(SQLModel, table=True):
    """Something to tell: to a watch, to a factory identity, to a phone by SMS. Ids or sealed values only."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "kind", "available_at"),)

    outbox_id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    # watch (target: user name), factory (target: serial), sms (target: empty; sealed payload), clip (target: its id),
    # decoy (never sent), wake (target: a family; which event), push (target: an endpoint; a note of ids)
    kind: str = Field(max_length=10)
    target: str = Field(default="", max_length=40)
    payload: dict[str, Any] = json_column(default_factory=dict)
    created_at: datetime = time_column()
    available_at: datetime = time_column()
    attempts: int = 0
