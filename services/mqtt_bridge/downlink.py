"""From the outbox to the broker: send each watch the difference between what it should know and what it was sent.

Outbox rows name a watch, never what to send. Any number of bridges share the work by claiming rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from services.core.conversation.audio_assets.playable import Playable, RenditionMissing
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.messages.queries import WireMessage, claim_state_notices, wire_message
from services.core.conversation.messages.receipts import reject_item
from services.core.conversation.messages.rules import MessageKind
from services.core.conversation.messages.voice import audio_for_watch
from services.core.devices.alerts.queries import claim_call_notices
from services.core.devices.commands.actions import claim_commands
from services.core.devices.contacts.queries import wire_contacts
from services.core.devices.presence.actions import notify_presence
from services.core.devices.presence.rules import OfflineReason
from services.core.devices.watches.queries import (
    settings_of_child,
    standing_identity,
    standing_usernames,
    watch_by_serial,
)
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.queries import Ended, Issued, standing_of_watch
from services.core.pairing.sweep import announce_overdue, mark_one_silent_offline
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database, Notifications, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.inbox.actions import claim_next, not_yet
from services.core.platform.inbox.rules import REPEAT_AFTER_S
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.actions import request_rendition
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.settings import Settings
from services.mqtt_bridge.connection import Connection, connect
from services.mqtt_bridge.publishing import publish_all
from services.protocol import limits
from services.protocol.downlink import AlertSeen, ItemEmoji, ItemRemoved, ItemText, ItemVoice, State, Time
from services.protocol.split import split_config, split_contacts, split_text
from services.protocol.topics import DownlinkKind, User, downlink, factory_user, parse_user
from services.watch_link.handlers.pairing import standing_answer
from services.watch_link.replies import Reply, reply
from services.watch_link.wire import command_of, config_of, contact_of, manifest_of

KINDS = ("watch", "factory")
# How many rows one bridge works on at a time; each waits for the broker's PUBACK, not for a processor.
CLAIMERS = 4
# The broker's deadline of 10 s for a PUBACK and the time to record the outcome.
CLAIM_LEASE = timedelta(seconds=15)
# A notification may be lost with its connection; a poll this often makes up for it.
POLL_S = 2.0
# Watches whose hello is answered under one commit, and how long all other work waits for that at most.
GREETINGS_MAX = 200
GREETINGS_FIRST_S = 1.0
SWEEP_S = 5.0

log = structlog.get_logger()


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

    async def run_once(self) -> None:
        """Connect and publish what is due until the broker or the database is lost."""
        work_there, hello_there = asyncio.Event(), asyncio.Event()
        try:
            async with (
                self._database.listen(outbox.CHANNEL) as notifications,
                connect(self._settings, f"sw-down-{new_ref()}", keep_session=False) as connection,
                asyncio.TaskGroup() as tasks,
            ):
                self.connected = True
                log.info("downlink_connected")
                tasks.create_task(_fail_when_disconnected(connection))
                tasks.create_task(self._listen(notifications, (work_there, hello_there)))
                tasks.create_task(self._greet(connection, hello_there))
                tasks.create_task(self._sweep())
                for _ in range(CLAIMERS):
                    tasks.create_task(self._claim(connection, work_there))
        finally:
            self.connected = False

    @staticmethod
    async def _listen(notifications: Notifications, wake_ups: Sequence[asyncio.Event]) -> None:
        while True:
            # The end of the poll's time wakes as well: a notification may have been lost with a connection.
            await notifications.next(POLL_S)
            notifications.drain()
            for wake_up in wake_ups:
                wake_up.set()

    async def _greet(self, connection: Connection, hello_there: asyncio.Event) -> None:
        """Send ``down/time`` to every watch that said hello, many at a time; all else follows."""
        while True:
            hello_there.clear()
            while await self._greet_some(connection):
                pass
            self._all_greeted.set()
            await hello_there.wait()

    async def _greet_some(self, connection: Connection) -> bool:
        async with self._database.begin() as work:
            rows = await outbox.claim_greetings(work, lease=CLAIM_LEASE, rows_max=GREETINGS_MAX)
            standing = await standing_usernames(work, {row.target for row in rows}) if rows else set()
            tst = int(work.now.timestamp())
        if not rows:
            return False
        self._all_greeted.clear()
        users = [user for user in map(parse_user, sorted(standing)) if user is not None]
        await publish_all(connection, [reply(user, DownlinkKind.TIME, Time(tst=tst)) for user in users])
        async with self._database.begin() as work:
            await outbox.settle_greetings(work, rows)
        return True

    async def _claim(self, connection: Connection, work_there: asyncio.Event) -> None:
        while True:
            work_there.clear()
            await self._wait_for_greetings()
            while await self._publish_one(connection):
                await self._wait_for_greetings()
            await work_there.wait()

    async def _wait_for_greetings(self) -> None:
        """Let the time of every watch go first, for a while at most: a storm of hellos must not hold up one message."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GREETINGS_FIRST_S):
                await self._few_hellos.wait()
                await self._all_greeted.wait()

    async def _publish_one(self, connection: Connection) -> bool:
        """Publish what the oldest due row asks for and delete the row; return whether there was one.

        The messages are sealed into the claimed row in the transaction that records their sending. They are published
        with no transaction open: a slow broker holds no lock. A bridge killed in between loses its claim by time, and
        another one publishes the same messages; watches recognise repeats by their refs.
        """
        row_id = None
        try:
            async with self._database.begin() as work:
                row = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE)
                if row is None:
                    return False
                row_id = row.outbox_id
                messages = await messages_of(work, row, self._settings)
                if not messages:
                    await outbox.settle(work, row)
        except Exception as error:
            if is_database_unavailable(error) or row_id is None:
                raise
            # One row that fails must not stop the others, nor be tried without a pause.
            log.exception("downlink_row_failed", outbox_id=row_id)
            async with self._database.begin() as work:
                await outbox.defer_by_id(work, row_id)
            return True
        if messages:
            try:
                await publish_all(connection, messages)
            except BaseException:
                await self._record(row, outbox.release)
                raise
            await self._record(row, outbox.settle)
        return True

    async def _record(self, row: OutboxRow, record: Callable[[UnitOfWork, OutboxRow], Awaitable[None]]) -> None:
        """Write the outcome also when the bridge is being stopped: the row would wait for its claim's end otherwise."""

        async def write() -> None:
            async with self._database.begin() as work:
                await record(work, row)

        writing = asyncio.ensure_future(write())
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
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


