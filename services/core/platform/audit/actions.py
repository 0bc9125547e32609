"""Append to the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlmodel import col, select

from services.core.platform.audit.rules import Chained, canonical_parts, chain_of, first_link
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Actor:
    """The acting party: guardian or staff (by id), watch (by user name), operator (command line), system, stranger."""

    kind: str
    id: str = ""


SYSTEM = Actor("system")
OPERATOR = Actor("operator")
# A caller who has not authenticated.
STRANGER = Actor("stranger")


def guardian_actor(guardian_id: uuid.UUID) -> Actor:
    """Return the actor for a guardian."""
    return Actor("guardian", str(guardian_id))


def record_audit(  # noqa: PLR0913 - one field of the entry each
    work: UnitOfWork,
    actor: Actor,
    action: str,
    *,
    family_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | str = "",
    refused: str = "",
    asked: str = "",
    times: int = 1,
    at: datetime | None = None,
) -> None:
    """Append one entry: ids only; ``refused`` is the error code if the action was refused.

    ``at``: the time of the action, if before now. For a refusal: ``asked`` is the route without ids, ``times`` the
    number of equal refusals that the entry stands for.

    The entry is written last before the commit, because the lock of its chain follows all others in the lock order and
    must be held briefly. ``action`` is a word of words.json, which screens translate.
    """
    work.postpone(
        _append,
        Chained(
            chain_id=chain_of(family_id, actor.kind, actor.id), seq=0, audit_id=new_id(), at=at or work.now,
            actor_kind=actor.kind, actor_id=actor.id, action=action, outcome="refused" if refused else "done",
            reason=refused, family_id=family_id, subject_id=str(subject_id), asked=asked, times=times,
        ),
    )  # fmt: skip
    if refused:
        work.refusal_is_recorded = True


async def record_first_of_day(
    work: UnitOfWork, actor: Actor, action: str, *, family_id: uuid.UUID, subject_id: uuid.UUID
) -> None:
    """Append an entry unless the same actor did the same to the subject on this day (UTC) already.

    Two requests at once may both append: an entry too many is better than a lock held for each.
    """
    day_began_at = work.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    known = await work.session.exec(
        select(AuditEntry.seq)
        .where(
            col(AuditEntry.family_id) == family_id,
            col(AuditEntry.at) >= day_began_at,
            col(AuditEntry.actor_kind) == actor.kind,
            col(AuditEntry.actor_id) == actor.id,
            col(AuditEntry.action) == action,
            col(AuditEntry.subject_id) == str(subject_id),
            col(AuditEntry.outcome) == "done",
        )
        .limit(1)
    )
    if known.first() is None:
        record_audit(work, actor, action, family_id=family_id, subject_id=subject_id)


async def _append(work: UnitOfWork, entries: Sequence[Chained]) -> None:
    """Write the entries of a transaction, each at the end of its chain: all by one statement, or one each.

    The chains are locked in the order of their ids, so that two transactions with several chains never deadlock.
    """
    left = sorted(entries, key=lambda entry: entry.chain_id)
    if len(left) > 1:
        appended = await _append_to_known_chains(work, left)
        left = [entry for entry in left if entry.audit_id not in appended]
    for entry in left:
        await (work.fetch_last if entry is left[-1] else work.fetch)(
            _APPEND, entry.chain_id, first_link(entry.chain_id), *canonical_parts(entry), *_rest_of_row(entry)
        )


async def _append_to_known_chains(work: UnitOfWork, entries: Sequence[Chained]) -> set[uuid.UUID]:
    """Write entries, which are in the order of their chains, and return the ids of those that were written.

    None of them where a chain has no entry yet: then nothing is locked.
    """
    rows = [(entry.chain_id, *canonical_parts(entry), *_rest_of_row(entry)) for entry in entries]
    return {audit_id for (audit_id,) in await work.fetch_last(_APPEND_ALL, *map(list, zip(*rows, strict=True)))}


def _rest_of_row(entry: Chained) -> tuple[object, ...]:
    """Return the columns of an entry that do not belong to its place in the chain."""
    return (
        entry.audit_id, entry.at, entry.actor_kind, entry.actor_id, entry.action, entry.outcome, entry.reason,
        entry.family_id, entry.subject_id, entry.asked, entry.times,
    )  # fmt: skip


# Locks the chain, extends it and adds the entry; the hash is that of `rules.entry_hash`. $2: the first link, $3 and $4:
# the canonical form around the entry's number.
_APPEND: Final = """
WITH chain AS (
    INSERT INTO audit_chain AS c (chain_id, length, head)
    VALUES ($1, 1, sha256($2::bytea || $3::bytea || '1'::bytea || $4::bytea))
    ON CONFLICT (chain_id) DO UPDATE
    SET length = c.length + 1, head = sha256(c.head || $3 || convert_to((c.length + 1)::text, 'UTF8') || $4)
    RETURNING c.length, c.head
)
INSERT INTO audit (chain_id, seq, hash, audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id,
                   subject_id, asked, times)
SELECT $1, chain.length, chain.head, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM chain
"""

# The same for an array a column, where each chain exists. `linked` adds the entries of a chain one after the other,
# from its head, which is read after its lock: an UPDATE follows a row to its newest version, as FOR UPDATE does.
_APPEND_ALL: Final = """
WITH RECURSIVE entry AS MATERIALIZED (
    SELECT row_number() OVER (PARTITION BY e.chain_id ORDER BY e.position) AS step, e.*
    FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
                $8::text[], $9::text[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::int[])
        WITH ORDINALITY AS e (chain_id, before_number, after_number, audit_id, at, actor_kind, actor_id, action,
                              outcome, reason, family_id, subject_id, asked, times, position)
), locked AS MATERIALIZED (
    SELECT chain_id, length, head FROM audit_chain
    WHERE chain_id = ANY($1)
      AND (SELECT count(*) FROM audit_chain WHERE chain_id = ANY($1)) = (SELECT count(DISTINCT chain_id) FROM entry)
    ORDER BY chain_id
    FOR UPDATE
), linked AS (
    SELECT chain_id, 0::bigint AS step, length AS seq, head FROM locked
    UNION ALL
    SELECT linked.chain_id, entry.step, linked.seq + 1,
           sha256(linked.head || entry.before_number || convert_to((linked.seq + 1)::text, 'UTF8')
                  || entry.after_number)
    FROM linked JOIN entry ON entry.chain_id = linked.chain_id AND entry.step = linked.step + 1
), extended AS (
    UPDATE audit_chain SET length = last.seq, head = last.head
    FROM (SELECT DISTINCT ON (chain_id) chain_id, seq, head FROM linked ORDER BY chain_id, seq DESC) AS last
    WHERE audit_chain.chain_id = last.chain_id
)
INSERT INTO audit (chain_id, seq, hash, audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id,
                   subject_id, asked, times)
SELECT entry.chain_id, linked.seq, linked.head, entry.audit_id, entry.at, entry.actor_kind, entry.actor_id,
       entry.action, entry.outcome, entry.reason, entry.family_id, entry.subject_id, entry.asked, entry.times
FROM linked JOIN entry ON entry.chain_id = linked.chain_id AND entry.step = linked.step
RETURNING audit_id
"""
