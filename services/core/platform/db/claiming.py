"""Jobs that make a file: one process at a time claims one, oldest first; claims and finished files expire."""

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
    claimed: Row = row
    return claimed


def state_to_fetch(work: UnitOfWork, row: SQLModel) -> str:
    """Return ``ready`` while the job's file can be fetched, ``expired`` after its time, else the job's own state."""
    job: Any = row
    if job.state != "ready":
        return str(job.state)
    return "ready" if job.expires_at is not None and job.expires_at > work.now else "expired"


async def expire_oldest(work: UnitOfWork, table: type[Row]) -> Row | None:
    """Expire one finished job whose time is over and drop its key; None when there is none.

    The caller deletes the file. Idempotent; several workers may run it.
    """
    columns: Any = table
    rows = await work.session.exec(
        select(table)
        .where(col(columns.state) == "ready", col(columns.expires_at) <= work.now)
        .order_by(col(columns.expires_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    row: Any = rows.first()
    if row is None:
        return None
    row.state = "expired"
    row.wrapped_key = b""
    work.add(row)
    expired: Row = row
    return expired
