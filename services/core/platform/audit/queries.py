"""Read the audit log of a family, and verify all chains."""

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
    """Return every chain, including chains whose own row is missing."""
    with_row = await work.session.exec(select(AuditChain.chain_id))
    with_entries = await work.session.exec(select(AuditEntry.chain_id).distinct())
    return sorted({*with_row.all(), *with_entries.all()})


async def verify_chain(work: UnitOfWork, chain_id: uuid.UUID) -> tuple[int, list[ChainFault]]:
    """Return the number of entries of a chain, and its faults."""
    # Locking the chain's row first prevents appends during the read; an entry appended meanwhile would otherwise be
    # reported as inserted.
    chain_rows = await work.session.exec(
        select(AuditChain).where(col(AuditChain.chain_id) == chain_id).with_for_update(key_share=True)
    )
    chain = chain_rows.first()
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
    """Yield each chain with its number of entries and its faults."""
    for chain_id in await chain_ids(work):
        count, faults = await verify_chain(work, chain_id)
        yield chain_id, count, faults


def _chained(row: AuditEntry) -> Chained:
    return Chained(**row.model_dump())
