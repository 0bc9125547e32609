"""Read conversations for guardians, and messages for the watch."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_
from sqlmodel import col, select

from services.core.conversation.audio_assets.storing import bars_of
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.content import open_body
from services.core.conversation.messages.tables import KeptMessage, Message, MessageRecipient
from services.core.devices.contacts.queries import guardian_names
from services.core.devices.contacts.tables import Contact
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.tables import InboxItem

PAGE_MAX_MESSAGES = 100


@dataclass(frozen=True)
class RecipientView:
    """State of a message at one recipient; ``guardian_id`` None: the child."""

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


@dataclass(frozen=True)
class MessageView:
    """A message as one guardian sees it."""

    message: Message
    content: str
    sender_name: str
    recipients: Sequence[RecipientView]
    my_state: str | None
    clip: AudioView | None


@dataclass(frozen=True)
class WireMessage:
    """A message in the terms of the watch protocol; ``sender`` is a contact id."""

    kind: str
    content: str
    sender: str
    sent_at: datetime
    expires_at: datetime
    clip_id: uuid.UUID | None


@dataclass(frozen=True)
class UnreadCount:
    """Number of a child's messages that a guardian has not read (all kinds) or not played (voice)."""

    child_id: uuid.UUID
    unread: int
    unplayed: int


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
    statement = (
        select(Message)
        .where(col(Message.child_id) == child.child_id, is_of_guardian(guardian_id))
        .order_by(col(Message.seq).desc())
        .limit(limit)
    )
    if before_seq is not None:
        statement = statement.where(col(Message.seq) < before_seq)
    if changed_after is not None:
        moved = exists().where(
            col(MessageRecipient.message_id) == col(Message.message_id),
            col(MessageRecipient.changed_at) > changed_after,
        )
        statement = statement.where(or_(col(Message.received_at) > changed_after, moved))
    found = (await work.session.exec(statement)).all()
    return await _views(work, child, guardian_id, found)


async def message_of(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, message_id: uuid.UUID) -> MessageView:
    """Return one message of this guardian's conversation with the child; raises NotFoundError."""
    result = await work.session.exec(
        select(Message).where(
            col(Message.child_id) == child.child_id, col(Message.message_id) == message_id, is_of_guardian(guardian_id)
        )
    )
    message = result.first()
    if message is None:
        raise NotFoundError
    return (await _views(work, child, guardian_id, [message]))[0]


def is_of_guardian(guardian_id: uuid.UUID) -> ColumnElement[bool]:
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


async def _views(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, messages: Sequence[Message]
) -> list[MessageView]:
    recipients = await work.session.exec(
        select(MessageRecipient).where(col(MessageRecipient.message_id).in_([m.message_id for m in messages]))
    )
    of_message: dict[uuid.UUID, list[MessageRecipient]] = {}
    for recipient in recipients:
        of_message.setdefault(recipient.message_id, []).append(recipient)
    names = await guardian_names(work, child.child_id)
    clips = await _clips(work, child, guardian_id, messages)
    return [
        MessageView(
            message=message,
            content=open_body(work, child, message),
            sender_name=child.name if message.direction == "to_family" else names.get(message.guardian_id, ""),
            recipients=[
                RecipientView(
                    recipient.guardian_id,
                    child.name if recipient.guardian_id is None else names.get(recipient.guardian_id, ""),
                    recipient.state,
                    recipient.detail,
                    recipient.changed_at,
                )
                for recipient in of_message.get(message.message_id, [])
            ],
            my_state=next(
                (r.state for r in of_message.get(message.message_id, []) if r.guardian_id == guardian_id), None
            ),
            clip=clips.get(message.message_id),
        )
        for message in messages
    ]


async def _clips(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, messages: Sequence[Message]
) -> dict[uuid.UUID, AudioView]:
    of_clip = {message.clip_id: message for message in messages if message.clip_id is not None}
    if not of_clip:
        return {}
    result = await work.session.exec(select(AudioAsset).where(col(AudioAsset.clip_id).in_(of_clip)))
    kept = await work.session.exec(
        select(KeptMessage.message_id).where(
            col(KeptMessage.guardian_id) == guardian_id,
            col(KeptMessage.message_id).in_([message.message_id for message in of_clip.values()]),
        )
    )
    kept_ids = set(kept.all())
    of_anyone = await work.session.exec(
        select(Message.message_id).where(
            col(Message.message_id).in_([message.message_id for message in of_clip.values()]), is_kept()
        )
    )
    kept_by_anyone = set(of_anyone.all())
    ends_at = {message.message_id: message.received_at + work.retention.voice for message in of_clip.values()}
    return {
        of_clip[clip.clip_id].message_id: AudioView(
            state="pending" if clip.state == "raw" else clip.state,
            bytes=clip.size_bytes,
            duration_ms=clip.claimed_ms if clip.duration_ms is None else clip.duration_ms,
            bars=bars_of(work, child, clip),
            kept=of_clip[clip.clip_id].message_id in kept_ids,
            expires_at=ends_at[of_clip[clip.clip_id].message_id],
            kept_until=None
            if of_clip[clip.clip_id].message_id in kept_by_anyone
            else ends_at[of_clip[clip.clip_id].message_id],
        )
        for clip in result.all()
    }


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


async def unread_counts(work: UnitOfWork, guardian_id: uuid.UUID, child_ids: Sequence[uuid.UUID]) -> list[UnreadCount]:
    """Return this guardian's unread and unplayed counts for each child, in the order of ``child_ids``."""
    result = await work.session.exec(
        select(
            Message.child_id,
            func.count(),
            func.count().filter(col(Message.kind) == "voice"),
        )
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(Message.child_id).in_(child_ids),
            col(MessageRecipient.guardian_id) == guardian_id,
            col(MessageRecipient.state).in_(["stored", "delivered"]),
        )
        .group_by(col(Message.child_id))
    )
    counts = {child_id: (int(unread), int(unplayed)) for child_id, unread, unplayed in result}
    return [UnreadCount(child_id, *counts.get(child_id, (0, 0))) for child_id in child_ids]


async def wire_message(work: UnitOfWork, item: InboxItem) -> WireMessage:
    """Return the decrypted message of an inbox item, with its sender as a contact of the watch."""
    result = await work.session.exec(
        select(Message, Child, Contact.wire_id)
        .join(Child, col(Child.child_id) == col(Message.child_id))
        .outerjoin(
            Contact,
            (col(Contact.child_id) == col(Message.child_id)) & (col(Contact.guardian_id) == col(Message.guardian_id)),
        )
        .where(col(Message.message_id) == item.message_id)
        # A guardian who left and rejoined has two contacts; the watch shows the current one.
        .order_by(col(Contact.removed_at).desc().nulls_first())
        .limit(1)
    )
    message, child, sender = result.one()
    return WireMessage(
        kind=message.kind, content=open_body(work, child, message), sender=sender or "g-0",
        sent_at=message.sent_at or message.received_at, expires_at=message.expires_at, clip_id=message.clip_id,
    )  # fmt: skip


async def claim_state_notices(work: UnitOfWork, identity: WatchIdentity, limit: int = 50) -> list[StateNotice]:
    """Return states of the child's own messages not announced since the last hello, and mark them as announced."""
    result = await work.session.exec(
        select(Message, MessageRecipient)
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(Message.username) == identity.username,
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
