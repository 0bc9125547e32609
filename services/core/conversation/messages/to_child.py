"""Statements of a guardian's message to the child: lock its conversation, read it, store all rows of the message."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from services.core.conversation.audio_assets.storing import EXAMINED_ASSET
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child
from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import NamedStatement, columns_of, objects_of
from services.core.platform.inbox.actions import MESSAGE_ITEM

DIRECTION: Final = "to_child"


@dataclass(frozen=True)
class KnownMessage:
    """The message that this guardian sent before under the same client key."""

    message_id: uuid.UUID
    child_id: uuid.UUID
    # Empty for a message that predates keyed digests.
    fingerprint: str


@dataclass(frozen=True)
class WornWatch:
    """The watch that is paired with the child; ``hello`` is the content of its last hello."""

    username: str
    watch_id: uuid.UUID
    hello: Mapping[str, Any]


@dataclass(frozen=True)
class Conversation:
    """The state of a child's conversation that decides about a new message."""

    child: Child
    known: KnownMessage | None
    # Items that wait for the watch.
    waiting_items: int
    watch: WornWatch | None
    # The guardian's name on the watch; empty without a contact.
    sender_name: str


# The advisory lock is per key: a phone that sends the same request twice at once creates one message. The child's lock
# is that of `content.lock_child`. What they protect is read by the next statement, whose snapshot begins after both.
_LOCK: Final = """
WITH key AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended($2, 0)))
SELECT FROM key, child WHERE child.child_id = $1 FOR NO KEY UPDATE OF child
"""


async def lock_conversation(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID, client_key: str) -> None:
    """Let no other transaction write to this conversation, or use this client key, until the commit."""
    await work.fetch(_LOCK, child_id, f"message/{guardian_id}/{client_key}")


@cache
def _conversation() -> str:
    # Of the names of a guardian who left and came back the current one is chosen, as `queries` does.
    return f"""
        SELECT {columns_of((Child, "k"))},
               known.message_id, known.child_id, known.fingerprint,
               identity.username, identity.watch_id, identity.hello,
               (SELECT count(*) FROM inbox_item i WHERE i.child_id = $1 AND i.state = 'waiting'),
               (SELECT c.name FROM contact c WHERE c.child_id = $1 AND c.guardian_id = $2
                ORDER BY c.removed_at DESC NULLS FIRST, c.created_at DESC, c.wire_id DESC LIMIT 1)
        FROM child k
        LEFT JOIN message known ON known.guardian_id = $2 AND known.client_key = $3
        LEFT JOIN watch_identity identity ON identity.child_id = $1 AND identity.ended_at IS NULL
        WHERE k.child_id = $1
    """  # noqa: S608 - names of our own columns


async def read_conversation(
    work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID, client_key: str
) -> Conversation:
    """Return the state of the conversation; raises NotFoundError without a child, and during its erasure.

    It stands until the commit if :func:`lock_conversation` came before.
    """
    rows = await work.read(_conversation(), child_id, guardian_id, client_key)
    if not rows:
        raise NotFoundError
    row = tuple(rows[0])
    [child] = objects_of(work, row, Child, refresh=True)
    if child.erased_at is not None:
        raise NotFoundError
    message_id, known_child_id, fingerprint, username, watch_id, hello, waiting_items, sender_name = row[-8:]
    return Conversation(
        child=child,
        known=None if message_id is None else KnownMessage(message_id, known_child_id, fingerprint),
        waiting_items=waiting_items,
        watch=None if username is None else WornWatch(username, watch_id, hello or {}),
        sender_name=sender_name or "",
    )


@dataclass(frozen=True)
class NewMessage:
    """The row of a message to the child, before it has a number."""

    message_id: uuid.UUID
    child_id: uuid.UUID
    guardian_id: uuid.UUID
    client_key: str
    kind: str
    # Its name on the wire.
    ref: str
    fingerprint: str
    sealed_body: bytes
    # Of a voice message.
    clip_id: uuid.UUID | None
    sent_at: datetime | None
    received_at: datetime
    expires_at: datetime
    # Of the child as the recipient.
    state: str


def _store(asset: str, condition: str) -> NamedStatement:
    return NamedStatement(f"""
        WITH {asset} numbered AS (
         UPDATE child SET message_seq = message_seq + 1, inbox_seq = inbox_seq + 1
         WHERE child_id = :child_id {condition}
         RETURNING message_seq, inbox_seq),
        stored AS (
         INSERT INTO message (message_id, child_id, seq, direction, kind, guardian_id, client_key, ref, fingerprint,
          sealed_body, clip_id, sent_at, received_at, expires_at)
         SELECT :message_id, :child_id, message_seq, :direction, :kind, :guardian_id::uuid, :client_key, :ref,
          :fingerprint, :sealed_body::bytea, :clip_id::uuid, :sent_at::timestamptz, :now, :expires_at::timestamptz
         FROM numbered),
        recipient AS (
         INSERT INTO message_recipient (recipient_id, message_id, state, changed_at)
         SELECT :recipient_id::uuid, :message_id, :state, :now FROM numbered),
        {MESSAGE_ITEM}
        SELECT message_seq FROM numbered
    """)  # noqa: S608 - parts of our own


_STORE: Final = _store("", "")
_STORE_WITH_ASSET: Final = _store(f"{EXAMINED_ASSET},", "AND EXISTS (SELECT FROM asset)")


async def store_message(work: UnitOfWork, message: NewMessage, asset: Mapping[str, object] | None = None) -> int:
    """Store a message with its number, its state at the child and its item of the inbox; return the number.

    ``asset``: the values of `storing.examined_asset` of a recording. Raises BlobGoneError when a sweep has claimed its
    bytes. The caller holds the conversation locked.
    """
    values = {
        **vars(message), "now": message.received_at, "recipient_id": uuid.uuid4(),
        "direction": DIRECTION, "inbox_item_id": uuid.uuid4(), **(asset or {}),
    }  # fmt: skip
    stored = await (_STORE if asset is None else _STORE_WITH_ASSET).fetch(work, values)
    if not stored:
        raise BlobGoneError
    seq: int = stored[0][0]
    return seq
