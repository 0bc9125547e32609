"""Record events for guardians' apps."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy import ARRAY, Uuid, bindparam, text

from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.rules import urgency_of, wakes_phones
from services.core.platform.events.tables import Event
from services.core.platform.outbox.actions import notify_phones

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

    ``detail`` holds states and versions, never content. ``guardian_id`` restricts it to one guardian, ``needs_right``
    (message, locate, manage) to guardians who have the right at the time of reading.
    """
    # UPDATE locks the family's row until commit, so numbers become visible in order. The table is named in SQL, not
    # imported: people is a layer above platform.
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
        await notify_phones(work, family_id, seq, urgency_of(kind, detail or {}))


async def hold_families(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> None:
    """Lock the rows of several families in the order of their ids, before recording events of any of them.

    Required for every transaction that records events of several families: two of them could otherwise deadlock.
    """
    if family_ids:
        await work.run(
            text(
                "SELECT 1 FROM family WHERE family_id = ANY(:family_ids) ORDER BY family_id FOR NO KEY UPDATE"
            ).bindparams(bindparam("family_ids", type_=ARRAY(Uuid))),
            {"family_ids": list(family_ids)},
        )


async def record_event_of_many(
    work: UnitOfWork, kind: str, families: Mapping[uuid.UUID, uuid.UUID], *, needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
) -> None:  # fmt: skip
    """Record one event of a kind for each child (``families``: child to family) with a constant number of statements.

    The caller holds the families' rows (:func:`hold_families`). Of kinds that wake no phone.
    """
    if not families:
        return
    allocated = await work.run(
        text(
            "UPDATE family SET event_seq = event_seq + asked.count FROM ("
            " SELECT family_id, count(*) AS count FROM unnest(:family_ids) AS given(family_id) GROUP BY family_id"
            ") AS asked WHERE family.family_id = asked.family_id RETURNING family.family_id, event_seq"
        ).bindparams(bindparam("family_ids", type_=ARRAY(Uuid))),
        {"family_ids": list(families.values())},
    )
    last_seq: dict[uuid.UUID, int] = {row.family_id: row.event_seq for row in allocated}
    for child_id, family_id in families.items():
        work.add(
            Event(
                family_id=family_id, seq=last_seq[family_id], kind=kind, child_id=child_id, needs_right=needs_right,
                detail=detail or {}, created_at=work.now,
            )
        )  # fmt: skip
        last_seq[family_id] -= 1
    await work.run(
        text("SELECT pg_notify(:channel, family_id::text) FROM unnest(:family_ids) AS given(family_id)").bindparams(
            bindparam("family_ids", type_=ARRAY(Uuid))
        ),
        {"channel": CHANNEL, "family_ids": list(last_seq)},
    )
