"""Read a guardian's stream of events."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import unseen_arrays
from services.core.platform.events.tables import Event


class StreamedEvent(NamedTuple):
    """The columns of an event that a reader may see. A tuple, which is cheaper than an object of the ORM."""

    family_id: uuid.UUID
    seq: int
    kind: str
    child_id: uuid.UUID | None
    ref_id: uuid.UUID | None
    detail: dict[str, Any]
    created_at: datetime


# Most guardians follow one family: a plan for one would be made at each look of a stream. Family by family, because the
# plan for any number would else sort all events that any family ever had.
_AFTER: Final = unseen_arrays(f"""
SELECT newer.*
FROM unnest($3::uuid[], $4::bigint[], $5::text[]) AS span (family_id, after, rights)
CROSS JOIN LATERAL (
 SELECT {", ".join(f"e.{name}" for name in StreamedEvent._fields)} FROM event e
 WHERE e.family_id = span.family_id AND e.seq > span.after
  AND (e.needs_right = '' OR e.needs_right = ANY(string_to_array(span.rights, ' ')))
  AND (e.guardian_id IS NULL OR e.guardian_id = $1)
 ORDER BY e.seq LIMIT $2) AS newer
ORDER BY newer.family_id, newer.seq LIMIT $2
""")  # noqa: S608 - names of our own columns


async def events_after(
    work: UnitOfWork,
    guardian_id: uuid.UUID,
    cursors: Mapping[uuid.UUID, int],
    rights: Mapping[uuid.UUID, Collection[str]],
    limit: int = 200,
) -> list[StreamedEvent]:
    """Return the events after each family's cursor that this guardian may read, each family's in order.

    ``cursors`` maps family to the last number seen, ``rights`` family to the guardian's rights there; families missing
    in either are skipped.
    """
    followed = [family_id for family_id in cursors if family_id in rights]
    if not followed:
        return []
    after, words = (
        [cursors[family_id] for family_id in followed],
        [" ".join(rights[family_id]) for family_id in followed],
    )
    rows = await work.read(_AFTER, guardian_id, limit, followed, after, words)
    return [StreamedEvent(*row) for row in rows]


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
