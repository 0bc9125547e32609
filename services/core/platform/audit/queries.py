"""Read the audit log: a family its own, an operator whether anything was done to it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from sqlmodel import col, select

from services.core.platform.audit.rules import Chained, ChainFault, FaultKind, find_faults, first_link
from services.core.platform.audit.tables import AuditChain, AuditEntry
from services.core.platform.db.database import UnitOfWork

PAGE_MAX_ENTRIES = 100


async def entries_of_family(
    work: UnitOfWork, family_id: uuid.UUID, *, before_seq: int | None = None, limit: int = 50
) -> list[AuditEntry]:
    """Return a family's entries, newest first, at most ``limit`` before ``before_seq``; the caller bounds ``limit``."""
    statement = (
        select(AuditEntry)
        .where(col(AuditEntry.chain_id) == family_id)
        .order_by(col(AuditEntry.seq).desc())
        .limit(limit)
    )
    if before_seq is not None:
        statement = statement.where(col(AuditEntry.seq) < before_seq)
    return list((await work.session.exec(statement)).all())


async def chain_ids(work: UnitOfWork) -> list[uuid.UUID]:
    """Return every chain there is, also one that only its entries tell of."""
    told = await work.session.exec(select(AuditChain.chain_id))
    found = await work.session.exec(select(AuditEntry.chain_id).distinct())
    return sorted({*told.all(), *found.all()})


async def verify_chain(work: UnitOfWork, chain_id: uuid.UUID) -> tuple[int, list[ChainFault]]:
    """Return how many entries a chain has and everything wrong with it."""
    # In one snapshot, so that an entry appended meanwhile is not taken for a forged one: the chain's row is read first
    # under its lock, and nobody appends without it.
    held = await work.session.exec(
        select(AuditChain).where(col(AuditChain.chain_id) == chain_id).with_for_update(key_share=True)
    )
    chain = held.first()
    rows = await work.session.exec(
        select(AuditEntry).where(col(AuditEntry.chain_id) == chain_id).order_by(col(AuditEntry.seq))
    )
    entries = [_chained(row) for row in rows.all()]
    if chain is None:
        return len(entries), [ChainFault(chain_id, FaultKind.HEAD, 0), *find_faults(chain_id, entries, 0, b"")]
    if chain.length == 0 and chain.head != first_link(chain_id):
        return len(entries), [ChainFault(chain_id, FaultKind.HEAD, 0)]
    return len(entries), find_faults(chain_id, entries, chain.length, chain.head)


async def verify_all(work: UnitOfWork) -> AsyncIterator[tuple[uuid.UUID, int, list[ChainFault]]]:
    """Yield each chain, how many entries it has, and everything wrong with it."""
    for chain_id in await chain_ids(work):
        count, faults = await verify_chain(work, chain_id)
        yield chain_id, count, faults


def _chained(row: AuditEntry) -> Chained:
    return Chained(**row.model_dump())
