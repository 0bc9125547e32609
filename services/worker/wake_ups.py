"""Wakes the loops: one LISTEN connection and one poll for the whole process instead of one a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.outbox.actions import CHANNEL
from services.core.platform.outbox.queries import due_kinds
from services.core.platform.outbox.rules import KINDS
from services.worker.pulse import Pulse

# How often the process asks what is due: deferred rows, claims that expired, notifications lost with a connection.
POLL_S: Final = 2.0
# How often a consumer looks by itself, in case the loop that wakes it hangs or what it does has no rows in the outbox.
SAFETY_POLL_S: Final = 30.0
# Whether work that has no rows in the outbox is due.
IsDue = Callable[[UnitOfWork], Awaitable[bool]]


class WakeUp:
    """Wakes one of the consumers that share it; a consumer that finds work wakes the next one."""

    def __init__(self, *kinds: str, is_due: IsDue | None = None) -> None:
        self.kinds = frozenset(kinds)
        self.is_due = is_due
        self._tokens: asyncio.Queue[None] = asyncio.Queue(1)

    def set(self) -> None:
        """Wake one consumer: whoever waits, or the next that waits."""
        if not self._tokens.full():
            self._tokens.put_nowait(None)

    @property
    def is_set(self) -> bool:
        """Whether the next consumer that waits wakes at once."""
        return self._tokens.full()

    async def wait(self) -> None:
        """Wait for a wake-up, or for the time of a poll."""
        try:
            async with asyncio.timeout(SAFETY_POLL_S):
                await self._tokens.get()
        except TimeoutError:
            return


class WakeUps:
    """The loop that listens to the outbox's channel and polls it for every consumer of the process."""

    name = "wake_ups"
    silence_max_s = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake_ups: list[WakeUp] = []

    def subscribe(self, *kinds: str, is_due: IsDue | None = None) -> WakeUp:
        """Return a wake-up for these kinds of rows, shared by consumers that do the same work."""
        wake_up = WakeUp(*kinds, is_due=is_due)
        self._wake_ups.append(wake_up)
        return wake_up

    async def run(self, pulse: Pulse) -> None:
        """Listen and poll until cancelled; raises DatabaseLostError."""
        loop = asyncio.get_running_loop()
        async with self._database.listen(CHANNEL) as notifications:
            poll_at_s = loop.time()
            while True:
                pulse.beat()
                if loop.time() >= poll_at_s:
                    await self.poll()
                    pulse.record_success(self.name)
                    poll_at_s = loop.time() + POLL_S
                notification = await notifications.next(max(0.0, poll_at_s - loop.time()))
                if notification is not None:
                    self._wake({notification.payload, *(other.payload for other in notifications.drain())})

    async def poll(self) -> None:
        """Wake the consumers for which something is due."""
        async with self._database.begin() as work:
            self._wake(await due_kinds(work, KINDS))
            for wake_up in self._wake_ups:
                if wake_up.is_due is not None and await wake_up.is_due(work):
                    wake_up.set()

    def _wake(self, kinds: set[str]) -> None:
        for wake_up in self._wake_ups:
            if wake_up.kinds & kinds:
                wake_up.set()
