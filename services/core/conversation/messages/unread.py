"""How many messages a guardian has not read or played."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, func, literal_column, or_
from sqlmodel import col, select

from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class UnreadCount:
    """Number of a child's messages that a guardian has not read (all kinds) or not played (voice)."""

    child_id: uuid.UUID
    unread: int
    unplayed: int


async def unread_counts(work: UnitOfWork, guardian_id: uuid.UUID, child_ids: Sequence[uuid.UUID]) -> list[UnreadCount]:
    """Return this guardian's unread and unplayed counts for each child, in the order of ``child_ids``."""
    result = await work.session.exec(
        select(
            Message.child_id,
            func.count(),
            func.count().filter(col(Message.kind) == "voice"),
        )
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(Message.child_id).in_(child_ids),
            *is_unread(guardian_id),
        )
        .group_by(col(Message.child_id))
    )
    counts = {child_id: (int(unread), int(unplayed)) for child_id, unread, unplayed in result}
    return [UnreadCount(child_id, *counts.get(child_id, (0, 0))) for child_id in child_ids]


def is_unread(guardian_id: uuid.UUID | BindParameter[uuid.UUID]) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a recipient: this guardian, who has neither read nor played the message."""
    return (
        col(MessageRecipient.guardian_id) == guardian_id,
        # Literals: the plan of a prepared statement uses the index recipient_unread only where it sees the states.
        or_(
            col(MessageRecipient.state) == literal_column("'stored'"),
            col(MessageRecipient.state) == literal_column("'delivered'"),
        ),
    )
