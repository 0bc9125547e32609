"""The database, the blobs and the settings on which uplinks are handled."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.core.devices.traces.buffer import TraceBuffer
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.leases.actions import HeldLease, check_lease
from services.core.platform.settings import Settings


@dataclass(frozen=True)
class Backend:
    """The parts of the backend that handlers need."""

    database: Database
    blobs: BlobStore
    settings: Settings
    # The lease of the reader of uplinks, where the transport has one: each transaction is fenced by it.
    lease: HeldLease | None = None
    # Where hellos and refusals of traced watches are noted, outside the transactions of uplinks.
    trace: TraceBuffer | None = None

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """Open the transaction of an uplink. Raises LeaseLostError once another process reads uplinks."""
        async with self.database.begin() as work:
            if self.lease is not None:
                await check_lease(work, self.lease)
            yield work
