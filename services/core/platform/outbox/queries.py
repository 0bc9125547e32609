"""How much waits in the outbox."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.tables import OutboxRow

_DUE_KINDS: Final = """
SELECT asked.kind FROM unnest($1::text[]) AS asked(kind)
 WHERE EXISTS (SELECT FROM outbox
                WHERE outbox.kind = asked.kind AND outbox.available_at <= $2
                  AND (outbox.claimed_until IS NULL OR outbox.claimed_until <= $2))
"""


async def due_kinds(work: UnitOfWork, kinds: Collection[str]) -> set[str]:
    """Return those of these kinds of which a row is due and unclaimed, by one statement without a transaction."""
    return {row["kind"] for row in await work.read(_DUE_KINDS, list(kinds), work.now)}


async def waiting_by_kind(work: UnitOfWork) -> dict[str, tuple[int, datetime]]:
    """Return number and oldest time of the rows of each kind; a kind without rows is missing."""
    rows = await work.session.exec(
        select(OutboxRow.kind, func.count(), func.min(OutboxRow.created_at)).group_by(col(OutboxRow.kind))
    )
    return {kind: (count, oldest_at) for kind, count, oldest_at in rows}
