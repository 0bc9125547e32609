"""Whether Postgres is away, as one state for everything that the bridge has in work."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable

# A restart of Postgres takes a second or two: within it a message waits instead of being put off.
GRACE_S: Final = 2.0
_PROBE_S: Final = 0.25
_PROBE_TIMEOUT_S: Final = 5.0

log = structlog.get_logger()


class Outage:
    """The state "Postgres is away": on once it did not answer for ``GRACE_S``, over with its first answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._suspected = asyncio.Event()
        self._settled = asyncio.Event()
        self._on = asyncio.Event()
        self._over = asyncio.Event()
        self._over.set()

    @property
    def is_on(self) -> bool:
        """Whether Postgres is away."""
        return self._on.is_set()

    async def wait_a_moment(self) -> None:
        """Report a failure; return when Postgres answers again, or when it counts as away."""
        if self.is_on:
            return
        self._settled.clear()
        self._suspected.set()
        await self._settled.wait()

    async def wait_until_on(self) -> None:
        """Return while or once Postgres is away."""
        await self._on.wait()

    async def wait_until_over(self) -> None:
        """Return while or once Postgres is there."""
        await self._over.wait()

    async def watch(self) -> None:
        """Ask Postgres after each reported failure until it answers; run until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._suspected.wait()
            self._suspected.clear()
            since = clock()
            while not await self._answers():
                if clock() - since >= GRACE_S and not self.is_on:
                    log.warning("uplink_database_away")
                    self._over.clear()
                    self._on.set()
                    self._settled.set()
                await asyncio.sleep(_PROBE_S)
            if self.is_on:
                log.info("uplink_database_back", away_s=round(clock() - since, 1))
                self._on.clear()
                self._over.set()
            else:
                # A failure that the next try repeats must not become a busy loop.
                await asyncio.sleep(_PROBE_S)
            self._settled.set()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await self._database.ping()
        except Exception as error:
            if isinstance(error, TimeoutError) or is_database_unavailable(error):
                return False
            raise
        return True
