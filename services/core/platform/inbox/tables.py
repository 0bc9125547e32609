"""Table of the inbox."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, Index, UniqueConstraint, literal_column, text
from sqlmodel import Field, SQLModel, col

from services.core.platform.db.columns import bigint_column, datetime, id_column, maybe_time_column, time_column


class InboxItem(SQLModel, table=True):
    """One item in server order. It belongs to the child and goes to the watch that the child currently wears."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("child_id", "seq"),
        UniqueConstraint("child_id", "ref"),
        Index("inbox_waiting", "child_id", "seq", postgresql_where=text("state = 'waiting'")),
        Index("inbox_due", "next_announce_at", postgresql_where=text("state = 'waiting'")),
    )

    inbox_item_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    seq: int = bigint_column()
    # The item's name on the wire.
    ref: str = Field(max_length=36)
    # message, or removed (a withdrawn item that was announced; `removed_ref` names it).
    kind: str = Field(max_length=10)
    message_id: uuid.UUID | None = Field(default=None, foreign_key="message.message_id", ondelete="CASCADE")
    removed_ref: str | None = Field(default=None, max_length=36)
    # waiting, delivered, rejected, dropped
    state: str = Field(default="waiting", max_length=10)
    # Identity and time of the last announcement, announcements since its last hello, and the earliest next one.
    announced_to: str | None = Field(default=None, max_length=32)
    announced_at: datetime | None = maybe_time_column()
    announcements: int = 0
    next_announce_at: datetime | None = maybe_time_column()
    # Progress of the transfer of its chunks; see inbox.rules.Transfer.
    fetched_from: int = -1
    fetch_stalls: int = 0
    fetch_restarts: int = 0
    # Set aside after failed transfers: until this time the next item is announced instead.
    aside_until: datetime | None = maybe_time_column()
    created_at: datetime = time_column()
    done_at: datetime | None = maybe_time_column()


def is_waiting(item: type[InboxItem] = InboxItem) -> ColumnElement[bool]:
    """Condition: the item waits for its watch.

    A literal, not a parameter: the plan of a prepared statement uses the partial indexes only where it sees the state.
    Without them it reads every item that a child ever got.
    """
    return col(item.state) == literal_column("'waiting'")
