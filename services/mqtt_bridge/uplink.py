"""From the broker to the core: one message, one commit, then PUBACK, then the receipt.

One bridge at a time is the uplink: it holds a lock in Postgres and connects under a fixed client id whose session the
broker keeps, so that a second bridge resumes exactly where the first one died.
"""

from __future__ import annotations

import asyncio
import zlib

import structlog
from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_collision, is_database_unavailable
from services.core.platform.settings import Settings
from services.mqtt_bridge.batch import Batcher, Waiting
from services.mqtt_bridge.connection import Connection, Incoming, connect
from services.mqtt_bridge.publishing import publish_all
from services.protocol.topics import Uplink, UplinkKind, parse_uplink
from services.protocol.words import Detail
from services.watch_link.backend import Backend
from services.watch_link.rates import Rates
from services.watch_link.receiving import may_join_batch, receive, retry_replies
from services.watch_link.registry import is_batched
from services.watch_link.replies import Reply

CLIENT_ID = "sw-uplink"
LOCK_NAME = "uplink"
TOPIC_FILTER = "sw/v1/+/up/#"
# Watches are spread over lanes: one watch's messages stay in order, and one slow commit does not hold up the others.
LANES = 8
# What failed for a reason of ours is kept by the watch and comes again after this.
_RETRY_AFTER_OWN_FAULT_S = 60
# Two transactions that keep colliding this often have another fault than bad luck.
_TRIES = 5

log = structlog.get_logger()


class UplinkReader:
    """Reads uplinks while it holds the lock; :attr:`connected` tells the health page."""

    def __init__(self, settings: Settings, database: Database, blobs: BlobStore) -> None:
        self._settings = settings
        self._database = database
        self._backend = Backend(database, blobs, settings)
        self.rates = Rates()
        self.connected = False
        self.standby = True

    async def run_once(self) -> None:
        """Wait for the lock, connect, and take uplinks until lock or broker is lost."""
        self.standby = True
        async with self._database.hold_lock(LOCK_NAME) as lost:
            self.standby = False
            async with connect(self._settings, CLIENT_ID, keep_session=True) as connection:
                reading = asyncio.create_task(self._read(connection))
                losing = asyncio.create_task(lost.wait())
                try:
                    await asyncio.wait({reading, losing}, return_when=asyncio.FIRST_COMPLETED)
                    if lost.is_set():
                        log.warning("uplink_lock_lost")
                    else:
                        reading.result()
                finally:
                    self.connected = False
                    for task in (reading, losing):
                        task.cancel()
                    await asyncio.gather(reading, losing, return_exceptions=True)

    async def _read(self, connection: Connection) -> None:
        lanes: list[asyncio.Queue[Incoming]] = [asyncio.Queue() for _ in range(LANES)]
        batchers = {
            kind: Batcher(kind, self._backend, connection, self._commit) for kind in UplinkKind if is_batched(kind)
        }
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(self._work(lane, connection, batchers))
            for batcher in batchers.values():
                tasks.create_task(batcher.run())
            await connection.subscribe(TOPIC_FILTER)
            self.connected = True
            log.info("uplink_connected")
            async for message in connection.incoming():
                lanes[lane_of(message.topic)].put_nowait(message)

    async def _work(
        self, lane: asyncio.Queue[Incoming], connection: Connection, batchers: dict[UplinkKind, Batcher]
    ) -> None:
        while True:
            message = await lane.get()
            replies = self._over_the_limit(message)
            topic = parse_uplink(message.topic)
            if replies is None and isinstance(topic, Uplink) and may_join_batch(topic, refusal_of(message)):
                # After the earlier messages of this watch, and without delaying the later ones.
                batchers[topic.kind].put(Waiting(message, topic))
                continue
            if replies is None:
                replies = await self._commit(message)
            message.acknowledge()
            await publish_all(connection, replies)

    async def _commit(self, message: Incoming) -> list[Reply]:
        """Handle one message until it is committed or answered; waits as long as the database is away.

        Nothing that a watch sends can end this loop: what fails for a fault of our own stays with the watch.
        """
        again = AsyncRetrying(
            retry=_worth_another_try, wait=wait_random_exponential(multiplier=0.05, max=5), before_sleep=_log_waiting,
            reraise=True,
        )  # fmt: skip
        try:
            return await again(receive, self._backend, message.topic, message.payload, refusal_of(message))
        except Exception:
            log.exception("uplink_failed")
            return retry_replies(message.topic, message.payload, _RETRY_AFTER_OWN_FAULT_S)

    def _over_the_limit(self, message: Incoming) -> list[Reply] | None:
        """Return what a watch that talks too fast is answered instead of being heard, or None: it is in its limit."""
        topic = parse_uplink(message.topic)
        if topic.user is None:
            return None
        wait_s = self.rates.wait_s(topic.user, topic if isinstance(topic, Uplink) else None, self._database.clock())
        if wait_s is None:
            return None
        return retry_replies(message.topic, message.payload, wait_s)


def refusal_of(message: Incoming) -> Detail | None:
    """Return the transport's reason to reject a message: the retain flag is never used on uplinks."""
    return Detail.RETAINED if message.retained else None


def _worth_another_try(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        return False
    return is_database_unavailable(error) or (is_collision(error) and state.attempt_number < _TRIES)


def _log_waiting(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("uplink_tried_again", error=type(error).__qualname__, attempt=state.attempt_number)


def lane_of(topic: str) -> int:
    """Return the lane of a topic: the same for everything of one user."""
    return zlib.crc32(topic.split("/", 4)[2].encode()) % LANES
