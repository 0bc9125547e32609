"""How much waits in the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.tables import OutboxRow


async def waiting_by_kind(work: UnitOfWork) -> dict[str, tuple[int, datetime]]:
    """Return number and oldest time of the rows of each kind; a kind without rows is missing."""
    rows = await work.session.exec(
        select(OutboxRow.kind, func.count(), func.min(OutboxRow.created_at)).group_by(col(OutboxRow.kind))
    )
    return {kind: (count, oldest_at) for kind, count, oldest_at in rows}
