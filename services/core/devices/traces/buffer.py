"""Lines that wait in a process to be written: bounded, and written in a transaction of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Final

from services.core.devices.traces.actions import write_lines
from services.core.devices.traces.queries import traced_usernames
from services.core.devices.traces.rules import WAITING_MAX, Seen, SeenOfWatch
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.log.rate_limited import RateLimitedLog

_EVERY_S: Final = 5.0


class TraceBuffer:
    """Notes what a process sees of traced watches; for all others a note costs one look into a set.

    ``traces_all``: every watch is traced (development).
    """

    def __init__(self, database: Database, *, traces_all: bool) -> None:
        self._database = database
        self._traces_all = traces_all
        self._traced: frozenset[str] = frozenset()
        self._waiting: deque[SeenOfWatch] = deque(maxlen=WAITING_MAX)
        self._log = RateLimitedLog()

    def is_traced(self, username: str) -> bool:
        """Return whether a note about this user would be kept."""
        return self._traces_all or username in self._traced

    @property
    def traces_receipts(self) -> bool:
        """Whether receipts are noted: when a child writes is nobody's business outside development."""
        return self._traces_all

    def note(self, username: str, what: Seen, detail: str = "", at: datetime | None = None) -> None:
        """Keep a line until the next writing; the oldest are dropped beyond 2,000. Never raises, never waits."""
        if self.is_traced(username):
            self._waiting.append(SeenOfWatch(username, at or self._database.clock(), what, detail))

    async def write(self) -> None:
        """Write what waits, and read again which watches are traced; raises what the database raises."""
        lines, self._waiting = self._waiting, deque(maxlen=WAITING_MAX)
        if self._traces_all and not lines:
            return
        try:
            async with self._database.begin() as work:
                if not self._traces_all:
                    self._traced = await traced_usernames(work)
                await write_lines(work, [line for line in lines if self.is_traced(line.username)])
        except BaseException:
            self._waiting = deque([*lines, *self._waiting], maxlen=WAITING_MAX)
            raise

    async def run(self) -> None:
        """Write every five seconds until cancelled; while the database is away the lines wait."""
        while True:
            try:
                await self.write()
            except Exception as error:  # noqa: BLE001 - a trace stops nothing else
                if not is_database_unavailable(error):
                    self._log.warning("trace_not_written", error=type(error).__qualname__)
            await asyncio.sleep(_EVERY_S)
