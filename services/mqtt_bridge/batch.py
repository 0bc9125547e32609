"""Uplinks of which many come at a time: collected for a moment, committed together, then all their PUBACKs.

A watch's own frames stay in their order. What fails in company is tried again alone, so that one bad entry costs
nothing but itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from services.core.platform.db.faults import is_database_unavailable
from services.mqtt_bridge.connection import Connection, Incoming
from services.mqtt_bridge.publishing import publish_all
from services.protocol.topics import UplinkKind
from services.watch_link.handlers import TOGETHER, Frame
from services.watch_link.replies import Reply

# A fix may wait this long for company: nothing to a guardian, and at 200 watches a second a fifth of the commits.
COLLECT_S = 0.02
# Two hundred arrays of fifty are 10,000 rows: a second's work at most.
MOST_FRAMES = 200

log = structlog.get_logger()

Alone = Callable[[Incoming], Awaitable[list[Reply]]]


@dataclass(frozen=True)
class Waiting:
    """A message, and the frame that was read from it."""

    message: Incoming
    frame: Frame


class Together:
    """Collects frames of one kind and has them committed; ``alone`` handles one message until it is answered."""

    def __init__(self, kind: UplinkKind, connection: Connection, alone: Alone) -> None:
        self._handle = TOGETHER[kind]
        self._connection = connection
        self._alone = alone
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue()

    def put(self, waiting: Waiting) -> None:
        """Have a message handled with the others."""
        self._queue.put_nowait(waiting)

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            batch = await self._collect()
            answers = await self._commit(batch)
            for waiting in batch:
                waiting.message.acknowledge()
            await publish_all(self._connection, [reply for replies in answers for reply in replies])

    async def _collect(self) -> list[Waiting]:
        batch = [await self._queue.get()]
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with a message.
            async with asyncio.timeout(COLLECT_S):
                while len(batch) < MOST_FRAMES:
                    batch.append(await self._queue.get())
        except TimeoutError:
            pass
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> list[list[Reply]]:
        if len(batch) > 1:
            try:
                return await self._handle([waiting.frame for waiting in batch])
            except Exception as error:  # noqa: BLE001 - each is tried again alone, and logged there
                if not is_database_unavailable(error):
                    log.warning("uplinks_taken_apart", error=type(error).__qualname__, frames=len(batch))
        return [await self._alone(waiting.message) for waiting in batch]
