"""Jobs that one process at a time claims, oldest first; the claim of a killed process expires."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import or_
from sqlmodel import SQLModel, col, select

from services.core.platform.db.database import UnitOfWork

Row = TypeVar("Row", bound=SQLModel)


async def claim_oldest(work: UnitOfWork, table: type[Row], *, lives: timedelta, tries: int) -> Row | None:
    """Claim the oldest row that waits or whose claim has expired; None when there is none.

    The table has state (waiting, running, ready, failed ...), percent, asked_at, claimed_until and tries. One that was
    tried too often is returned ``failed`` and never claimed again.
    """
    columns: Any = table
    rows = await work.session.exec(
        select(table)
        .where(
            col(columns.state).in_(["waiting", "running"]),
            or_(col(columns.claimed_until).is_(None), col(columns.claimed_until) <= work.now),
        )
        .order_by(col(columns.asked_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    row: Any = rows.first()
    if row is None:
        return None
    row.tries += 1
    row.state = "running" if row.tries <= tries else "failed"
    row.percent = 0
    row.claimed_until = work.now + lives
    work.add(row)
    taken: Row = row
    return taken
