"""Tables of traces: a ring of lines for each watch, and which watches are traced until when."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, time_column


class WatchTrace(SQLModel, table=True):
    """A watch is traced until ``closes_at``."""

    __tablename__ = "watch_trace"

    trace_id: uuid.UUID = id_column()
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", unique=True, ondelete="CASCADE")
    opened_at: datetime = time_column()
    closes_at: datetime = time_column()


class WatchTraceLine(SQLModel, table=True):
    """One connection, hello or refusal of a watch; no content, no place, no address."""

    __tablename__ = "watch_trace_line"
    __table_args__ = (Index("trace_of_watch", "watch_id", "line_id"),)

    line_id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", ondelete="CASCADE")
    # Of a paired watch: its child, so that the line goes with the child. None: under the factory identity.
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", index=True, ondelete="CASCADE")
    at: datetime = time_column(index=True)
    # See rules.Seen.
    what: str = Field(max_length=10)
    detail: str = Field(default="", max_length=60)
