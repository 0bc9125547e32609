"""Events of the watch, for scripts, tests and screens that wait for them instead of sleeping."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# Bounds the memory of a script that never waits for anything.
_EVENTS_KEPT = 2_000


class EventKind(StrEnum):
    """Kinds of events, each with its fields."""

    CODE_SHOWN = "code_shown"  # code, qr, expires_tst
    CODE_GONE = "code_gone"  # reason (used, ran_out): the paired watch is itself again
    PAIRING_REFUSED = "pairing_refused"  # error, retry_after_s
    PAIRED = "paired"  # username, child_name
    STILL_PAIRED = "still_paired"  # username
    WIPED = "wiped"  # username
    ONLINE = "online"  # username
    OFFLINE = "offline"  # reason
    LOGIN_REFUSED = "login_refused"  # username
    PROTOCOL_REFUSED = "protocol_refused"  # lowest, highest
    CONTACTS_TAKEN = "contacts_taken"  # version, count
    CONFIG_TAKEN = "config_taken"  # version
    # ref, seq, item_kind, sender, text, silent (in quiet hours: it does not ring); of a voice message also duration_ms
    RECEIVED = "received"
    FETCHING = "fetching"  # ref, first, count: a window of chunks is asked for
    CLIP_BROKEN = "clip_broken"  # ref, detail: what was fetched is void (`hash`, `another_manifest`)
    REMOVED = "removed"  # ref
    REFUSED_ITEM = "refused_item"  # ref, detail
    STORED = "stored"  # wire_id, number
    NOT_SENT = "not_sent"  # wire_id, number, detail
    CHUNKS_MISSING = "chunks_missing"  # wire_id, number, missing
    POSTPONED = "postponed"  # wire_id, number, retry_after_s
    FRESH_ID = "fresh_id"  # number, old_id, wire_id
    SENT_STATE = "sent_state"  # wire_id, by, state, detail
    RECEIPT_SETTLED = "receipt_settled"  # ref, state, of, code
    COMMAND_ANSWERED = "command_answered"  # ref, command_kind, by, state, detail
    RANG = "rang"  # by
    LOCKED = "locked"  # by
    UNLOCKED = "unlocked"  # by
    RESTARTED = "restarted"  # boot
    BATTERY_FLAT = "battery_flat"
    ALERT_SEEN = "alert_seen"  # ref, seen_by
    ALERT_WAS_SEEN = "alert_was_seen"  # ref, seen_by: more than a minute ago
    ALERT_CALLING = "alert_calling"  # ref: the family is being called
    # ref, reason (unanswered: everybody was called; silence: no word for a minute), call: names of whom to call
    ALERT_UNANSWERED = "alert_unanswered"
    FRAME_IGNORED = "frame_ignored"  # topic, detail
    FRAME_REFUSED = "frame_refused"  # topic, detail: the backend could not read what we sent


@dataclass(frozen=True)
class WatchEvent:
    """One event; `event["name"]` returns a field."""

    number: int
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - fields are of any type
        return self.fields[name]

    def fits(self, kind: str, wanted: dict[str, Any]) -> bool:
        """Return whether the event is of this kind and has these fields."""
        return self.kind == kind and all(self.fields.get(name) == value for name, value in wanted.items())


class EventBoard:
    """Events in order. `wait_for` returns each event once, whether it came before or after the call."""

    def __init__(self) -> None:
        self._history: deque[WatchEvent] = deque(maxlen=_EVENTS_KEPT)
        self._unclaimed: deque[WatchEvent] = deque(maxlen=_EVENTS_KEPT)
        self._followers: set[asyncio.Queue[WatchEvent]] = set()
        self._count = 0
        self._tick = asyncio.Event()
        self.listeners: list[Callable[[WatchEvent], None]] = []

    def emit(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - fields are of any type
        """Record an event and wake everything that waits."""
        self._count += 1
        event = WatchEvent(self._count, kind, fields)
        self._history.append(event)
        self._unclaimed.append(event)
        for follower in self._followers:
            follower.put_nowait(event)
        for listener in self.listeners:
            listener(event)
        self.tick()

    def tick(self) -> None:
        """Wake everything that waits for a condition."""
        # A waiter holds the old object, which stays set; the next round waits for the new one.
        self._tick.set()
        self._tick = asyncio.Event()

    @property
    def count(self) -> int:
        """Number of events so far: a mark for `last`."""
        return self._count

    def last(self, *kinds: str, after: int = 0) -> WatchEvent | None:
        """Return the newest event of these kinds after a mark, None without one; `wait_for` still returns it."""
        matches = (event for event in reversed(self._history) if event.kind in kinds and event.number > after)
        return next(matches, None)

    async def wait_for(self, kind: str, timeout_s: float, **fields: Any) -> WatchEvent:  # noqa: ANN401 - any type
        """Return the oldest event of this kind with these fields not returned so far; TimeoutError without one."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in self._unclaimed:
                    if event.fits(kind, fields):
                        self._unclaimed.remove(event)
                        return event
                await self._tick.wait()

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Return once the condition holds, checked after every event; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await self._tick.wait()

    async def follow(self) -> AsyncGenerator[WatchEvent, None]:
        """Yield every event from now on; `wait_for` still returns them."""
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self._followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._followers.discard(queue)
