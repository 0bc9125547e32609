"""Table of neutral facts."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class Fact(SQLModel, table=True):
    """What happened, when, to which watch and family; never content, place or name."""

    __tablename__ = "fact"
    # An index of uncounted facts only: as small as the backlog, however many facts there are.
    __table_args__ = (Index("fact_to_count", "received_at", postgresql_where=text("NOT counted")),)

    fact_id: uuid.UUID = id_column()
    kind: str = Field(max_length=30, index=True)
    watch_id: uuid.UUID | None = Field(default=None, foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID | None = Field(default=None, foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # Joins the facts about one message without its content.
    ref_id: uuid.UUID | None = None
    # The watch's own time, if it knew it, and ours.
    happened_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column(index=True)
    # How long a voice message lasts; a length, not what was said. None for everything else.
    voice_ms: int | None = None
    # Set by usage.counting in the transaction that counts it: a fact that commits late is found all the same.
    counted: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
