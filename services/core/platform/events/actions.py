"""Record events for guardians' apps."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy.exc import NoResultFound

from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import any_array
from services.core.platform.db.together import Write, write_together
from services.core.platform.events.rules import urgency_of, wakes_phones
from services.core.platform.outbox import actions as outbox

CHANNEL = "events"


# UPDATE locks the family's row until commit, so numbers become visible in order. The table is named in SQL, not
# imported: people is a layer above platform. Rows of the outbox that go with the events share their statement; the
# fan-out to phones names its event by the number.
_RECORD: Final = (
    (
        "allocated",
        (
            "UPDATE family SET event_seq = event_seq + cardinality($3::uuid[]) WHERE family_id = $1::uuid"
            " RETURNING event_seq - cardinality($3::uuid[]) AS before"
        ),
    ),
    (
        "queued",
        (
            "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
            " SELECT kind, target,"
            " CASE kind WHEN 'wake' THEN jsonb_build_object('seq', before + event_no) ELSE payload::jsonb END,"
            " priority, $8::timestamptz, $8::timestamptz, 0"
            " FROM allocated, unnest($9::text[], $10::text[], $11::text[], $12::smallint[], $13::int[])"
            " AS given(kind, target, payload, priority, event_no)"
        ),
    ),
    (
        "recorded",
        (
            "INSERT INTO event (family_id, seq, kind, child_id, ref_id, guardian_id, needs_right, detail, created_at)"
            " SELECT $1::uuid, before + event_no, $2, $4::uuid, $5::uuid, guardian_id, $6, $7::text::jsonb,"
            " $8::timestamptz FROM allocated, unnest($3::uuid[]) WITH ORDINALITY AS given(guardian_id, event_no)"
            " RETURNING seq"
        ),
    ),
)


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
    writes: Sequence[Write] = (),
) -> None:
    """Add an event for each of these guardians as :func:`record_event` does, all of them by one statement.

    ``writes`` are parts of the same statement.
    """
    event = events_for_each(
        work, family_id, kind, guardian_ids, child_id=child_id, ref_id=ref_id, needs_right=needs_right, detail=detail,
        effects=effects,
    )  # fmt: skip
    check_recorded(await write_together(work, event, *writes, result=RECORDED), len(guardian_ids))


# The result of a statement with a write of `events_for_each`: a row an event.
RECORDED: Final = "SELECT FROM recorded"


def check_recorded(recorded: Sequence[object], count: int) -> None:
    """Raise NoResultFound unless so many events were recorded: the family is gone."""
    if len(recorded) != count:
        raise NoResultFound


def events_for_each(  # noqa: PLR0913 - as record_event
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
) -> Write:
    """Return what :func:`record_event_for_each` writes, and wake its listeners at commit.

    To be written together with rows that no other transaction waits for while it holds the family: the row of the
    family is locked by the same statement. The caller compares the rows of `RECORDED` (:func:`check_recorded`).
    """
    # Rows with the number of the event that they name, counted from 1.
    queued = [(effect, 0) for effect in effects]
    if wakes_phones(kind, detail or {}):
        notice = outbox.phones_notice(family_id, urgency_of(kind, detail or {}))
        queued += [(notice, number) for number in range(1, len(guardian_ids) + 1)]
    work.notify(CHANNEL, family_id)
    for effect, _ in queued:
        work.notify(outbox.CHANNEL, effect.kind)
    return Write(
        _RECORD,
        (
            family_id, kind, guardian_ids, child_id, ref_id, needs_right, json.dumps(detail or {}), work.now,
            [effect.kind for effect, _ in queued], [effect.target for effect, _ in queued],
            [json.dumps(effect.payload) for effect, _ in queued], [effect.urgency for effect, _ in queued],
            [number for _, number in queued],
        ),
    )  # fmt: skip


async def hold_families(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> None:
    """Lock the rows of several families in the order of their ids, before recording events of any of them.

    Required for every transaction that records events of several families: two of them could otherwise deadlock.
    """
    if family_ids:
        await work.fetch(
            f"SELECT FROM family WHERE family_id = {any_array(1, 'uuid')} ORDER BY family_id FOR NO KEY UPDATE",
            list(family_ids),
        )


# Each family's last number is raised by the count of its events, which take the numbers up to it in their order.
_RECORD_MANY: Final = (
    (
        "given_event",
        (
            "SELECT *, row_number() OVER (PARTITION BY family_id ORDER BY place) AS number"
            " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[])"
            " WITH ORDINALITY AS given(family_id, child_id, ref_id, guardian_id, detail, place)"
        ),
    ),
    (
        "allocated",
        (
            "UPDATE family SET event_seq = event_seq + asked.count"
            " FROM (SELECT family_id, count(*) AS count FROM given_event GROUP BY family_id) AS asked"
            " WHERE family.family_id = asked.family_id RETURNING family.family_id, event_seq - asked.count AS before"
        ),
    ),
    (
        "recorded",
        (
            "INSERT INTO event (family_id, seq, kind, child_id, ref_id, guardian_id, needs_right, detail, created_at)"
            " SELECT family_id, before + number, $6, child_id, ref_id, guardian_id, $7, detail::jsonb, $8::timestamptz"
            " FROM given_event JOIN allocated USING (family_id)"
        ),
    ),
)


class FamilyEvent(NamedTuple):
    """One of several events of a kind; the fields are arguments of :func:`record_event`."""

    family_id: uuid.UUID
    child_id: uuid.UUID | None = None
    ref_id: uuid.UUID | None = None
    guardian_id: uuid.UUID | None = None
    detail: Mapping[str, str | int | bool] = {}


async def record_events(
    work: UnitOfWork, kind: str, events: Sequence[FamilyEvent], *writes: Write, needs_right: str = ""
) -> None:
    """Record events of one kind, of any families, by one statement; ``writes`` are parts of it.

    The caller holds the families' rows if there are several (:func:`hold_families`). Of kinds that wake no phone.
    """
    if not events:
        return
    family_ids, child_ids, ref_ids, guardian_ids, details = map(list, zip(*events, strict=True))
    recorded = Write(
        _RECORD_MANY,
        (
            family_ids, child_ids, ref_ids, guardian_ids, [json.dumps(detail) for detail in details], kind, needs_right,
            work.now,
        ),
    )  # fmt: skip
    await write_together(work, recorded, *writes)
    work.notify(CHANNEL, *dict.fromkeys(event.family_id for event in events))


async def record_event_of_many(
    work: UnitOfWork, kind: str, families: Mapping[uuid.UUID, uuid.UUID], *, needs_right: str = "",
    detail: dict[str, str | int | bool] | None = None,
) -> None:  # fmt: skip
    """Record one event of a kind for each child (``families``: child to family) as :func:`record_events` does."""
    events = [FamilyEvent(family_id, child_id, detail=detail or {}) for child_id, family_id in families.items()]
    await record_events(work, kind, events, needs_right=needs_right)
