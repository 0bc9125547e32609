"""Write facts, and only those that a family has agreed to have counted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, text
from sqlmodel import col

from services.core.db.database import UnitOfWork
from services.core.facts.rules import OF_THE_WATCH, WATCH_STEM, measures_a_family
from services.core.facts.tables import Fact


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
    """Note that something happened, without saying what was said or where; ``happened_at`` is the watch's own time.

    What measures a family is kept only while its first guardian's consent to measurement stands; else it is dropped
    before it is stored, just before the commit.
    """
    fact = Fact(
        kind=kind, watch_id=watch_id, child_id=child_id, family_id=family_id, ref_id=ref_id,
        happened_at=happened_at, received_at=work.now, voice_ms=voice_ms,
    )  # fmt: skip
    if measures_a_family(kind):
        work.postpone(_keep_what_may_be_counted, fact)
    else:
        work.add(fact)


async def forget_measured(work: UnitOfWork, family_id: uuid.UUID) -> None:
    """Forget what was counted of a family that no longer agrees to it."""
    await work.run(
        delete(Fact).where(
            col(Fact.family_id) == family_id,
            col(Fact.kind).not_in(OF_THE_WATCH),
            ~col(Fact.kind).startswith(WATCH_STEM, autoescape=True),
        )
    )


async def _keep_what_may_be_counted(work: UnitOfWork, facts: Sequence[Fact]) -> None:
    family_ids = {fact.family_id for fact in facts if fact.family_id is not None}
    # The tables are named, not imported: consents and families stand above facts.
    found = await work.run(
        text(
            "SELECT m.family_id FROM membership m JOIN consent c USING (family_id, guardian_id) "
            "WHERE m.family_id = ANY(:family_ids) AND m.is_primary AND m.removed_at IS NULL "
            "AND c.part = 'measurement' AND c.withdrawn_at IS NULL"
        ),
        {"family_ids": list(family_ids)},
    )
    agreed = set(found.scalars())
    work.add(*(fact for fact in facts if fact.family_id in agreed))
    await work.flush()
