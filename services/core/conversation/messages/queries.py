"""Read conversations for guardians, and messages for the watch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import sqlalchemy
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Uuid,
    bindparam,
    exists,
    or_,
)  # fmt: skip
from sqlmodel import col, select

from services.core.conversation.audio_assets.storing import open_bars
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.announcing import UNTOLD_OF_WATCH
from services.core.conversation.messages.content import open_body
from services.core.conversation.messages.tables import KeptMessage, Message, MessageRecipient
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import PreparedRead, any_array, any_of

PAGE_MAX_MESSAGES = 100


class RecipientView(NamedTuple):
    """State of a message at one recipient; ``guardian_id`` None: the child.

    A page has 150 of this and the next two: tuples, which are made five times as fast as frozen dataclasses.
    """

    guardian_id: uuid.UUID | None
    name: str
    state: str
    detail: str | None
    changed_at: datetime


@dataclass(frozen=True)
class AudioView:
    """Audio of a voice message: ``state`` pending, ready, unplayable or gone; 44 bars when ready."""

    state: str
    bytes: int
    duration_ms: int | None
    bars: Sequence[int] | None
    kept: bool
    expires_at: datetime
    # None: a guardian of the family keeps it.
    kept_until: datetime | None


class StoredMessage(NamedTuple):
    """A message's row without what is sealed, in the order of `_messages`."""

    message_id: uuid.UUID
    seq: int
    direction: str
    kind: str
    guardian_id: uuid.UUID | None
    clip_id: uuid.UUID | None
    sent_at: datetime | None
    received_at: datetime
    expires_at: datetime


class MessageView(NamedTuple):
    """A message as one guardian sees it."""

    message: StoredMessage
    content: str
    sender_name: str
    recipients: Sequence[RecipientView]
    my_state: str | None
    clip: AudioView | None

    @property
    def message_id(self) -> uuid.UUID:
        """The message's id."""
        return self.message.message_id


@dataclass(frozen=True)
class StateNotice:
    """A state of the child's own message ``ref`` that the watch has not shown yet."""

    ref: str
    by: str
    state: str
    detail: str | None
    changed_at: datetime


async def conversation(
    work: UnitOfWork,
    child: Child,
    guardian_id: uuid.UUID,
    *,
    before_seq: int | None = None,
    changed_after: datetime | None = None,
    limit: int = 50,
) -> list[MessageView]:
    """Return this guardian's messages with the child, newest first, at most ``limit`` before ``before_seq``.

    ``changed_after``: only messages that are newer, or whose state at a recipient changed later.
    The caller bounds ``limit``: to detect a next page it requests one row more than it returns.

    A guardian reads messages that it sent or received, not those between the child and another guardian.
    """
    parameters = {
        "child_id": child.child_id, "guardian_id": guardian_id, "limit": limit,
        "before_seq": _AFTER_ALL if before_seq is None else before_seq,
    }  # fmt: skip
    if changed_after is None:
        rows = await _PAGE.read(work, parameters)
    else:
        rows = await _CHANGED_PAGE.read(work, parameters | {"changed_after": changed_after})
    return await _views(work, {child.child_id: child}, guardian_id, rows)


async def message_of(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, message_id: uuid.UUID) -> MessageView:
    """Return one message of this guardian's conversation with the child; raises NotFoundError."""
    parameters = {"child_id": child.child_id, "guardian_id": guardian_id, "message_id": message_id}
    rows = await _ONE.read(work, parameters)
    if not rows:
        raise NotFoundError
    return (await _views(work, {child.child_id: child}, guardian_id, rows))[0]


async def messages_by_id(
    work: UnitOfWork, children: Mapping[uuid.UUID, Child], guardian_id: uuid.UUID, message_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, MessageView]:
    """Return these messages of this guardian's conversations with ``children`` by id; others are left out."""
    if not message_ids:
        return {}
    parameters = {"child_ids": list(children), "guardian_id": guardian_id, "message_ids": list(message_ids)}
    views = await _views(work, children, guardian_id, await _SOME.read(work, parameters))
    return {view.message.message_id: view for view in views}


