"""Claims of outbox rows that outlive their transaction: claim, commit, do the work, settle.

Work that waits for something outside Postgres must not keep a transaction open: it would hold a connection and stop
vacuum. A leased row becomes due again when its lease ends, so a killed process delays its work and loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.actions import claim, defer, done
from services.core.platform.outbox.tables import OutboxRow


@dataclass(frozen=True)
class Lease:
    """A claimed row. ``attempt`` counts from 1 and fences: an older attempt can no longer settle the row."""

    outbox_id: int
    target: str
    payload: Mapping[str, Any]
    attempt: int


async def lease_row(work: UnitOfWork, kinds: Collection[str], lease_for: timedelta) -> Lease | None:
    """Claim the oldest due row of these kinds until ``lease_for`` is over; None if none is due.

    The claim counts once the caller has committed.
    """
    row = await claim(work, kinds)
    if row is None:
        return None
    assert row.outbox_id is not None  # noqa: S101 - it was read
    row.attempts += 1
    row.available_at = work.now + lease_for
    work.add(row)
    return Lease(row.outbox_id, row.target, dict(row.payload), row.attempts)


async def complete_lease(work: UnitOfWork, lease: Lease) -> bool:
    """Delete the row and return True; False, and no change, when another attempt holds it by now."""
    row = await _held(work, lease)
    if row is not None:
        await done(work, row)
    return row is not None


async def defer_lease(work: UnitOfWork, lease: Lease) -> bool:
    """Make the row due again after 1, 2, 4 ... seconds; False, and no change, when another attempt holds it by now."""
    row = await _held(work, lease)
    if row is not None:
        # `defer` counts an attempt; this one is counted already.
        row.attempts -= 1
        defer(work, row)
    return row is not None


async def _held(work: UnitOfWork, lease: Lease) -> OutboxRow | None:
    row = await work.session.get(OutboxRow, lease.outbox_id, with_for_update={"key_share": True})
    return row if row is not None and row.attempts == lease.attempt else None
