"""Append to the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.platform.audit.rules import Chained, chain_of, entry_hash, first_link
from services.core.platform.audit.tables import AuditChain, AuditEntry
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
    """Write the entries of a transaction, each at the end of its chain."""
    chains = await _hold(work, sorted({entry.chain_id for entry in entries}))
    for entry in entries:
        chain = chains[entry.chain_id]
        chain.length += 1
        placed = replace(entry, seq=chain.length)
        chain.head = entry_hash(chain.head, placed)
        work.add(chain, AuditEntry(**(vars(placed) | {"hash": chain.head})))
    await work.flush()


async def _hold(work: UnitOfWork, chain_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, AuditChain]:
    """Lock the chains in the order of their ids, so that two transactions with several chains never deadlock."""
    chains: dict[uuid.UUID, AuditChain] = {}
    for chain_id in chain_ids:
        locked = select(AuditChain).where(col(AuditChain.chain_id) == chain_id).with_for_update(key_share=True)
        anew = locked.execution_options(populate_existing=True)
        chain = (await work.session.exec(anew)).first()
        if chain is None:
            fresh = insert(AuditChain).values(chain_id=chain_id, length=0, head=first_link(chain_id))
            await work.run(fresh.on_conflict_do_nothing())
            chain = (await work.session.exec(anew)).one()
        chains[chain_id] = chain
    return chains
