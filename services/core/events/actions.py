"""Record what guardians' apps are to be told."""

from __future__ import annotations

import uuid

from sqlalchemy import text

from services.core.db.database import UnitOfWork
from services.core.events.rules import wakes_phones
from services.core.events.tables import Event
from services.core.outbox.actions import wake_phones

CHANNEL = "events"


async def record_event(
    work: UnitOfWork,
    family_id: uuid.UUID,
    kind: str,
    *,
    child_id: uuid.UUID | None = None,
    ref_id: uuid.UUID | None = None,
    guardian_id: uuid.UUID | None = None,
    needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
) -> None:
    """Add an event to the family's stream and wake its listeners at commit.

    ``detail`` holds states and versions, never content. ``guardian_id`` limits it to one guardian, ``needs_right``
    (message, locate, manage) to those who have the right when they read.
    """
    # UPDATE holds the family's row lock until commit, so that numbers become visible in order. The table is named, not
    # imported: families stands above events.
    allocated = await work.run(
        text("UPDATE family SET event_seq = event_seq + 1 WHERE family_id = :family_id RETURNING event_seq"),
        {"family_id": family_id},
    )
    seq = allocated.scalar_one()
    work.add(
        Event(
            family_id=family_id, seq=seq, kind=kind, child_id=child_id, ref_id=ref_id, guardian_id=guardian_id,
            needs_right=needs_right, detail=detail or {}, created_at=work.now,
        )
    )  # fmt: skip
    await work.notify(CHANNEL, family_id)
    if wakes_phones(kind, detail or {}):
        await wake_phones(work, family_id, seq)
