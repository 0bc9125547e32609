"""Uplinks of kinds that arrive in great numbers: collected for a moment, committed together, then acknowledged.

The messages of one watch stay in their order. A batch that fails is handled again one message at a time, so that a bad
entry affects nothing but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.leases.actions import LeaseLostError
from services.core.platform.log.throttle import LogThrottle
from services.mqtt_bridge.connection import Incoming
from services.protocol.topics import Uplink, UplinkKind
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive_batch
from services.watch_link.registry import DECLARATIONS, BatchedKind
from services.watch_link.replies import Reply

# A message may wait this long for others: nothing to a guardian, and at 200 watches a second a fifth of the commits.
COLLECT_S = 0.02
# Two hundred arrays of fifty are 10,000 rows: a second's work at most.
MESSAGES_MAX = 200
# Two hundred of the largest chunks would be 3 MiB: sealed and copied they would stand still for a tenth of a second.
BYTES_MAX = 1024 * 1024

log = structlog.get_logger()


def _nothing() -> None:
    """Nobody waits for the message."""


HandleAlone = Callable[[Incoming], Awaitable[list[Reply]]]
# Acknowledges messages after their commit and publishes the replies.
Settle = Callable[[Sequence[Incoming], Sequence[Reply]], Awaitable[None]]


@dataclass(frozen=True)
class Waiting:
    """A message and its parsed topic; ``then`` is called once it is committed or answered."""

    message: Incoming
    topic: Uplink
    then: Callable[[], None] = _nothing
    # Of the steady clock.
    put_at_s: float = field(default_factory=time.monotonic)


class Batcher:
    """Collects messages of one kind and commits them; ``handle_alone`` handles one message until it is answered.

    ``settle`` acknowledges the messages of a batch and publishes their replies.
    """

    def __init__(
        self, kind: UplinkKind, backend: Backend, handle_alone: HandleAlone, settle: Settle
    ) -> None:  # fmt: skip
        declared = DECLARATIONS[kind]
        if not isinstance(declared, BatchedKind):
            message = f"{kind} is not handled in batches"
            raise TypeError(message)
        self._declared = declared
        self._backend = backend
        self._handle_alone = handle_alone
        self._settle = settle
        self._throttle = LogThrottle()
        self._queue: deque[Waiting] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._is_enough = asyncio.Event()
        # Messages of each user that are not committed, and what waits for their commit.
        self._uncommitted: Counter[str] = Counter()
        self._followers: dict[str, Callable[[], None]] = {}

    def put(self, waiting: Waiting) -> None:
        """Add a message to the next batch."""
        self._queue.append(waiting)
        self._bytes += len(waiting.message.payload)
        self._uncommitted[waiting.topic.user.name] += 1
        self._arrived.set()
        if len(self._queue) >= MESSAGES_MAX or self._bytes >= BYTES_MAX:
            self._is_enough.set()

    def follow(self, user: str, follower: Callable[[], None]) -> bool:
        """Call ``follower`` once all messages of this user are committed; return False when they are.

        The next batch then waits for no further company. One follower a user at a time.
        """
        if not self._uncommitted[user]:
            del self._uncommitted[user]
            return False
        self._followers[user] = follower
        self._is_enough.set()
        return True

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            batch = await self._collect()
            answers = await self._commit(batch)
            await self._settle(
                [waiting.message for waiting in batch], [reply for replies in answers for reply in replies]
            )
            for waiting in batch:
                waiting.then()
                self._count_out(waiting.topic.user.name)

    def _count_out(self, user: str) -> None:
        self._uncommitted[user] -= 1
        if not self._uncommitted[user]:
            del self._uncommitted[user]
            follower = self._followers.pop(user, None)
            if follower is not None:
                follower()

    async def _collect(self) -> list[Waiting]:
        await self._arrived.wait()
        waited_s = time.monotonic() - self._queue[0].put_at_s
        if waited_s < COLLECT_S:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with a message.
                async with asyncio.timeout(COLLECT_S - waited_s):
                    await self._is_enough.wait()
        batch: list[Waiting] = []
        size_bytes = 0
        while self._queue and len(batch) < MESSAGES_MAX and size_bytes < BYTES_MAX:
            batch.append(self._queue.popleft())
            size_bytes += len(batch[-1].message.payload)
        self._bytes -= size_bytes
        if not self._queue:
            self._arrived.clear()
            self._is_enough.clear()
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> list[list[Reply]]:
        if len(batch) > 1:
            uplinks = [(waiting.topic, waiting.message.payload) for waiting in batch]
            try:
                return await receive_batch(self._backend, self._declared, uplinks)
            except LeaseLostError:
                raise
            except Exception as error:  # noqa: BLE001 - each is tried again alone, and logged there
                if not is_database_unavailable(error):
                    self._log_split(error, len(batch))
        return [await self._handle_alone(waiting.message) for waiting in batch]

    def _log_split(self, error: Exception, messages: int) -> None:
        """Log once a minute of its kind that a batch failed."""
        suppressed = self._throttle.suppressed_before(type(error).__qualname__)
        if suppressed is not None:
            log.warning(
                "uplink_batch_split", error=type(error).__qualname__, messages=messages, suppressed=suppressed
            )  # fmt: skip
