"""Read conversations for guardians, and messages for the watch."""

from __future__ import annotations

import itertools
import operator
import uuid
from collections.abc import Callable, Sequence
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
    FromClause,
    ScalarSelect,
    Uuid,
    and_,
    bindparam,
    exists,
    or_,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from services.core.conversation.audio_assets.storing import open_bars
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.announcing import UNTOLD_OF_WATCH
from services.core.conversation.messages.content import open_body
from services.core.conversation.messages.tables import KeptMessage, Message, MessageRecipient
from services.core.devices.contacts.tables import Contact
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import PreparedRead

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
    """A message's row without what is sealed, in the order of `messages_shown`."""

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
    return _views(work, child, guardian_id, rows)


async def message_of(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, message_id: uuid.UUID) -> MessageView:
    """Return one message of this guardian's conversation with the child; raises NotFoundError."""
    parameters = {"child_id": child.child_id, "guardian_id": guardian_id, "message_id": message_id}
    rows = await _ONE.read(work, parameters)
    if not rows:
        raise NotFoundError
    return _views(work, child, guardian_id, rows)[0]


# How a column of a guardian's id becomes a name; the first column is the child's id.
NameOf = Callable[[Any, Any], ScalarSelect[Any]]
_NEWEST_CONTACT: Final = (
    col(Contact.removed_at).desc().nulls_first(), col(Contact.created_at).desc(), col(Contact.wire_id).desc(),
)  # fmt: skip


# Keeps the planner from joining a whole table, or from reading it for a table of hashes: rows are looked up one by one.
_LOOKED_UP: Final[ColumnElement[Any]] = sqlalchemy.literal_column("0")


