"""Live events: one listening connection for a whole process wakes the streams of the families concerned."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable

import structlog
from tenacity import RetryCallState, retry, wait_random_exponential

from services.core.accounts import actions as accounts
from services.core.db.database import Database
from services.core.events import actions as events

log = structlog.get_logger()


def _report(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("stream_listens_again", error=type(error).__qualname__, attempt=state.attempt_number)


class EventHub:
    """Wakes streams. A wake-up says "look", so that a lost one only costs the time to the next look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self.is_closing = False

    def end_streams(self) -> None:
        """Have every open stream end by itself: this process is about to stop, and apps come back elsewhere."""
        self.is_closing = True
        self._wake(list(self._waiting))

    async def start(self) -> None:
        """Begin to listen."""
        self._listener = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            # Asked again until it is over: one cancellation can be swallowed by whatever it meets.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait({self._listener}, timeout=1)

    @retry(wait=wait_random_exponential(multiplier=0.2, max=5), before_sleep=_report)
    async def _listen(self) -> None:
        async with self._database.listen(events.CHANNEL, accounts.CHANNEL) as notifications:
            # What happened while nobody listened is found by looking.
            self._wake(list(self._waiting))
            while True:
                found = await notifications.next(60.0)
                if found is not None:
                    self._wake([found.payload])

    def _wake(self, names: Iterable[str]) -> None:
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()

    @contextlib.asynccontextmanager
    async def waker(self, ids: Iterable[uuid.UUID]) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever something happens to one of these families, guardians or sessions."""
        event = asyncio.Event()
        names = [str(one) for one in ids]
        for name in names:
            self._waiting.setdefault(name, set()).add(event)
        try:
            yield event
        finally:
            for name in names:
                waiting = self._waiting[name]
                waiting.discard(event)
                if not waiting:
                    del self._waiting[name]
