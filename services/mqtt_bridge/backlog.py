"""The uplinks that were read from the broker and are not acknowledged: bounded in bytes, and fair to each watch.

The broker sends to the bridge as fast as it reads. Without a bound one watch that floods would fill the memory of the
bridge, and without turns its messages would delay those of every other watch.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.mqtt_bridge.connection import Incoming

# One watch: the largest clip in the smallest chunks, and as many bytes as four of the largest clips.
USER_MAX_MESSAGES: Final = 2_200
USER_MAX_BYTES: Final = 4 * 1024 * 1024
# All watches. Beyond it only watches that have nothing else in the backlog are let in, up to the hard bound.
ALL_MAX_BYTES: Final = 48 * 1024 * 1024
ALL_HARD_MAX_BYTES: Final = 64 * 1024 * 1024
ALL_MAX_MESSAGES: Final = 50_000
# Memory of a message beside its payload: topic, objects, queue entries.
_OVERHEAD_BYTES: Final = 1024


@dataclass
class _Share:
    """How much of one watch is in the backlog."""

    messages: int = 0
    size_bytes: int = 0


class Backlog:
    """Messages by user. Each user's messages are handled in their order, one at a time, and users take turns."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[Incoming]] = defaultdict(deque)
        # Users whose next message may be handled, in the order of their turns.
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._in_work: set[str] = set()
        # The messages that are not acknowledged, by user, topic and payload. Those that left their queue count as well:
        # while Postgres is slow, most of them wait in the batches.
        self._unanswered: Counter[tuple[str, str, bytes]] = Counter()
        self._shares: defaultdict[str, _Share] = defaultdict(_Share)
        self.messages = 0
        self.size_bytes = 0
        self._arrived = asyncio.Event()

    def has_room(self, user: str, message: Incoming) -> bool:
        """Return whether the message may be kept; otherwise it is answered ``retry`` and acknowledged."""
        size_bytes = len(message.payload) + _OVERHEAD_BYTES
        share = self._shares.get(user, _Share())
        if share.messages >= USER_MAX_MESSAGES or share.size_bytes + size_bytes > USER_MAX_BYTES:
            return False
        if self.messages >= ALL_MAX_MESSAGES:
            return False
        bound = ALL_MAX_BYTES if share.messages else ALL_HARD_MAX_BYTES
        return self.size_bytes + size_bytes <= bound

    def holds(self, user: str, message: Incoming) -> bool:
        """Return whether the same message waits or is in work: its watch has had no answer and sent it again."""
        return (user, message.topic, message.payload) in self._unanswered

    def put(self, user: str, message: Incoming, *, is_urgent: bool = False) -> None:
        """Add a message behind the others of its user; an urgent one brings its user's turn forward."""
        self._unanswered[user, message.topic, message.payload] += 1
        share = self._shares[user]
        share.messages += 1
        share.size_bytes += len(message.payload) + _OVERHEAD_BYTES
        self.messages += 1
        self.size_bytes += len(message.payload) + _OVERHEAD_BYTES
        self._queues[user].append(message)
        if user not in self._in_work:
            self._turns[user] = None
            if is_urgent:
                self._turns.move_to_end(user, last=False)
            self._arrived.set()

    async def next(self) -> tuple[str, Incoming]:
        """Return the next message and its user, who has no further turn until :meth:`end_turn`."""
        while not self._turns:
            self._arrived.clear()
            await self._arrived.wait()
        user, _ = self._turns.popitem(last=False)
        self._in_work.add(user)
        return user, self._queues[user].popleft()

    def end_turn(self, user: str) -> None:
        """Let the user's next message have its turn, behind the users that wait."""
        self._in_work.discard(user)
        if self._queues.get(user):
            self._turns[user] = None
            self._arrived.set()
        else:
            self._queues.pop(user, None)

    def put_back(self, user: str, message: Incoming) -> None:
        """Let the message that has its turn have it again, before the user's other messages."""
        self._queues[user].appendleft(message)
        self.end_turn(user)

    def settled(self, user: str, message: Incoming) -> None:
        """Count a message out that was acknowledged."""
        key = (user, message.topic, message.payload)
        self._unanswered[key] -= 1
        if not self._unanswered[key]:
            del self._unanswered[key]
        share = self._shares[user]
        share.messages -= 1
        share.size_bytes -= len(message.payload) + _OVERHEAD_BYTES
        self.messages -= 1
        self.size_bytes -= len(message.payload) + _OVERHEAD_BYTES
        if not share.messages:
            del self._shares[user]

    def remove(self, user: str, is_unwanted: Callable[[Incoming], bool]) -> list[Incoming]:
        """Take the waiting messages of a user out for which this holds; the caller answers and acknowledges them."""
        queue = self._queues.get(user)
        if not queue:
            return []
        removed: list[Incoming] = []
        kept: list[Incoming] = []
        for message in queue:
            (removed if is_unwanted(message) else kept).append(message)
        if removed:
            queue.clear()
            queue.extend(kept)
            if not kept:
                self._turns.pop(user, None)
                if user not in self._in_work:
                    del self._queues[user]
        return removed

    def users(self) -> list[str]:
        """Return the users with waiting messages."""
        return list(self._queues)
