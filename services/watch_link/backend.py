"""The database, the blobs and the settings on which uplinks are handled."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.settings import Settings


@dataclass(frozen=True)
class Backend:
    """The parts of the backend that handlers need."""

    database: Database
    blobs: BlobStore
    settings: Settings

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """Open the transaction of an uplink."""
        async with self.database.begin() as work:
            yield work
