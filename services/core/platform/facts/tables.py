"""Table of facts."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class Fact(SQLModel, table=True):
    """The kind and time of an event, with its watch and family; never content, place or name."""

    __tablename__ = "fact"
    # A partial index of uncounted facts: its size follows the backlog, not the table.
    __table_args__ = (Index("fact_to_count", "received_at", postgresql_where=text("NOT counted")),)

    fact_id: uuid.UUID = id_column()
    kind: str = Field(max_length=30, index=True)
    watch_id: uuid.UUID | None = Field(default=None, foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID | None = Field(default=None, foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # Joins the facts about one message without its content.
    ref_id: uuid.UUID | None = None
    # The watch's time if its clock was set, and the server's.
    happened_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column(index=True)
    # Duration of a voice message; None for other kinds. A length, no content.
    voice_ms: int | None = None
    # Set by measurement.counting in the transaction that counts it, so a fact that commits late is still counted.
    counted: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