def is_with_recipient(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Condition: the message has such a recipient. Else Postgres may read all such recipients of all families."""
    return (
        sqlalchemy.select(sqlalchemy.literal_column("1"))
        .select_from(MessageRecipient)
        .where(col(MessageRecipient.message_id) == col(Message.message_id), condition)
        .correlate(Message)
        .offset(_LOOKED_UP)
        .exists()
    )


def is_of_guardian(guardian_id: uuid.UUID | BindParameter[uuid.UUID]) -> ColumnElement[bool]:
    """Condition: the guardian sent or received the message."""
    received = is_with_recipient(col(MessageRecipient.guardian_id) == guardian_id)
    return or_(col(Message.guardian_id) == guardian_id, received)


def is_kept() -> ColumnElement[bool]:
    """Condition: a current guardian of the family keeps the message; former guardians do not count."""
    return (
        exists()
        .where(
            col(KeptMessage.message_id) == col(Message.message_id),
            col(Child.child_id) == col(Message.child_id),
            col(Membership.family_id) == col(Child.family_id),
            col(Membership.guardian_id) == col(KeptMessage.guardian_id),
            col(Membership.removed_at).is_(None),
        )
        .correlate(Message)
    )


def name_in_contacts(child_id: Any, guardian_id: Any) -> ScalarSelect[Any]:  # noqa: ANN401 - columns
    """Return a guardian's name at a child, as `guardian_names` chooses it; looked up for each row."""
    return (
        sqlalchemy.select(col(Contact.name))
        .where(col(Contact.child_id) == child_id, col(Contact.guardian_id) == guardian_id)
        .order_by(*_NEWEST_CONTACT)
        .limit(1)
        .correlate_except(Contact)
        .scalar_subquery()
    )


def _name_on_page(child_id: BindParameter[uuid.UUID]) -> NameOf:
    """Return how to name the guardians of one child: fifty messages have few, so that their names are read once."""
    names = (
        sqlalchemy.select(col(Contact.guardian_id), col(Contact.name))
        .ext(distinct_on(col(Contact.guardian_id)))
        .where(col(Contact.child_id) == child_id, col(Contact.guardian_id).is_not(None))
        .order_by(col(Contact.guardian_id), *_NEWEST_CONTACT)
        .cte("names")
    )

    def name_of(_child_id: Any, guardian_id: Any) -> ScalarSelect[Any]:  # noqa: ANN401 - columns
        return sqlalchemy.select(names.c.name).where(names.c.guardian_id == guardian_id).scalar_subquery()

    return name_of


def messages_shown() -> Any:  # noqa: ANN401 - the types know ten columns at most
    """Return the messages of a guardian's conversation, each with its clip and whether that is kept, as plain rows."""
    asking: BindParameter[uuid.UUID] = bindparam("guardian_id", type_=Uuid())
    kept = exists().where(
        col(KeptMessage.guardian_id) == asking, col(KeptMessage.message_id) == col(Message.message_id)
    )
    # Only recordings are kept: for other messages Postgres need not look.
    has_clip = col(Message.clip_id).is_not(None)
    return (
        sqlalchemy.select(
            col(Message.message_id), col(Message.seq), col(Message.direction), col(Message.kind),
            col(Message.guardian_id), col(Message.clip_id), col(Message.sent_at), col(Message.received_at),
            col(Message.expires_at), col(Message.sealed_body),
            col(AudioAsset.state), col(AudioAsset.size_bytes), col(AudioAsset.duration_ms), col(AudioAsset.claimed_ms),
            col(AudioAsset.sealed_bars), and_(has_clip, kept).label("kept"),
            and_(has_clip, is_kept()).label("kept_by_anyone"), col(Message.child_id),
        )
        .outerjoin_from(Message, AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
        .where(is_of_guardian(asking))
    )  # fmt: skip


def with_recipients(messages: FromClause, name_of: NameOf = name_in_contacts) -> tuple[Sequence[Any], FromClause]:
    """Return what `message_view` expects of a row, and the recipients of a message for an outer join on true.

    A row for each recipient of each message costs less than another round trip for the recipients. They are looked up
    message by message: of a limit that is a parameter the planner expects a tenth of all messages of a child, for which
    it would read the recipients of all families.
    """
    child_id = messages.c.child_id
    recipient = (
        sqlalchemy.select(
            col(MessageRecipient.guardian_id), col(MessageRecipient.state), col(MessageRecipient.detail),
            col(MessageRecipient.changed_at),
        )
        .where(col(MessageRecipient.message_id) == messages.c.message_id)
        .correlate(messages)
        .offset(_LOOKED_UP)
        .lateral("recipient")
    )  # fmt: skip
    columns = (
        *messages.c, name_of(child_id, messages.c.guardian_id).label("sender_name"),
        recipient.c.guardian_id.label("recipient_id"),
        name_of(child_id, recipient.c.guardian_id).label("recipient_name"),
        recipient.c.state.label("recipient_state"), recipient.c.detail.label("recipient_detail"),
        recipient.c.changed_at.label("recipient_changed_at"),
    )  # fmt: skip
    return columns, recipient


def _of_child(messages: Any) -> Any:  # noqa: ANN401
    """Return messages of the child with their recipients, newest first."""
    child_id: BindParameter[uuid.UUID] = bindparam("child_id", type_=Uuid())
    page = messages.where(col(Message.child_id) == child_id).subquery("page")
    columns, recipient = with_recipients(page, _name_on_page(child_id))
    return sqlalchemy.select(*columns).outerjoin_from(page, recipient, sqlalchemy.true()).order_by(page.c.seq.desc())


def _page() -> Any:  # noqa: ANN401
    before_seq, limit = bindparam("before_seq", type_=BigInteger()), bindparam("limit", type_=BigInteger())
    return messages_shown().where(col(Message.seq) < before_seq).order_by(col(Message.seq).desc()).limit(limit)


def _changed() -> ColumnElement[bool]:
    changed_after = bindparam("changed_after", type_=DateTime(timezone=True))
    moved = is_with_recipient(col(MessageRecipient.changed_at) > changed_after)
    return or_(col(Message.received_at) > changed_after, moved)


# Phones read these often: each is built once, prepared once a connection, and makes no objects of the ORM.
_PAGE = PreparedRead(lambda: _of_child(_page()))
_CHANGED_PAGE = PreparedRead(lambda: _of_child(_page().where(_changed())))
_ONE = PreparedRead(
    lambda: _of_child(messages_shown().where(col(Message.message_id) == bindparam("message_id", type_=Uuid())))
)
_AFTER_ALL = 2**63 - 1


def _views(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, rows: Sequence[asyncpg.Record]) -> list[MessageView]:
    key, name = data_key(work, child), child.name
    return [
        message_view(work, key, name, guardian_id, list(of_message))
        for _, of_message in itertools.groupby(rows, operator.itemgetter(0))
    ]


def message_view(
    work: UnitOfWork, key: bytes, child_name: str, guardian_id: uuid.UUID, rows: Sequence[Any]
) -> MessageView:
    """Return a message of a child with this data key and name as a guardian sees it.

    ``rows``: those of one message, one for each recipient, with the columns of `with_recipients`.
    """
    row = rows[0]
    message = StoredMessage(*row[:9])
    my_state, recipients = None, []
    for of in rows:
        recipient_id, name, state, detail, changed_at = of[19:]
        if state is not None:
            shown = child_name if recipient_id is None else name or ""
            recipients.append(RecipientView(recipient_id, shown, state, detail, changed_at))
        if recipient_id == guardian_id:
            my_state = state
    from_child = message.direction == "to_family"
    return MessageView(
        message, open_body(key, message.message_id, row[9]), child_name if from_child else row[18] or "", recipients,
        my_state, _clip(work, key, message, row[10:17]),
    )  # fmt: skip


def _clip(work: UnitOfWork, key: bytes, message: StoredMessage, columns: Sequence[Any]) -> AudioView | None:
    state, size_bytes, duration_ms, claimed_ms, sealed_bars, kept, kept_by_anyone = columns
    if state is None or message.clip_id is None:
        return None
    ends_at = message.received_at + work.retention.voice
    return AudioView(
        state="pending" if state == "raw" else state,
        bytes=size_bytes,
        duration_ms=claimed_ms if duration_ms is None else duration_ms,
        bars=open_bars(key, message.clip_id, sealed_bars),
        kept=kept,
        expires_at=ends_at,
        kept_until=None if kept_by_anyone else ends_at,
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
