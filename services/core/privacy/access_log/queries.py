"""Accesses to one child's location and audio, read from the family's audit log."""

from __future__ import annotations

from typing import Final

from sqlalchemy import String, cast
from sqlmodel import col, or_, select

from services.core.conversation.messages.tables import Message
from services.core.people.households.tables import Child
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import UnitOfWork

PAGE_MAX_LOOKS: Final = 100
# A request to the watch for its position counts as an access, whether or not the watch answers.
_AT_THE_CHILD: Final = ("place", "command.locate")
_AT_A_MESSAGE: Final = ("audio",)


async def access_entries(
    work: UnitOfWork, child: Child, *, before_seq: int | None = None, limit: int = 50
) -> list[AuditEntry]:
    """Return the accesses to a child's data, newest first, at most ``limit`` before ``before_seq``.

    An access to a recording whose message was erased is left out here; the family's log still has it.
    """
    messages = select(cast(col(Message.message_id), String)).where(col(Message.child_id) == child.child_id)
    subject = col(AuditEntry.subject_id)
    statement = select(AuditEntry).where(
        col(AuditEntry.chain_id) == child.family_id,
        col(AuditEntry.outcome) == "done",
        or_(
            col(AuditEntry.action).in_(_AT_THE_CHILD) & (subject == str(child.child_id)),
            col(AuditEntry.action).in_(_AT_A_MESSAGE) & subject.in_(messages),
        ),
    )
    if before_seq is not None:
        statement = statement.where(col(AuditEntry.seq) < before_seq)
    result = await work.session.exec(statement.order_by(col(AuditEntry.seq).desc()).limit(limit))
    return list(result)
