"""Record events for guardians' apps."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy.exc import NoResultFound

from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.rules import urgency_of, wakes_phones
from services.core.platform.outbox import actions as outbox

CHANNEL = "events"


# UPDATE locks the family's row until commit, so numbers become visible in order. The table is named in SQL, not
# imported: people is a layer above platform. Rows of the outbox that go with the events share their statement; the
# fan-out to phones names its event by the number.
_RECORD: Final = """
WITH allocated AS (
 UPDATE family SET event_seq = event_seq + cardinality($3::uuid[]) WHERE family_id = $1::uuid
 RETURNING event_seq - cardinality($3::uuid[]) AS before),
 queued AS (
 INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)
 SELECT kind, target, CASE kind WHEN 'wake' THEN jsonb_build_object('seq', before + event_no) ELSE payload::jsonb END,
  priority, $8::timestamptz, $8::timestamptz, 0
 FROM allocated, unnest($9::text[], $10::text[], $11::text[], $12::smallint[], $13::int[])
  AS given(kind, target, payload, priority, event_no))
INSERT INTO event (family_id, seq, kind, child_id, ref_id, guardian_id, needs_right, detail, created_at)
SELECT $1::uuid, before + event_no, $2, $4::uuid, $5::uuid, guardian_id, $6, $7::text::jsonb, $8::timestamptz
FROM allocated, unnest($3::uuid[]) WITH ORDINALITY AS given(guardian_id, event_no)
RETURNING seq
"""


async def record_event(  # noqa: PLR0913 - the columns of an event, each by name
    work: UnitOfWork,
    family_id: uuid.UUID,
    kind: str,
    *,
    child_id: uuid.UUID | None = None,
    ref_id: uuid.UUID | None = None,
    guardian_id: uuid.UUID | None = None,
    needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
    effects: Sequence[outbox.Effect] = (),
) -> None:
    """Add an event to the family's stream and wake its listeners at commit.

    ``detail`` holds states and versions, never content. ``guardian_id`` restricts it to one guardian, ``needs_right``
    (message, locate, manage) to guardians who have the right at the time of reading. ``effects``: rows of the outbox
    with the same cause, which cost no statement of their own.
    """
    await record_event_for_each(
        work, family_id, kind, [guardian_id], child_id=child_id, ref_id=ref_id, needs_right=needs_right,
        detail=detail, effects=effects,
    )  # fmt: skip


async def record_event_for_each(  # noqa: PLR0913 - as record_event
    work: UnitOfWork,
    family_id: uuid.UUID,
    kind: str,
    guardian_ids: Sequence[uuid.UUID | None],
    *,
    child_id: uuid.UUID | None = None,
    ref_id: uuid.UUID | None = None,
    needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
    effects: Sequence[outbox.Effect] = (),
) -> None:
    """Add an event for each of these guardians as :func:`record_event` does, all of them by one statement."""
    # Rows with the number of the event that they name, counted from 1.
    queued = [(effect, 0) for effect in effects]
    if wakes_phones(kind, detail or {}):
        notice = outbox.phones_notice(family_id, urgency_of(kind, detail or {}))
        queued += [(notice, number) for number in range(1, len(guardian_ids) + 1)]
    recorded = await work.fetch(
        _RECORD, family_id, kind, guardian_ids, child_id, ref_id, needs_right, json.dumps(detail or {}), work.now,
        [effect.kind for effect, _ in queued], [effect.target for effect, _ in queued],
        [json.dumps(effect.payload) for effect, _ in queued], [effect.urgency for effect, _ in queued],
        [number for _, number in queued],
    )  # fmt: skip
    if len(recorded) != len(guardian_ids):
        raise NoResultFound
    work.notify(CHANNEL, family_id)
    for effect, _ in queued:
        work.notify(outbox.CHANNEL, effect.kind)


async def hold_families(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> None:
    """Lock the rows of several families in the order of their ids, before recording events of any of them.

    Required for every transaction that records events of several families: two of them could otherwise deadlock.
    """
    if family_ids:
        await work.fetch(
            "SELECT FROM family WHERE family_id = ANY($1::uuid[]) ORDER BY family_id FOR NO KEY UPDATE",
            list(family_ids),
        )


# Each family's last number is raised by the count of its children; their events take the numbers up to it.
_RECORD_MANY: Final = """
WITH given AS (
 SELECT child_id, family_id, row_number() OVER (PARTITION BY family_id ORDER BY place) AS number
 FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS given(child_id, family_id, place)
), allocated AS (
 UPDATE family SET event_seq = event_seq + asked.count
 FROM (SELECT family_id, count(*) AS count FROM given GROUP BY family_id) AS asked
 WHERE family.family_id = asked.family_id RETURNING family.family_id, event_seq - asked.count AS before
)
INSERT INTO event (family_id, seq, kind, child_id, needs_right, detail, created_at)
SELECT family_id, before + number, $3, child_id, $4, $5::text::jsonb, $6::timestamptz
FROM given JOIN allocated USING (family_id)
"""


async def record_event_of_many(
    work: UnitOfWork, kind: str, families: Mapping[uuid.UUID, uuid.UUID], *, needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
) -> None:  # fmt: skip
    """Record one event of a kind for each child (``families``: child to family) with a constant number of statements.

    The caller holds the families' rows (:func:`hold_families`). Of kinds that wake no phone.
    """
    if not families:
        return
    await work.fetch(
        _RECORD_MANY, list(families), list(families.values()), kind, needs_right, json.dumps(detail or {}), work.now
    )
    work.notify(CHANNEL, *dict.fromkeys(families.values()))
