"""The notifications that a listening connection received, in their order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class DatabaseLostError(ConnectionError):
    """The connection that listens or holds a lock was lost."""


@dataclass(frozen=True)
class Notification:
    """One NOTIFY: its channel and its payload (an id, never content)."""

    channel: str
    payload: str


class Notifications:
    """The notifications of one LISTEN connection."""

    def __init__(self, queue: asyncio.Queue[Notification | None]) -> None:
        self._queue = queue

    async def next(self, timeout_s: float) -> Notification | None:
        """Return the next notification, or None after ``timeout_s`` (then poll); raises DatabaseLostError."""
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with a notification.
            async with asyncio.timeout(timeout_s):
                notification = await self._queue.get()
        except TimeoutError:
            return None
        if notification is None:
            self._queue.put_nowait(None)
            message = "the listening connection was lost"
            raise DatabaseLostError(message)
        return notification

    def drain(self) -> list[Notification]:
        """Return all other notifications that have arrived, without waiting: a burst is one wake-up."""
        drained = []
        while not self._queue.empty():
            notification = self._queue.get_nowait()
            if notification is None:
                self._queue.put_nowait(None)
                break
            drained.append(notification)
        return drained