def is_of_guardian(guardian_id: uuid.UUID | BindParameter[uuid.UUID]) -> ColumnElement[bool]:
    """Condition: the guardian sent or received the message."""
    received = exists().where(
        col(MessageRecipient.message_id) == col(Message.message_id), col(MessageRecipient.guardian_id) == guardian_id
    )
    return or_(col(Message.guardian_id) == guardian_id, received)


def is_kept() -> ColumnElement[bool]:
    """Condition: a current guardian of the family keeps the message; former guardians do not count."""
    return exists().where(
        col(KeptMessage.message_id) == col(Message.message_id),
        col(Child.child_id) == col(Message.child_id),
        col(Membership.family_id) == col(Child.family_id),
        col(Membership.guardian_id) == col(KeptMessage.guardian_id),
        col(Membership.removed_at).is_(None),
    )


def _messages() -> Any:  # noqa: ANN401 - the types know ten columns at most
    """Return the messages of a guardian's conversation, each with its clip and whether that is kept, as plain rows."""
    asking: BindParameter[uuid.UUID] = bindparam("guardian_id", type_=Uuid())
    kept = exists().where(
        col(KeptMessage.guardian_id) == asking, col(KeptMessage.message_id) == col(Message.message_id)
    )
    return (
        sqlalchemy.select(
            col(Message.message_id), col(Message.seq), col(Message.direction), col(Message.kind),
            col(Message.guardian_id), col(Message.clip_id), col(Message.sent_at), col(Message.received_at),
            col(Message.expires_at), col(Message.sealed_body),
            col(AudioAsset.state), col(AudioAsset.size_bytes), col(AudioAsset.duration_ms), col(AudioAsset.claimed_ms),
            col(AudioAsset.sealed_bars), kept.label("kept"), is_kept().label("kept_by_anyone"),
            col(Message.child_id),
        )
        .outerjoin_from(Message, AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
        .where(is_of_guardian(asking))
    )  # fmt: skip


def _of_child() -> ColumnElement[bool]:
    return col(Message.child_id) == bindparam("child_id", type_=Uuid())


def _some() -> Any:  # noqa: ANN401
    return _messages().where(
        col(Message.child_id) == any_of("child_ids", Uuid()), col(Message.message_id) == any_of("message_ids", Uuid())
    )


def _pages() -> Any:  # noqa: ANN401
    before_seq, limit = bindparam("before_seq", type_=BigInteger()), bindparam("limit", type_=BigInteger())
    return _messages().where(_of_child(), col(Message.seq) < before_seq).order_by(col(Message.seq).desc()).limit(limit)


def _changed() -> ColumnElement[bool]:
    changed_after = bindparam("changed_after", type_=DateTime(timezone=True))
    moved = exists().where(
        col(MessageRecipient.message_id) == col(Message.message_id),
        col(MessageRecipient.changed_at) > changed_after,
    )
    return or_(col(Message.received_at) > changed_after, moved)


# Phones read these often: each is built once, prepared once a connection, and makes no objects of the ORM.
_PAGE = PreparedRead(_pages)
_CHANGED_PAGE = PreparedRead(lambda: _pages().where(_changed()))
_ONE = PreparedRead(
    lambda: _messages().where(_of_child(), col(Message.message_id) == bindparam("message_id", type_=Uuid()))
)
_SOME = PreparedRead(_some)
_AFTER_ALL = 2**63 - 1

# The states of messages, then the names of guardians as `guardian_names` chooses them: one round trip for both.
_RECIPIENTS_AND_NAMES: Final = f"""
    SELECT message_id, NULL AS child_id, guardian_id, state, detail, changed_at, NULL AS name
    FROM message_recipient WHERE message_id = {any_array(1, "uuid")}
    UNION ALL (
        SELECT DISTINCT ON (child_id, guardian_id) NULL, child_id, guardian_id, NULL, NULL, NULL, name
        FROM contact WHERE child_id = {any_array(2, "uuid")} AND guardian_id IS NOT NULL
        ORDER BY child_id, guardian_id, removed_at DESC NULLS FIRST, created_at DESC, wire_id DESC
    )
"""  # noqa: S608 - parts of our own


async def _views(
    work: UnitOfWork, children: Mapping[uuid.UUID, Child], guardian_id: uuid.UUID, rows: Sequence[asyncpg.Record]
) -> list[MessageView]:
    of_message: dict[uuid.UUID, list[asyncpg.Record]] = {}
    names: dict[tuple[uuid.UUID, uuid.UUID | None], str] = {}
    message_ids = [row["message_id"] for row in rows]
    for recipient in await work.read(_RECIPIENTS_AND_NAMES, message_ids, list(children)):
        if recipient["message_id"] is None:
            names[recipient["child_id"], recipient["guardian_id"]] = recipient["name"]
        else:
            of_message.setdefault(recipient["message_id"], []).append(recipient)
    keys = {child_id: data_key(work, child) for child_id, child in children.items()}
    views = []
    for row in rows:
        child_id = row["child_id"]
        child, key, recipients = children[child_id], keys[child_id], of_message.get(row["message_id"], [])
        views.append(
            MessageView(
                message=StoredMessage(*_stored(row)),
                content=open_body(key, row["message_id"], row["sealed_body"]),
                sender_name=child.name
                if row["direction"] == "to_family"
                else names.get((child_id, row["guardian_id"]), ""),
                recipients=[
                    RecipientView(
                        recipient["guardian_id"],
                        child.name
                        if recipient["guardian_id"] is None
                        else names.get((child_id, recipient["guardian_id"]), ""),
                        recipient["state"],
                        recipient["detail"],
                        recipient["changed_at"],
                    )
                    for recipient in recipients
                ],
                my_state=next((r["state"] for r in recipients if r["guardian_id"] == guardian_id), None),
                clip=None if row["state"] is None else _clip(work, key, row),
            )
        )
    return views


def _stored(row: asyncpg.Record) -> Sequence[Any]:
    return row[:9]


def _clip(work: UnitOfWork, key: bytes, row: asyncpg.Record) -> AudioView:
    ends_at = row["received_at"] + work.retention.voice
    return AudioView(
        state="pending" if row["state"] == "raw" else row["state"],
        bytes=row["size_bytes"],
        duration_ms=row["claimed_ms"] if row["duration_ms"] is None else row["duration_ms"],
        bars=open_bars(key, row["clip_id"], row["sealed_bars"]),
        kept=row["kept"],
        expires_at=ends_at,
        kept_until=None if row["kept_by_anyone"] else ends_at,
    )


async def audio_asset_of(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, message_id: uuid.UUID) -> AudioAsset:
    """Return the audio asset of a voice message of this guardian's conversation; raises NotFoundError otherwise."""
    result = await work.session.exec(
        select(AudioAsset)
        .join(Message, col(Message.clip_id) == col(AudioAsset.clip_id))
        .where(
            col(Message.child_id) == child.child_id, col(Message.message_id) == message_id, is_of_guardian(guardian_id)
        )
    )
    clip = result.first()
    if clip is None:
        raise NotFoundError
    return clip


async def claim_state_notices(work: UnitOfWork, identity: WatchIdentity, limit: int = 50) -> list[StateNotice]:
    """Return states of the child's own messages not announced since the last hello, and mark them as announced."""
    untold = await work.fetch(UNTOLD_OF_WATCH, identity.username)
    if not untold:
        return []
    result = await work.session.exec(
        select(Message, MessageRecipient)
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(MessageRecipient.recipient_id).in_([recipient_id for (recipient_id,) in untold]),
            # Again, because a row may have changed until it is locked.
            col(MessageRecipient.state).in_(["delivered", "played", "expired", "rejected"]),
            col(MessageRecipient.seen_state).is_distinct_from(col(MessageRecipient.state)),
            col(MessageRecipient.told_state).is_distinct_from(col(MessageRecipient.state)),
        )
        .order_by(col(Message.seq))
        .limit(limit)
        .with_for_update(of=MessageRecipient, key_share=True)
    )
    notices = []
    for message, recipient in result:
        recipient.told_state = recipient.state
        recipient.told_at = work.now
        work.add(recipient)
        notices.append(
            StateNotice(
                ref=message.ref, by=recipient.contact_wire_id or "g-0", state=recipient.state,
                detail=recipient.detail, changed_at=recipient.changed_at,
            )
        )  # fmt: skip
    return notices