async def _fail_when_disconnected(connection: Connection) -> None:
    """End with BrokerLostError when the connection ends; nothing is subscribed, so nothing else arrives."""
    async for _ in connection.incoming():
        log.warning("downlink_message_unexpected")


async def messages_of(work: UnitOfWork, row: OutboxRow, settings: Settings) -> list[Reply]:
    """Return what is to be published for a claimed row: what an earlier claim sealed into it, or what is due now."""
    if "sealed" in row.payload:
        return await _unseal(work, row)
    messages = await due_messages(work, row, settings)
    if messages:
        packed = json.dumps([[message.topic, message.payload.decode()] for message in messages]).encode()
        row.payload = {**row.payload, "sealed": work.vault.seal(packed, "downlink").hex()}
        work.add(row)
    return messages


async def _unseal(work: UnitOfWork, row: OutboxRow) -> list[Reply]:
    """Return what a claim that ended unfinished was to publish; nothing to an identity that ended meanwhile."""
    if row.kind == "watch" and await standing_identity(work, row.target) is None:
        return []
    packed = work.vault.unseal(bytes.fromhex(row.payload["sealed"]), "downlink")
    user = parse_user(row.target)
    messages = []
    for topic, payload in json.loads(packed):
        if user is not None and topic == downlink(user, DownlinkKind.TIME):
            # The time of the first attempt would set the watch's clock back.
            messages.append(reply(user, DownlinkKind.TIME, Time(tst=int(work.now.timestamp()))))
        else:
            messages.append(Reply(topic, payload.encode()))
    return messages


async def due_messages(work: UnitOfWork, row: OutboxRow, settings: Settings) -> list[Reply]:
    """Return what is due to the target of this row, and record it as sent in the same transaction."""
    if row.kind == "factory":
        return await _factory_messages(work, row.target, settings)
    identity = await standing_identity(work, row.target, lock=True)
    user = parse_user(row.target)
    if identity is None or user is None:
        return []
    greet = bool(row.payload.get("greet"))
    if not greet and await outbox.awaits_greeting(work, row.target):
        # The row of the hello sends the time first, and then all that this row would send.
        if row.payload.get("back"):
            await notify_presence(work, identity)
        return []
    messages = [reply(user, DownlinkKind.TIME, Time(tst=int(work.now.timestamp())))] if greet else []
    if not identity.online and identity.gone_by != OfflineReason.SILENCE:
        # The watch is offline, and its next hello asks for everything. A watch that is only silent may still receive.
        return messages
    max_payload_bytes = int(identity.hello.get("max_payload_bytes", limits.MAX_PAYLOAD_DEFAULT_BYTES))
    messages += await _contact_messages(work, identity, user, max_payload_bytes)
    messages += await _config_messages(work, identity, user, max_payload_bytes)
    later = await _call_messages(work, identity, user)
    later += await _state_messages(work, identity, user)
    later += await _next_item_messages(work, identity, user, max_payload_bytes)
    # Sent before the others and claimed after them: a claim notifies the guardians, which takes the family's lock.
    messages += await _command_messages(work, identity, user)
    messages += later
    work.add(identity)
    if row.payload.get("back"):
        await notify_presence(work, identity)
    return messages


