"""Record facts, subject to a family's consent to measurement."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import delete, text
from sqlmodel import col

from services.core.platform.db.columns import new_id
from services.core.platform.db.copying import copy_rows
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import unseen_arrays
from services.core.platform.db.together import Write
from services.core.platform.facts.rules import OF_THE_WATCH, WATCH_STEM, measures_a_family
from services.core.platform.facts.tables import Fact


def record_fact(
    work: UnitOfWork,
    kind: str,
    *,
    watch_id: uuid.UUID | None = None,
    child_id: uuid.UUID | None = None,
    family_id: uuid.UUID | None = None,
    ref_id: uuid.UUID | None = None,
    happened_at: datetime | None = None,
    voice_ms: int | None = None,
) -> None:
    """Record that an event happened, without content or place; ``happened_at`` is its time, if it is not now.

    Facts that measure a family are stored only while its first guardian consents to measurement. The check runs just
    before the commit; without consent the fact is dropped.
    """
    fact = PastFact(kind, work.now, watch_id, child_id, family_id, ref_id, happened_at, voice_ms)
    work.postpone(_keep_what_may_be_counted if measures_a_family(kind) else _keep, fact)


@dataclass(frozen=True, slots=True)
class PastFact:
    """A fact with an explicit time of receipt; the other fields are arguments of :func:`record_fact`."""

    kind: str
    received_at: datetime
    watch_id: uuid.UUID | None = None
    child_id: uuid.UUID | None = None
    family_id: uuid.UUID | None = None
    ref_id: uuid.UUID | None = None
    happened_at: datetime | None = None
    voice_ms: int | None = None


async def record_past_facts(
    work: UnitOfWork,
    facts: Sequence[PastFact],
    *,
    will_count: bool = False,
    make_id: Callable[[], uuid.UUID] = new_id,
) -> int:
    """Record many past facts at once under the same rule; return the number of stored facts.

    ``will_count``: the caller recounts their families in this transaction, so the facts are stored as counted.
    """
    measuring = {fact.family_id for fact in facts if fact.family_id is not None and measures_a_family(fact.kind)}
    agreed = await _agreed(work, measuring)
    kept = [fact for fact in facts if fact.family_id in agreed or not measures_a_family(fact.kind)]
    await copy_rows(
        work, Fact, ("fact_id", *_PAST, "counted"),
        [(make_id(), *(getattr(fact, name) for name in _PAST), will_count) for fact in kept],
    )  # fmt: skip
    return len(kept)


_PAST: Final = tuple(field.name for field in fields(PastFact))


async def forget_measured(work: UnitOfWork, family_id: uuid.UUID) -> None:
    """Delete the facts of a family that has withdrawn its consent to measurement."""
    await work.run(
        delete(Fact).where(
            col(Fact.family_id) == family_id,
            col(Fact.kind).not_in(OF_THE_WATCH),
            ~col(Fact.kind).startswith(WATCH_STEM, autoescape=True),
        )
    )


_KEEP: Final = """
INSERT INTO fact (fact_id, kind, watch_id, child_id, family_id, ref_id, happened_at, received_at, voice_ms)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
 $8::timestamptz[], $9::int[]) AS given(fact_id, kind, watch_id, child_id, family_id, ref_id)
-- Facts go with what they are about, also where this transaction has deleted it.
WHERE (watch_id IS NULL OR EXISTS (SELECT FROM watch WHERE watch.watch_id = given.watch_id OFFSET 0))
 AND (child_id IS NULL OR EXISTS (SELECT FROM child WHERE child.child_id = given.child_id OFFSET 0))
 AND (family_id IS NULL OR EXISTS (SELECT FROM family WHERE family.family_id = given.family_id OFFSET 0))
"""
# The tables are named in SQL, not imported: people is a layer above platform. OFFSET 0 keeps each condition a look-up
# of its own. Of tables that were never analysed (a new or a restored database) Postgres expects next to no rows: it
# would join all memberships with all consents for each fact, which took 50 ms with 300 families.
_IF_MEASURED: Final = """
 AND EXISTS (SELECT FROM membership WHERE membership.family_id = given.family_id AND is_primary AND removed_at IS NULL
  AND EXISTS (SELECT FROM consent WHERE consent.guardian_id = membership.guardian_id
   AND consent.family_id = membership.family_id AND part = 'measurement' AND withdrawn_at IS NULL OFFSET 0) OFFSET 0)
"""


def measured_facts(facts: Sequence[PastFact]) -> Write:
    """Return what records facts that measure families as :func:`record_fact` does, as a part of a statement.

    For what deletes nothing that the facts are about. Raises ValueError for other kinds of facts.
    """
    if not all(measures_a_family(fact.kind) for fact in facts):
        message = "only facts that measure a family are recorded subject to its consent"
        raise ValueError(message)
    return Write((("measured", _KEEP + _IF_MEASURED),), _columns(facts))


def _columns(facts: Sequence[PastFact]) -> tuple[list[object], ...]:
    rows = [
        (
            new_id(), fact.kind, fact.watch_id, fact.child_id, fact.family_id, fact.ref_id, fact.happened_at,
            fact.received_at, fact.voice_ms,
        )
        for fact in facts
    ]  # fmt: skip
    return tuple(map(list, zip(*rows, strict=True)))


async def _keep(work: UnitOfWork, facts: Sequence[PastFact], condition: str = "") -> None:
    await work.fetch(unseen_arrays(_KEEP + condition), *_columns(facts))


async def _keep_what_may_be_counted(work: UnitOfWork, facts: Sequence[PastFact]) -> None:
    await _keep(work, facts, _IF_MEASURED)


async def _agreed(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return the families that may currently be measured."""
    # The tables are named in SQL, not imported: people is a layer above platform.
    rows = await work.run(
        text(
            "SELECT m.family_id FROM membership m JOIN consent c USING (family_id, guardian_id) "
            "WHERE m.family_id = ANY(:family_ids) AND m.is_primary AND m.removed_at IS NULL "
            "AND c.part = 'measurement' AND c.withdrawn_at IS NULL"
        ),
        {"family_ids": list(family_ids)},
    )
    return set(rows.scalars())
