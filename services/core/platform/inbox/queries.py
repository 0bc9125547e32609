"""How much waits in the inboxes of all children."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.tables import InboxItem, is_waiting


async def waiting_items(work: UnitOfWork) -> tuple[int, datetime | None]:
    """Return number and oldest time of the items that wait for watches."""
    rows = await work.session.exec(select(func.count(), func.min(InboxItem.created_at)).where(is_waiting()))
    return rows.one()
