"""Wakes the loops: one LISTEN connection for the whole process instead of one a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from services.core.platform.db.database import Database
from services.core.platform.outbox.actions import CHANNEL
from services.worker.pulse import Pulse

# A notification may be lost with its connection: a consumer polls this often without one.
POLL_S: Final = 2.0


class WakeUp:
    """Set by a notification of one of the kinds it is for."""

    def __init__(self, kinds: Collection[str]) -> None:
        self.kinds = frozenset(kinds)
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake whoever waits, now or next."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for a notification since the last wait, or for the time of a poll."""
        try:
            async with asyncio.timeout(POLL_S):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


class WakeUps:
    """The loop that listens to the outbox's channel; while it has no connection, consumers poll."""

    name = "wake_ups"
    silence_max_s = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake_ups: list[WakeUp] = []

    def subscribe(self, *kinds: str) -> WakeUp:
        """Return a wake-up for these kinds of rows; one a consumer."""
        wake_up = WakeUp(kinds)
        self._wake_ups.append(wake_up)
        return wake_up

    async def run(self, pulse: Pulse) -> None:
        """Listen until cancelled; raises DatabaseLostError."""
        async with self._database.listen(CHANNEL) as notifications:
            while True:
                pulse.beat()
                notification = await notifications.next(POLL_S)
                if notification is None:
                    pulse.record_success(self.name)
                    continue
                kinds = {notification.payload, *(notification.payload for notification in notifications.drain())}
                for wake_up in self._wake_ups:
                    if wake_up.kinds & kinds:
                        wake_up.set()
