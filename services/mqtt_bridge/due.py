"""The messages due to watches and factory identities: the difference between what they should know and were sent.

The messages are sealed into the claimed rows in the transaction that records their sending, so that another bridge can
publish what a killed one had recorded.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.core.conversation.audio_assets.playable import Playable, RenditionMissing
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.messages.for_watch import ItemForWatch, WireMessage, lock_next_item
from services.core.conversation.messages.queries import claim_state_notices
from services.core.conversation.messages.receipts import reject_item
from services.core.conversation.messages.rules import MessageKind
from services.core.devices.alerts.queries import claim_call_notices
from services.core.devices.commands.actions import claim_commands
from services.core.devices.contacts.queries import wire_contacts
from services.core.devices.presence.actions import notify_presence
from services.core.devices.presence.rules import OfflineReason
from services.core.devices.watches.queries import (
    lock_standing_identities,
    settings_of_child,
    standing_usernames,
    watch_by_serial,
)
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.queries import Ended, Issued, standing_of_watch
from services.core.pairing.waiting import Waiting, what_waits
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import write_together
from services.core.platform.inbox.actions import WaitingItem, announced, is_due_to_announce, not_yet
from services.core.platform.inbox.rules import REPEAT_AFTER_S
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.actions import request_rendition
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.settings import Settings
from services.protocol import limits
from services.protocol.downlink import AlertSeen, ItemEmoji, ItemRemoved, ItemText, ItemVoice, State, Time
from services.protocol.split import split_config, split_contacts, split_text
from services.protocol.topics import DownlinkKind, User, downlink, factory_user, parse_user
from services.watch_link.handlers.pairing import standing_answer
from services.watch_link.replies import Reply, reply
from services.watch_link.wire import command_of, config_of, contact_of, manifest_of


class Due(NamedTuple):
    """A claimed row and what is to be published for it, which may be nothing."""

    row: OutboxRow
    messages: list[Reply]


async def messages_of(
    work: UnitOfWork, rows: Sequence[OutboxRow], settings: Settings
) -> tuple[list[Due], list[OutboxRow]]:
    """Return what is to be published for claimed rows of different targets, and rows that must wait for another turn.

    For each row it is what an earlier claim sealed into it, or what is due now. A transaction takes the locks of its
    families in their order and those of a family's other rows before: of two watches of one family the second waits.
    """
    sealed = [row for row in rows if "sealed" in row.payload]
    standing = await standing_usernames(work, [row.target for row in sealed]) if sealed else set()
    # An identity that ended meanwhile is sent nothing.
    due = [Due(row, _unseal(work, row) if row.kind == "factory" or row.target in standing else []) for row in sealed]
    fresh = [row for row in rows if "sealed" not in row.payload]
    due += [Due(row, await _factory_messages(work, row.target, settings)) for row in fresh if row.kind == "factory"]
    items: list[tuple[WaitingItem, str]] = []
    of_watches, postponed = await _watch_messages(work, [row for row in fresh if row.kind == "watch"], items)
    due += of_watches
    new = [(row, messages) for row, messages in due if messages and "sealed" not in row.payload]
    for row, messages in new:
        packed = json.dumps([[message.topic, message.payload.decode()] for message in messages]).encode()
        row.payload = {**row.payload, "sealed": work.vault.seal(packed, "downlink").hex()}
    if new:
        await write_together(work, announced(work, items), outbox.payloads([row for row, _ in new]))
    return sorted(due, key=lambda each: rows.index(each.row)), postponed


def _unseal(work: UnitOfWork, row: OutboxRow) -> list[Reply]:
    """Return what a claim that ended unfinished was to publish."""
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


async def _watch_messages(
    work: UnitOfWork, rows: Sequence[OutboxRow], items: list[tuple[WaitingItem, str]]
) -> tuple[list[Due], list[OutboxRow]]:
    """Return what is due to the watches of these rows, recorded as sent, and the rows of a family's second watch.

    Items to announce are appended to ``items`` with the user names of their watches, for the caller to record.
    """
    if not rows:
        return [], []
    identities = await lock_standing_identities(work, [row.target for row in rows])
    waiting = await what_waits(work, list(identities))
    due, postponed = [Due(row, []) for row in rows if row.target not in identities], []
    family_ids: set[uuid.UUID] = set()
    standing = [(identities[row.target], row) for row in rows if row.target in identities]
    for identity, row in sorted(standing, key=lambda pair: pair[0].family_id):
        if identity.family_id in family_ids:
            postponed.append(row)
            continue
        family_ids.add(identity.family_id)
        is_ahead = waiting[row.target].greeting and not row.payload.get("greet")
        if is_ahead:
            # The row of the hello sends the time first, and then all that this row would send.
            messages: list[Reply] = []
        else:
            messages = await _due_messages(work, row, identity, waiting[row.target], items)
        if row.payload.get("back"):
            await notify_presence(work, identity)
        due.append(Due(row, messages))
    return due, postponed


async def _due_messages(
    work: UnitOfWork, row: OutboxRow, identity: WatchIdentity, waiting: Waiting, items: list[tuple[WaitingItem, str]]
) -> list[Reply]:
    """Return what is due to a watch, and record it as sent in the same transaction; ``items``: as above."""
    user = parse_user(row.target)
    if user is None:
        return []
    is_greeted = bool(row.payload.get("greet"))
    messages = [reply(user, DownlinkKind.TIME, Time(tst=int(work.now.timestamp())))] if is_greeted else []
    if not identity.online and identity.gone_by != OfflineReason.SILENCE:
        # The watch is offline, and its next hello asks for everything. A watch that is only silent may still receive.
        return messages
    max_payload_bytes = int(identity.hello.get("max_payload_bytes", limits.MAX_PAYLOAD_DEFAULT_BYTES))
    if _contacts_are_due(waiting.contacts_version, identity, work.now):
        messages += await _contact_messages(work, identity, user, max_payload_bytes)
    if _config_is_due(waiting.config_version, identity, work.now):
        messages += await _config_messages(work, identity, user, max_payload_bytes)
    later = await _call_messages(work, identity, user) if waiting.calls else []
    later += await _state_messages(work, identity, user) if waiting.states else []
    if waiting.items:
        later += await _next_item_messages(work, identity, user, max_payload_bytes, items)
    # Sent before the others and claimed after them: a claim notifies the guardians, which takes the family's lock.
    messages += await _command_messages(work, identity, user) if waiting.commands else []
    messages += later
    work.add(identity)
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


def _contacts_are_due(version: int, identity: WatchIdentity, now: datetime) -> bool:
    return _is_due(
        version, identity.contacts_acked_version, identity.contacts_sent_version, identity.contacts_sent_at,
        identity.repeats, now,
    )  # fmt: skip


def _config_is_due(version: int, identity: WatchIdentity, now: datetime) -> bool:
    return _is_due(
        version, identity.config_acked_version, identity.config_sent_version, identity.config_sent_at,
        identity.repeats, now,
    )  # fmt: skip


async def _contact_messages(
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:
    version, contacts = await wire_contacts(work, identity.child_id)
    identity.contacts_sent_version, identity.contacts_sent_at = version, work.now
    identity.repeats += 1
    parts = split_contacts(version, [contact_of(contact) for contact in contacts], max_payload_bytes)
    return [reply(user, DownlinkKind.CONTACTS, part) for part in parts]


async def _config_messages(
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:
    settings = await settings_of_child(work, identity.child_id)
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
    work: UnitOfWork, identity: WatchIdentity, user: User, max_payload_bytes: int, items: list[tuple[WaitingItem, str]]
) -> list[Reply]:
    """Return the announcement of the first item that waits; an item that this watch can never play is rejected."""
    while True:
        found = await lock_next_item(work, identity.child_id, identity.hello)
        if found is None or found.key is None or not is_due_to_announce(work, found.item, identity.username):
            return []
        match None if found.message is None else found.message.audio:
            case RenditionMissing() as missing:
                # Order is kept: the items after it wait for the second that the rendition takes.
                await not_yet(work, found.item)
                await request_rendition(work, missing.clip_id, missing.form.value, missing.max_bytes)
                return []
            case Undeliverable() as undeliverable:
                await reject_item(work, identity, found.item, undeliverable.detail)
            case audio:
                items.append((found.item, identity.username))
                return _announcement(found, audio, identity, user, max_payload_bytes)


def _announcement(
    found: ItemForWatch, audio: Playable | None, identity: WatchIdentity, user: User, max_payload_bytes: int
) -> list[Reply]:  # fmt: skip
    item, message = found.item, found.message
    if message is None:
        gone = ItemRemoved(seq=item.seq, ref=item.removed_ref or item.ref)
        return [reply(user, DownlinkKind.ITEM, gone, item.ref)]
    if audio is None:
        return _text_messages(item, message, user, max_payload_bytes)
    voice = ItemVoice(
        seq=item.seq, sender=message.sender, tst=int(message.sent_at.timestamp()),
        expires_tst=int(message.expires_at.timestamp()), voice=manifest_of(audio, identity.hello),
    )  # fmt: skip
    return [reply(user, DownlinkKind.ITEM, voice, item.ref)]


def _text_messages(item: WaitingItem, message: WireMessage, user: User, max_payload_bytes: int) -> list[Reply]:
    sent_tst, expires_tst = int(message.sent_at.timestamp()), int(message.expires_at.timestamp())
    if message.kind == MessageKind.EMOJI:
        emoji = ItemEmoji(
            seq=item.seq, sender=message.sender, tst=sent_tst, expires_tst=expires_tst, emoji=message.content
        )
        return [reply(user, DownlinkKind.ITEM, emoji, item.ref)]
    text = ItemText(seq=item.seq, sender=message.sender, tst=sent_tst, expires_tst=expires_tst, text=message.content)
    return [reply(user, DownlinkKind.ITEM, part, item.ref) for part in split_text(text, max_payload_bytes)]
