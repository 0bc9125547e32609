"""Live events: one listening connection for a whole process wakes the streams of the families concerned.

What each stream would have to ask again and again, the process asks once for all of them: a thousand open streams cost
the database two questions every few seconds, and a look each only when something has happened to them.
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
from services.core.platform.db.database import Database, Notifications
from services.core.platform.events import actions as events
from services.core.platform.retrying import run_with_retries

log = structlog.get_logger()

# How long ended access or a lost notification may go unnoticed: access that is taken away is gone within five seconds.
CHECK_EVERY_S = 2.0


def _report(error: Exception, failures: int) -> None:
    log.warning("stream_listens_again", error=type(error).__qualname__, attempt=failures)


class EventHub:
    """Wakes streams. A wake-up says "look", so that a needless one costs a look and a lost one two seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[uuid.UUID, set[asyncio.Event]] = {}
        self._sessions: dict[uuid.UUID, int] = {}
        self._families: dict[uuid.UUID, int] = {}
        self._told_seq: dict[uuid.UUID, int] = {}
        self._gone: set[int] = set()
        self._listener: asyncio.Task[None] | None = None
        self.is_closing = False

    def end_streams(self) -> None:
        """Have every open stream end by itself: this process is about to stop, and apps come back elsewhere."""
        self.is_closing = True
        self._wake(list(self._waiting))

    async def start(self) -> None:
        """Begin to listen."""
        self._listener = asyncio.create_task(run_with_retries(self._listen, _report))

    async def stop(self) -> None:
        """Stop listening. Streams that end now are forgotten by the next ones of their guardians."""
        if self._listener is not None:
            # Asked again until it is over: one cancellation can be swallowed by whatever it meets.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait({self._listener}, timeout=1)

    async def _listen(self) -> None:
        async with self._database.listen(events.CHANNEL, accounts.CHANNEL) as notifications:
            # What happened while nobody listened is found by looking.
            self._wake(list(self._waiting))
            loop = asyncio.get_running_loop()
            check_at = loop.time() + CHECK_EVERY_S
            while True:
                await self._take(notifications, max(0.0, check_at - loop.time()))
                if loop.time() >= check_at:
                    await self._check()
                    check_at = loop.time() + CHECK_EVERY_S

    async def _take(self, notifications: Notifications, timeout_s: float) -> None:
        found = await notifications.next(timeout_s)
        if found is not None:
            # A burst about one family is one look of each of its streams.
            self._wake({_id_of(one.payload) for one in (found, *notifications.drain())} - {None})

    async def _check(self) -> None:
        """Ask once for all streams: whose session ended, which family's events went on; forget those that ended.

        Fails when nobody can answer.

        The listening connection then begins anew, which has every stream look for itself.
        """
        async with self._database.begin() as work:
            ended = await sessions_that_ended(work, list(self._sessions))
            numbers = await event_numbers(work, list(self._families))
            gone = set(self._gone)
            await close_streams(work, gone)
        self._gone -= gone
        self._wake(ended)
        self._wake(family_id for family_id, seq in numbers.items() if seq > self._told_seq.get(family_id, 0))
        self._told_seq = numbers

    def _wake(self, ids: Iterable[uuid.UUID | None]) -> None:
        for one in ids:
            if one is not None:
                for event in self._waiting.get(one, ()):
                    event.set()

    def ended(self, stream_no: int) -> None:
        """Have a stream that ended counted no more, within two seconds: its own task may be over by then."""
        self._gone.add(stream_no)

    @contextlib.asynccontextmanager
    async def waker(
        self, families: Collection[uuid.UUID], guardian_id: uuid.UUID, session_id: uuid.UUID
    ) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever something happens to one of these families, the guardian or session."""
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
    for one in ids:
        counts[one] = counts.get(one, 0) + step
        if not counts[one]:
            del counts[one]


def _id_of(payload: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(payload)
    except ValueError:
        return None
