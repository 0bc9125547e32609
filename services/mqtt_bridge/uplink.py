"""From the broker to the core: one message, one commit, then PUBACK, then the receipt.

One bridge at a time reads uplinks: it holds a lease in Postgres and connects under a fixed client id whose session the
broker keeps, so that a second bridge resumes exactly where the first one stopped. Each transaction is fenced by the
token of the lease: a bridge that was frozen and has been followed commits and acknowledges nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from services.core.devices.traces.buffer import TraceBuffer
from services.core.devices.traces.rules import Seen
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_collision, is_database_unavailable
from services.core.platform.leases.actions import LeaseLostError, hold_lease, new_holder
from services.core.platform.limits.rules import Bucket, Limits, take
from services.core.platform.log.throttle import LogThrottle
from services.core.platform.metrics.registry import counter, histogram
from services.core.platform.settings import Environment, Settings
from services.mqtt_bridge.backlog import Backlog
from services.mqtt_bridge.batch import Batcher, Waiting
from services.mqtt_bridge.connection import Connection, Incoming, connect
from services.mqtt_bridge.outage import Outage
from services.mqtt_bridge.publishing import publish_all
from services.protocol.topics import Uplink, UplinkKind
from services.protocol.words import Detail
from services.watch_link.backend import Backend
from services.watch_link.rates import Rates
from services.watch_link.receiving import is_kept_by_watch, may_join_batch, receive, retry_replies
from services.watch_link.registry import is_batched, is_in_order, kind_before
from services.watch_link.replies import Reply

CLIENT_ID: Final = "sw-uplink"
LEASE_NAME: Final = "uplink"
TOPIC_FILTER: Final = "sw/v1/+/up/#"
# Messages of different watches that are handled at the same time.
WORKERS: Final = 8
# More hellos than in any ordinary moment: the power is back, or the broker.
_HELLOS_MANY: Final = 16
# A message that failed for a fault of the backend is kept by the watch and sent again after this.
_RETRY_AFTER_OWN_FAULT_S: Final = 60
# A backlog is worked off within seconds, a restart of Postgres takes as long; spread, so that not all return at once.
_RETRY_AFTER_S: Final = (5, 15)
# Two transactions that keep colliding this often have another fault than bad luck.
_ATTEMPTS_MAX: Final = 5
_COLLISION_WAIT_S: Final = 0.05
# Receipts `retry` that wait to be published; beyond it a message is acknowledged without one and comes again by itself.
_REFUSALS_MAX: Final = 1_000
# Calls for help and texts overtake the recordings of other watches, never earlier messages of the same watch.
_URGENT: Final = frozenset({UplinkKind.ALERT, UplinkKind.TEXT})
# Kinds of which two equal messages that are not answered need one answer.
_ONE_ANSWER: Final = frozenset(
    {UplinkKind.VOICE_CHUNK, UplinkKind.TEXT, UplinkKind.ALERT, UplinkKind.LOCATION, UplinkKind.USAGE}
)
_KINDS: Final = [kind.value for kind in UplinkKind]
_HANDLED = histogram("uplink_seconds", "From reading an uplink to its PUBACK, by kind.", kind=_KINDS)
_PUT_OFF = counter(
    "uplinks_put_off", "Uplinks answered `retry` without being handled, by reason.",
    reason=("rate", "no_room", "database_away", "failed"),
)  # fmt: skip

log = structlog.get_logger()


class UplinkReader:
    """Reads uplinks while it holds the lease; :attr:`connected` and :attr:`standby` are for the health page."""

    def __init__(self, settings: Settings, database: Database, blobs: BlobStore) -> None:
        self._settings = settings
        self._database = database
        self.trace = TraceBuffer(database, traces_all=settings.environment is Environment.DEVELOPMENT)
        self._backend = Backend(database, blobs, settings, trace=self.trace)
        self._holder = new_holder()
        self.rates = Rates()
        # Set unless many hellos wait: then all that other watches are sent waits a little, so that each has its time.
        self.few_hellos = asyncio.Event()
        self.few_hellos.set()
        self.connected = False
        self.standby = True
        # The backlog of the present connection.
        self.backlog = Backlog()

    async def run_once(self) -> None:
        """Wait for the lease, connect, and handle uplinks until lease or broker is lost."""
        self.standby = True
        async with hold_lease(self._database, LEASE_NAME, self._holder) as lease:
            self.standby = False
            async with connect(self._settings, CLIENT_ID, keep_session=True) as connection:
                reading = Reading(replace(self._backend, lease=lease), connection, self)
                running = asyncio.create_task(reading.run())
                losing = asyncio.create_task(lease.lost.wait())
                try:
                    await asyncio.wait({running, losing}, return_when=asyncio.FIRST_COMPLETED)
                    if lease.lost.is_set():
                        log.warning("uplink_lease_lost", token=lease.token)
                    else:
                        running.result()
                finally:
                    self.connected = False
                    for task in (running, losing):
                        task.cancel()
                    await asyncio.gather(running, losing, return_exceptions=True)


class Reading:
    """One connection's time as the reader of uplinks."""

    def __init__(self, backend: Backend, connection: Connection, reader: UplinkReader) -> None:
        self._backend = backend
        self._connection = connection
        self._reader = reader
        self._backlog = reader.backlog = Backlog()
        self._outage = Outage(backend.database)
        self._throttle = LogThrottle()
        self._refusals: asyncio.Queue[list[Reply]] = asyncio.Queue(_REFUSALS_MAX)
        self._refused: dict[str, Bucket] = {}
        self._hellos = 0
        self._note_hellos(0)
        self._batchers = {
            kind: Batcher(kind, backend, self._commit, self._settle) for kind in UplinkKind if is_batched(kind)
        }

    async def run(self) -> None:
        """Read and handle until cancelled; raises BrokerLostError and LeaseLostError."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WORKERS):
                tasks.create_task(self._work())
            for batcher in self._batchers.values():
                tasks.create_task(batcher.run())
            tasks.create_task(self._publish_refusals())
            tasks.create_task(self._outage.watch())
            tasks.create_task(self._put_off_at_outages())
            await self._connection.subscribe(TOPIC_FILTER)
            self._reader.connected = True
            log.info("uplink_connected")
            async for message in self._connection.incoming():
                self.admit(message)

    def admit(self, message: Incoming) -> None:
        """Put a message into the backlog, or answer it `retry` now: its watch sends too fast, or we cannot keep up."""
        topic = message.uplink
        if topic.user is None:
            # Not a watch's topic: nobody to answer.
            message.acknowledge()
            return
        known = topic if isinstance(topic, Uplink) else None
        user = topic.user.name
        wait_s = self._reader.rates.wait_s(topic.user, known, len(message.payload), self._backend.database.clock())
        if wait_s is not None:
            _PUT_OFF.count(reason="rate")
            self._reader.trace.note(user, Seen.PUT_OFF, "rate")
            self._refuse(user, message, wait_s)
            return
        if known is not None and self._is_answered_with_another(user, known, message):
            message.acknowledge()
            return
        if not self._backlog.has_room(user, message):
            self._put_off(user, message, "no_room")
            return
        if self._outage.is_on and self._may_put_off(message):
            self._put_off(user, message, "database_away")
            return
        self._backlog.put(user, message, is_urgent=known is not None and known.kind in _URGENT)
        if known is not None and known.kind is UplinkKind.HELLO:
            self._note_hellos(1)

    def _is_answered_with_another(self, user: str, topic: Uplink, message: Incoming) -> bool:
        """Return whether the same message waits or is in work; remove what waits and is said again by this one.

        While nobody answers, watches repeat: the repeats of what is not answered must not multiply the work. The first
        one's receipt is published after its commit, hence after the repeat arrived.
        """
        if topic.kind in _ONE_ANSWER:
            return self._backlog.holds(user, message)
        if topic.kind is UplinkKind.HELLO:
            # The newest hello of a user says all that the earlier ones said.
            for older in self._backlog.remove(user, lambda queued: queued.topic == message.topic):
                self._count_out(user, older)
                self._note_hellos(-1)
        elif topic.kind is UplinkKind.VOICE_END and self._backlog.holds(user, message):
            # The last one counts: chunks may have come before it.
            for older in self._backlog.remove(user, lambda queued: queued.topic == message.topic):
                self._count_out(user, older)
        return False

    def _note_hellos(self, change: int) -> None:
        self._hellos += change
        if self._hellos > _HELLOS_MANY:
            self._reader.few_hellos.clear()
        else:
            self._reader.few_hellos.set()

    def _may_put_off(self, message: Incoming) -> bool:
        """Return whether the watch sends the message again by itself, or by the answer to the end of its clip."""
        topic = message.uplink
        is_chunk = isinstance(topic, Uplink) and topic.kind is UplinkKind.VOICE_CHUNK
        return is_chunk or is_kept_by_watch(message.topic, message.payload)

    def _put_off(self, user: str, message: Incoming, reason: str) -> None:
        """Answer a message `retry` that was not handled for a reason of ours."""
        _PUT_OFF.count(reason=reason)
        self._reader.trace.note(user, Seen.PUT_OFF, reason)
        topic = message.uplink
        if isinstance(topic, Uplink):
            self._reader.rates.note_unhandled(topic)
        self._refuse(user, message, random.randint(*_RETRY_AFTER_S))  # noqa: S311 - spreads a load, guards nothing

    def _refuse(self, user: str, message: Incoming, retry_after_s: int) -> None:
        """Acknowledge a message that its watch keeps, and answer `retry`, up to the limit of such answers."""
        message.acknowledge()
        taken = take(Limits.RETRIES_OF_WATCH.value, self._refused.get(user), self._backend.database.clock())
        self._refused[user] = taken.bucket
        if len(self._refused) > _REFUSALS_MAX * 10:
            self._refused.clear()
        if not taken.wait and not self._refusals.full():
            self._refusals.put_nowait(retry_replies(message.topic, message.payload, retry_after_s))

    async def _publish_refusals(self) -> None:
        while True:
            await publish_all(self._connection, await self._refusals.get())

    async def _work(self) -> None:
        while True:
            user, message = await self._backlog.next()
            end_turn = partial(self._backlog.end_turn, user)
            topic = message.uplink
            if not isinstance(topic, Uplink) or not may_join_batch(topic, refusal_of(message)):
                if isinstance(topic, Uplink) and self._waits_for_earlier(user, message, topic.kind):
                    continue
                try:
                    await self._settle([message], await self._commit(message))
                finally:
                    end_turn()
            elif is_in_order(topic.kind):
                self._batchers[topic.kind].put(Waiting(message, topic, end_turn))
            else:
                # After the earlier messages of this watch, and without delaying the later ones.
                self._batchers[topic.kind].put(Waiting(message, topic))
                end_turn()

    def _waits_for_earlier(self, user: str, message: Incoming, kind: UplinkKind) -> bool:
        """Return whether a message has to wait for the commit of those it depends on; it then gets its turn again."""
        before = kind_before(kind)
        if before is None:
            return False
        return self._batchers[before].follow(user, partial(self._backlog.put_back, user, message))

    async def _commit(self, message: Incoming) -> list[Reply]:
        """Handle one message until it is committed or answered.

        While Postgres is away a message that its watch keeps is answered `retry`; any other waits. Nothing that a
        watch sends can end this loop: a message that fails for a fault of ours stays with the watch.
        """
        attempt = 0
        while True:
            attempt += 1
            if self._outage.is_on and self._may_put_off(message):
                return self._put_off_in_work(message)
            try:
                return await receive(self._backend, message.topic, message.payload, refusal_of(message))
            except LeaseLostError:
                raise
            except Exception as error:  # noqa: BLE001 - each is logged, and answered or tried again
                if is_database_unavailable(error):
                    self._log_failure("uplink_tried_again", error)
                    await self._outage.wait_a_moment()
                    if not self._may_put_off(message):
                        await self._outage.wait_until_over()
                elif is_collision(error) and attempt < _ATTEMPTS_MAX:
                    await asyncio.sleep(random.uniform(0, _COLLISION_WAIT_S * 2**attempt))  # noqa: S311 - no secret
                else:
                    self._log_failure("uplink_failed", error)
                    _PUT_OFF.count(reason="failed")
                    return retry_replies(message.topic, message.payload, _RETRY_AFTER_OWN_FAULT_S)

    def _put_off_in_work(self, message: Incoming) -> list[Reply]:
        _PUT_OFF.count(reason="database_away")
        topic = message.uplink
        if isinstance(topic, Uplink):
            self._reader.rates.note_unhandled(topic)
        return retry_replies(message.topic, message.payload, random.randint(*_RETRY_AFTER_S))  # noqa: S311 - no secret

    async def _put_off_at_outages(self) -> None:
        """Answer what waits in the backlog whenever Postgres goes away; what comes later is answered on arrival."""
        while True:
            await self._outage.wait_until_on()
            for user in self._backlog.users():
                for message in self._backlog.remove(user, self._may_put_off):
                    self._backlog.settled(user, message)
                    self._put_off(user, message, "database_away")
            await self._outage.wait_until_over()

    async def _settle(self, messages: Sequence[Incoming], replies: Sequence[Reply]) -> None:
        """Acknowledge messages that are committed or answered, and publish the replies."""
        now_s = time.monotonic()
        for message in messages:
            topic = message.uplink
            if topic.user is not None:
                self._count_out(topic.user.name, message)
            if isinstance(topic, Uplink):
                if topic.kind is UplinkKind.HELLO:
                    self._note_hellos(-1)
                _HANDLED.observe(now_s - message.arrived_at_s, kind=topic.kind.value)
        await publish_all(self._connection, replies)

    def _count_out(self, user: str, message: Incoming) -> None:
        message.acknowledge()
        self._backlog.settled(user, message)

    def _log_failure(self, event: str, error: Exception) -> None:
        """Log a failure once a minute of its kind: a storm of hellos fails thousands of times for one reason."""
        suppressed = self._throttle.suppressed_before(f"{event}/{type(error).__qualname__}")
        if suppressed is not None:
            details = {"error": type(error).__qualname__, "suppressed": suppressed}
            if event == "uplink_failed":
                log.error(event, **details, exc_info=error)
            else:
                log.warning(event, **details)


def refusal_of(message: Incoming) -> Detail | None:
    """Return the transport's reason to reject a message: the retain flag is never used on uplinks."""
    return Detail.RETAINED if message.retained else None
