"""Read a guardian's stream of events."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, or_, tuple_
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.tables import Event


async def events_after(
    work: UnitOfWork,
    guardian_id: uuid.UUID,
    cursors: Mapping[uuid.UUID, int],
    rights: Mapping[uuid.UUID, Collection[str]],
    limit: int = 200,
) -> list[Event]:
    """Return the events after each family's cursor that this guardian may read, each family's in order.

    ``cursors`` maps family to the last number seen, ``rights`` family to the guardian's rights there; families missing
    in either are skipped.
    """
    spans = [
        and_(
            col(Event.family_id) == family_id,
            col(Event.seq) > after,
            col(Event.needs_right).in_(["", *rights[family_id]]),
        )
        for family_id, after in cursors.items()
        if family_id in rights
    ]
    if not spans:
        return []
    rows = await work.session.exec(
        select(Event)
        .where(or_(*spans), or_(col(Event.guardian_id).is_(None), col(Event.guardian_id) == guardian_id))
        .order_by(col(Event.family_id), col(Event.seq))
        .limit(limit)
    )
    return list(rows)


async def event_times(work: UnitOfWork, numbers: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, datetime]:
    """Return the time of each family's event with this number; families without such an event are omitted."""
    if not numbers:
        return {}
    rows = await work.session.exec(
        select(Event.family_id, Event.created_at).where(
            tuple_(col(Event.family_id), col(Event.seq)).in_(list(numbers.items()))
        )
    )
    return dict(rows.all())
