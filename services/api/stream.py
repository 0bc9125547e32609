"""Live events: one listening connection a process wakes the streams of the families concerned.

The process polls once for all its streams: a thousand open streams cost the database two queries every two seconds, and
one query each only when something has happened to their families.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Collection, Iterable

import structlog

from services.core.people.accounts import actions as accounts
from services.core.people.accounts.queries import sessions_that_ended
from services.core.people.accounts.streams import close_streams
from services.core.people.households.queries import event_numbers
from services.core.platform.db.database import Database
from services.core.platform.db.notifications import Notifications
from services.core.platform.events import actions as events
from services.core.platform.retrying import run_with_retries

log = structlog.get_logger()

# Bound on ended access and on a lost notification: access that is taken away is gone within five seconds.
CHECK_EVERY_S = 2.0


def _report(error: Exception, failures: int) -> None:
    log.warning("stream_listens_again", error=type(error).__qualname__, attempt=failures)


class EventHub:
    """Wakes streams, which then read. A needless wake-up costs one query; a lost one costs two seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[uuid.UUID, set[asyncio.Event]] = {}
        self._sessions: dict[uuid.UUID, int] = {}
        self._families: dict[uuid.UUID, int] = {}
        self._known_seq: dict[uuid.UUID, int] = {}
        self._gone: set[int] = set()
        self._listener: asyncio.Task[None] | None = None
        self.is_closing = False

    @property
    def open_streams(self) -> int:
        """How many streams are open in this process."""
        return sum(self._sessions.values())

    def end_streams(self) -> None:
        """End every open stream: this process is about to stop, and apps reconnect with their last event id."""
        self.is_closing = True
        self._wake(list(self._waiting))

    async def start(self) -> None:
        """Begin to listen."""
        self._listener = asyncio.create_task(run_with_retries(self._listen, _report))

    async def stop(self) -> None:
        """Stop listening. Rows of streams that end now are removed when their guardians open the next ones."""
        if self._listener is not None:
            # Cancelled repeatedly until it ends: a library below can swallow one cancellation.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait({self._listener}, timeout=1)

    async def _listen(self) -> None:
        async with self._database.listen(events.CHANNEL, accounts.CHANNEL) as notifications:
            # Notifications sent while the connection was down are lost: every stream reads once.
            self._wake(list(self._waiting))
            loop = asyncio.get_running_loop()
            check_at = loop.time() + CHECK_EVERY_S
            while True:
                await self._receive(notifications, max(0.0, check_at - loop.time()))
                if loop.time() >= check_at:
                    await self._check()
                    check_at = loop.time() + CHECK_EVERY_S

    async def _receive(self, notifications: Notifications, timeout_s: float) -> None:
        first = await notifications.next(timeout_s)
        if first is not None:
            # A burst about one family wakes each of its streams once.
            self._wake({_id_of(notification.payload) for notification in (first, *notifications.drain())} - {None})

    async def _check(self) -> None:
        """Read once for all streams which sessions ended and which families have new events; count ended streams out.

        Raises what the database raises: the listening connection is then opened anew, and every stream reads by itself.
        """
        if not self._sessions and not self._gone:
            self._known_seq = {}
            return
        async with self._database.begin() as work:
            ended = await sessions_that_ended(work, list(self._sessions))
            numbers = await event_numbers(work, list(self._families))
            gone = set(self._gone)
            await close_streams(work, gone)
        self._gone -= gone
        self._wake(ended)
        self._wake(family_id for family_id, seq in numbers.items() if seq > self._known_seq.get(family_id, 0))
        self._known_seq = numbers

    def _wake(self, ids: Iterable[uuid.UUID | None]) -> None:
        for id_ in ids:
            if id_ is not None:
                for event in self._waiting.get(id_, ()):
                    event.set()

    def ended(self, stream_no: int) -> None:
        """Count a stream as ended within two seconds, in a transaction of the hub: its own task may be cancelled."""
        self._gone.add(stream_no)

    @contextlib.asynccontextmanager
    async def waker(
        self, families: Collection[uuid.UUID], guardian_id: uuid.UUID, session_id: uuid.UUID
    ) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever one of these families, the guardian or the session changes."""
        event = asyncio.Event()
        names = {*families, guardian_id, session_id}
        for name in names:
            self._waiting.setdefault(name, set()).add(event)
        _count(self._sessions, [session_id], 1)
        _count(self._families, families, 1)
        try:
            yield event
        finally:
            _count(self._sessions, [session_id], -1)
            _count(self._families, families, -1)
            for name in names:
                waiting = self._waiting[name]
                waiting.discard(event)
                if not waiting:
                    del self._waiting[name]


def _count(counts: dict[uuid.UUID, int], ids: Iterable[uuid.UUID], step: int) -> None:
    for id_ in ids:
        counts[id_] = counts.get(id_, 0) + step
        if not counts[id_]:
            del counts[id_]


def _id_of(payload: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(payload)
    except ValueError:
        return None
