"""Read the items of the inbox that wait for a watch, each with its message, by one statement."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from services.core.conversation.audio_assets.playable import (
    MADE_FORMS,
    Playable,
    RenditionMissing,
    made_forms,
    playable_for_watch,
)
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.content import open_body
from services.core.devices.presence.rules import is_due_to_record
from services.core.people.households.child_key import unwrapped_key
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of
from services.core.platform.inbox.actions import NEXT_WAITING, WAITING_COLUMNS, WaitingItem


@dataclass(frozen=True)
class WireMessage:
    """A message in the terms of the watch protocol; ``sender`` is a contact id.

    ``audio`` is what the watch receives of a recording, None for a text or an emoji, whose ``content`` it is sent.
    """

    kind: str
    sender: str
    sent_at: datetime
    expires_at: datetime
    content: str
    audio: Playable | RenditionMissing | Undeliverable | None


@dataclass(frozen=True)
class ItemForWatch:
    """An item with its message; ``message`` is None for a ``removed`` item.

    ``key`` is the data key of the child; None during the erasure of the child.
    """

    item: WaitingItem
    message: WireMessage | None
    key: bytes | None


# Of two contacts of a guardian who left and came back the watch shows the current one.
_COLUMNS: Final = f"""
{WAITING_COLUMNS}, message.kind, message.sealed_body, coalesce(message.sent_at, message.received_at),
 message.expires_at, child.wrapped_key, child.erased_at IS NOT NULL,
 (SELECT contact.wire_id FROM contact
  WHERE contact.child_id = message.child_id AND contact.guardian_id = message.guardian_id
  ORDER BY contact.removed_at DESC NULLS FIRST LIMIT 1),
 {MADE_FORMS}
"""  # noqa: S608 - constants
_TABLES: Final = """
inbox_item JOIN child ON child.child_id = inbox_item.child_id
 LEFT JOIN message ON message.message_id = inbox_item.message_id LEFT JOIN clip ON clip.clip_id = message.clip_id
"""


@cache
def _statement(first: str, joined: str, conditions: str) -> str:
    of_clip = columns_of((AudioAsset, "clip"))
    return f"SELECT {first} {_COLUMNS}, {of_clip} FROM {_TABLES} {joined} WHERE {conditions}"  # noqa: S608 - constants


async def lock_next_item(work: UnitOfWork, child_id: uuid.UUID, hello: Mapping[str, Any]) -> ItemForWatch | None:
    """Return the item that a watch with this ``hello`` is announced next, locked; None when none waits."""
    statement = _statement("", "", f"{NEXT_WAITING} FOR NO KEY UPDATE OF inbox_item")
    rows = await work.fetch(statement, child_id, work.now)
    return _item(work, tuple(rows[0]), hello) if rows else None


async def lock_item(
    work: UnitOfWork, child_id: uuid.UUID, ref: str, hello: Mapping[str, Any]
) -> ItemForWatch | None:  # fmt: skip
    """Return the child's item with this ``ref``, in any state, locked; None if there is none."""
    statement = _statement(
        "", "", "inbox_item.child_id = $1 AND inbox_item.ref = $2 FOR NO KEY UPDATE OF inbox_item"
    )  # fmt: skip
    rows = await work.fetch(statement, child_id, ref)
    return _item(work, tuple(rows[0]), hello) if rows else None


@dataclass(frozen=True)
class FetchedItem:
    """An item that a watch fetches, read without locks, with the last hello of that watch."""

    found: ItemForWatch
    hello: Mapping[str, Any]


async def find_fetched(work: UnitOfWork, username: str, ref: str) -> FetchedItem | None:
    """Return an item that waits for a watch whose pairing stands, read without locks.

    None also where this message of the watch has to be recorded: it counted as offline, or was not seen for a while.
    """
    statement = _statement(
        "watch_identity.hello, watch_identity.online, watch_presence.last_seen_at,",
        "JOIN watch_identity ON watch_identity.child_id = inbox_item.child_id"
        " JOIN watch_presence ON watch_presence.username = watch_identity.username",
        "watch_identity.username = $1 AND watch_identity.ended_at IS NULL"
        " AND inbox_item.ref = $2 AND inbox_item.state = 'waiting'",
    )
    rows = await work.read(statement, username, ref)
    if not rows:
        return None
    hello, online, last_seen_at, *item = rows[0]
    if not online or is_due_to_record(last_seen_at, work.now):
        return None
    return FetchedItem(_item(work, item, hello), hello)


def _item(work: UnitOfWork, row: Sequence[Any], hello: Mapping[str, Any]) -> ItemForWatch:
    columns = len(WaitingItem._fields)
    item = WaitingItem(*row[:columns])
    kind, sealed_body, sent_at, expires_at, wrapped_key, is_erased, sender, made, *of_clip = row[columns:]
    key = None if is_erased else unwrapped_key(work, item.child_id, wrapped_key)
    if item.message_id is None or kind is None:
        return ItemForWatch(item, None, key)
    [clip] = objects_of(work, of_clip, AudioAsset, refresh=True)
    message = WireMessage(
        kind=kind, sender=sender or "g-0", sent_at=sent_at, expires_at=expires_at,
        # The body of a recording is its digest, which the watch is told by the audio that it receives.
        content="" if clip is not None or key is None else open_body(key, item.message_id, sealed_body),
        audio=None if clip is None else playable_for_watch(clip, made_forms(made), hello),
    )  # fmt: skip
    return ItemForWatch(item, message, key)
