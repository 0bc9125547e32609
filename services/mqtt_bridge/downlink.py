"""From the outbox to the broker: send each watch the difference between what it should know and what it was sent.

Outbox rows name a watch, never what to send. Any number of bridges share the work by claiming rows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from services.core.devices.watches.queries import standing_usernames
from services.core.pairing.sweep import announce_overdue, mark_one_silent_offline
from services.core.pairing.waiting import drop_idle
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.db.notifications import Notifications
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.settings import Settings
from services.mqtt_bridge.connection import Connection, connect
from services.mqtt_bridge.due import messages_of
from services.mqtt_bridge.publishing import publish_all
from services.protocol.downlink import Time
from services.protocol.topics import DownlinkKind, parse_user
from services.watch_link.replies import reply

KINDS = ("watch", "factory")
# How many claims one bridge works on at a time; each waits for the broker's PUBACK, not for a processor.
CLAIMERS = 4
# Watches that share the commits of a claim. A message that comes meanwhile is claimed by another claimer.
CLAIM_ROWS_MAX = 16
# The broker's deadline of 10 s for a PUBACK and the time to record the outcome.
CLAIM_LEASE = timedelta(seconds=15)
# A notification may be lost with its connection; a poll this often makes up for it.
POLL_S = 2.0
# Watches whose hello is answered under one commit, and how long all other work waits for that at most.
GREETINGS_MAX = 200
GREETINGS_FIRST_S = 1.0
SWEEP_S = 5.0
# How long a bridge that is stopped waits for the writing of an outcome.
_LAST_WRITE_S = 2.0

log = structlog.get_logger()
T = TypeVar("T")


class DownlinkPublisher:
    """Publishes what waits for watches; :attr:`connected` is for the health page."""

    def __init__(self, settings: Settings, database: Database, few_hellos: asyncio.Event) -> None:
        self._settings = settings
        # Set unless many hellos wait to be handled by this process.
        self._few_hellos = few_hellos
        self._database = database
        self.connected = False
        # Set while no hello waits for its time.
        self._all_greeted = asyncio.Event()
        # How often something asked for a claim: one that comes during a claim may be about its watches.
        self._wake_ups = 0

    async def run_once(self) -> None:
        """Connect and publish what is due until the broker or the database is lost."""
        # A notification wakes one claimer; a claim that finds as much as it may take wakes another one.
        work_there: asyncio.Queue[None] = asyncio.Queue(1)
        hello_there = asyncio.Event()
        try:
            async with (
                self._database.listen(outbox.CHANNEL) as notifications,
                connect(self._settings, f"sw-down-{new_ref()}", keep_session=False) as connection,
                asyncio.TaskGroup() as tasks,
            ):
                self.connected = True
                log.info("downlink_connected")
                tasks.create_task(_fail_when_disconnected(connection))
                tasks.create_task(self._listen(notifications, work_there, hello_there))
                tasks.create_task(self._greet(connection, hello_there, work_there))
                tasks.create_task(self._sweep())
                for _ in range(CLAIMERS):
                    tasks.create_task(self._claim(connection, work_there))
        finally:
            self.connected = False

    async def _listen(
        self, notifications: Notifications, work_there: asyncio.Queue[None], hello_there: asyncio.Event
    ) -> None:  # fmt: skip
        while True:
            first = await notifications.next(POLL_S)
            kinds = {notification.payload for notification in notifications.drain()}
            if first is not None:
                kinds.add(first.payload)
            # The end of the poll's time wakes as well: a notification may have been lost with a connection.
            if first is None or outbox.GREETING in kinds:
                hello_there.set()
            if first is None or not kinds.isdisjoint(KINDS):
                self._wake_ups += 1
                _wake_one(work_there)

    async def _greet(
        self, connection: Connection, hello_there: asyncio.Event, work_there: asyncio.Queue[None]
    ) -> None:  # fmt: skip
        """Send ``down/time`` to every watch that said hello, many at a time; all else follows."""
        while True:
            hello_there.clear()
            while await self._greet_some(connection):
                pass
            self._all_greeted.set()
            # The rest of what they are to know is due, without the way through a notification.
            self._wake_ups += 1
            _wake_one(work_there)
            await hello_there.wait()

    async def _greet_some(self, connection: Connection) -> bool:
        async with self._database.begin() as work:
            rows = await outbox.claim_greetings(work, lease=CLAIM_LEASE, rows_max=GREETINGS_MAX)
            standing = await standing_usernames(work, {row.username for row in rows}) if rows else set()
            tst = int(work.now.timestamp())
        if not rows:
            return False
        self._all_greeted.clear()
        users = [user for user in map(parse_user, sorted(standing)) if user is not None]
        try:
            await publish_all(connection, [reply(user, DownlinkKind.TIME, Time(tst=tst)) for user in users])
        except BaseException:
            await self._record(partial(outbox.release_greetings, greetings=rows))
            raise
        await self._record(partial(_settle_greetings, rows=rows))
        return True

    async def _claim(self, connection: Connection, work_there: asyncio.Queue[None]) -> None:
        while True:
            # The first wake-up comes from the greeter: at a start one claimer looks, and not all of them at once.
            await work_there.get()
            await self._wait_for_greetings()
            while await self._publish_some(connection, work_there):
                await self._wait_for_greetings()

    async def _wait_for_greetings(self) -> None:
        """Let the time of every watch go first, for a while at most: a storm of hellos must not hold up one message."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GREETINGS_FIRST_S):
                await self._few_hellos.wait()
                await self._all_greeted.wait()

    async def _publish_some(
        self, connection: Connection, work_there: asyncio.Queue[None], rows_max: int = CLAIM_ROWS_MAX
    ) -> bool:
        """Publish what the first due rows ask for and delete the rows; return whether others may be due.

        The watches of up to ``rows_max`` rows share each commit. The messages are sealed into the claimed rows in the
        transaction that records their sending. They are published with no transaction open: a slow broker holds no
        lock. A bridge killed in between loses its claims by time, and another one publishes the same messages; watches
        recognise repeats by their refs.

        A claim leaves the other rows of its watches, and so does a claimer that looks meanwhile: they are looked for
        once the rows are deleted. A row that is committed after that wakes a claimer, which finds no claim in its way.
        """
        rows: list[OutboxRow] = []
        is_more_due, wake_ups = False, self._wake_ups
        try:
            async with self._database.begin() as work:
                rows = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE, rows_max=rows_max)
                if len(rows) == rows_max:
                    _wake_one(work_there)
                due, postponed = await messages_of(work, rows, self._settings)
                await outbox.release_all(work, postponed)
                if unsent := [row for row, messages in due if not messages]:
                    is_more_due = await outbox.settle_and_look(work, unsent, KINDS)
        except asyncio.CancelledError:
            # The claim may have been committed in this moment.
            await self._record(partial(outbox.release_all, rows=rows))
            raise
        except Exception as error:
            if is_database_unavailable(error) or not rows:
                raise
            if len(rows) > 1:
                # One of them fails: each by itself, so that the others are sent.
                for _ in rows:
                    await self._publish_some(connection, work_there, 1)
                return True
            # One row that fails must not stop the others, nor be tried without a pause. Deferred before it is logged:
            # another claimer would take it while the traceback is written.
            async with self._database.begin() as work:
                await outbox.defer_by_id(work, rows[0].outbox_id or 0)
            log.exception("downlink_row_failed", outbox_id=rows[0].outbox_id)
            return True
        sent = [row for row, messages in due if messages]
        if sent:
            try:
                await publish_all(connection, [message for _, messages in due for message in messages])
            except BaseException:
                await self._record(partial(outbox.release_all, rows=sent))
                raise
            is_more_due |= await self._record(partial(outbox.settle_and_look, rows=sent, kinds=KINDS))
        return bool(rows) and (is_more_due or bool(postponed) or wake_ups != self._wake_ups)

    async def _record(self, record: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Write the outcome also when the bridge is being stopped: rows would wait for their claim's end otherwise."""

        async def write() -> T:
            async with self._database.begin() as work:
                return await record(work)

        writing = asyncio.ensure_future(write())
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing}, timeout=_LAST_WRITE_S)
            # Postgres may stand still: the claim then ends by time.
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            raise

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            async with self._database.begin() as work:
                await announce_overdue(work)
            gone = True
            while gone:
                async with self._database.begin() as work:
                    gone = await mark_one_silent_offline(work)


async def _settle_greetings(work: UnitOfWork, rows: Sequence[outbox.Greeting]) -> None:
    """Delete the rows of greeted watches for which nothing else waits, and release the others."""
    if left := await drop_idle(work, rows):
        await outbox.settle_greetings(work, left)


def _wake_one(work_there: asyncio.Queue[None]) -> None:
    if not work_there.full():
        work_there.put_nowait(None)


async def _fail_when_disconnected(connection: Connection) -> None:
    """End with BrokerLostError when the connection ends; nothing is subscribed, so nothing else arrives."""
    async for _ in connection.incoming():
        log.warning("downlink_message_unexpected")