async def _factory_messages(work: UnitOfWork, serial: str, settings: Settings) -> list[Reply]:
    watch = await watch_by_serial(work, serial)
    if watch is None:
        return []
    standing = await standing_of_watch(work, watch)
    if not isinstance(standing, Issued | Ended):
        return []
    return [reply(factory_user(serial), DownlinkKind.PAIRING, standing_answer(standing, settings))]


def _is_due(version: int, acked: int, sent: int, sent_at: datetime | None, repeats: int, now: datetime) -> bool:
    """Return whether a list is to be sent: the watch holds another version and was not sent this one just now."""
    if version == acked:
        return False
    if version != sent or sent_at is None:
        return True
    return sent_at + timedelta(seconds=REPEAT_AFTER_S[min(repeats, len(REPEAT_AFTER_S)) - 1]) <= now


async def _contact_messages(
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:
    version, contacts = await wire_contacts(work, identity.child_id)
    if not _is_due(
        version, identity.contacts_acked_version, identity.contacts_sent_version, identity.contacts_sent_at,
        identity.repeats, work.now,
    ):  # fmt: skip
        return []
    identity.contacts_sent_version, identity.contacts_sent_at = version, work.now
    identity.repeats += 1
    parts = split_contacts(version, [contact_of(contact) for contact in contacts], max_payload_bytes)
    return [reply(user, DownlinkKind.CONTACTS, part) for part in parts]


async def _config_messages(
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:
    settings = await settings_of_child(work, identity.child_id)
    if not _is_due(
        settings.version, identity.config_acked_version, identity.config_sent_version, identity.config_sent_at,
        identity.repeats, work.now,
    ):  # fmt: skip
        return []
    identity.config_sent_version, identity.config_sent_at = settings.version, work.now
    identity.repeats += 1
    parts = split_config(config_of(settings, work.now), max_payload_bytes)
    return [reply(user, DownlinkKind.CONFIG, part) for part in parts]


async def _command_messages(work: UnitOfWork, identity: WatchIdentity, user: User) -> list[Reply]:
    return [reply(user, DownlinkKind.COMMAND, command_of(command)) for command in await claim_commands(work, identity)]


async def _call_messages(work: UnitOfWork, identity: WatchIdentity, user: User) -> list[Reply]:
    knows_states = identity.hello.get("alert_states") is True
    return [
        reply(
            user, DownlinkKind.ALERT,
            AlertSeen(ref=notice.ref, state=notice.state, seen_by=notice.seen_by, tst=int(notice.at.timestamp())),
        )
        for notice in await claim_call_notices(work, identity, knows_states=knows_states)
    ]  # fmt: skip


async def _state_messages(work: UnitOfWork, identity: WatchIdentity, user: User) -> list[Reply]:
    return [
        reply(
            user,
            DownlinkKind.STATE,
            State(
                ref=notice.ref,
                by=notice.by,
                state=notice.state,
                detail=notice.detail,
                tst=int(notice.changed_at.timestamp()),
            ),
        )
        for notice in await claim_state_notices(work, identity)
    ]


async def _next_item_messages(
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:
    """Return the announcement of the first item that waits; an item that this watch can never play is rejected."""
    while True:
        item = await claim_next(work, identity.child_id, identity.username)
        if item is None:
            return []
        if item.kind == "removed":
            gone = ItemRemoved(seq=item.seq, ref=item.removed_ref or item.ref)
            return [reply(user, DownlinkKind.ITEM, gone, item.ref)]
        message = await wire_message(work, item)
        if message.clip_id is None:
            return _text_messages(item, message, user, max_payload_bytes)
        clip = await audio_for_watch(work, message.clip_id, identity)
        match clip:
            case Playable():
                manifest = manifest_of(clip, identity.hello)
                voice = ItemVoice(
                    seq=item.seq, sender=message.sender, tst=int(message.sent_at.timestamp()),
                    expires_tst=int(message.expires_at.timestamp()), voice=manifest,
                )  # fmt: skip
                return [reply(user, DownlinkKind.ITEM, voice, item.ref)]
            case RenditionMissing():
                # Order is kept: the items after it wait for the second that the rendition takes.
                not_yet(work, item)
                await request_rendition(work, message.clip_id, clip.form.value, clip.max_bytes)
                return []
            case Undeliverable():
                await reject_item(work, item, clip.detail)


def _text_messages(item: InboxItem, message: WireMessage, user: User, max_payload_bytes: int) -> list[Reply]:
    sent_tst, expires_tst = int(message.sent_at.timestamp()), int(message.expires_at.timestamp())
    if message.kind == MessageKind.EMOJI:
        emoji = ItemEmoji(
            seq=item.seq, sender=message.sender, tst=sent_tst, expires_tst=expires_tst, emoji=message.content
        )
        return [reply(user, DownlinkKind.ITEM, emoji, item.ref)]
    text = ItemText(seq=item.seq, sender=message.sender, tst=sent_tst, expires_tst=expires_tst, text=message.content)
    return [reply(user, DownlinkKind.ITEM, part, item.ref) for part in split_text(text, max_payload_bytes)]
