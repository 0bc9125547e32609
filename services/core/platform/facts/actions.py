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
    fact = Fact(
        kind=kind, watch_id=watch_id, child_id=child_id, family_id=family_id, ref_id=ref_id,
        happened_at=happened_at, received_at=work.now, voice_ms=voice_ms,
    )  # fmt: skip
    if measures_a_family(kind):
        work.postpone(_keep_what_may_be_counted, fact)
    else:
        work.add(fact)


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


async def _keep_what_may_be_counted(work: UnitOfWork, facts: Sequence[Fact]) -> None:
    agreed = await _agreed(work, {fact.family_id for fact in facts if fact.family_id is not None})
    work.add(*(fact for fact in facts if fact.family_id in agreed))
    await work.flush()


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
