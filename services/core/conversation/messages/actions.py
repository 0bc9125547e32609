"""Send messages from guardians, receive messages from watches, and record their state at each recipient."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select

from services.core.conversation.audio_assets.playable import first_rendition_for_watch
from services.core.conversation.audio_assets.rules import AssetFacts
from services.core.conversation.audio_assets.storing import ExaminedAudio, StoredAudio, examined_asset
from services.core.conversation.messages.content import content_mark, seal_body
from services.core.conversation.messages.errors import (
    IdempotencyConflictError,
    InboxFullError,
    NotARecipientError,
)
from services.core.conversation.messages.queries import (
    AudioView,
    MessageView,
    RecipientView,
    StoredMessage,
    message_of,
)
from services.core.conversation.messages.rules import Body, RecipientState, made_before_receipt
from services.core.conversation.messages.states import move_recipient
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.conversation.messages.to_child import (
    DIRECTION,
    Conversation,
    NewMessage,
    WornWatch,
    lock_conversation,
    read_conversation,
    store_message,
)
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.platform.audio.rules import CLIP_MAX_S
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
from services.core.platform.events.actions import RECORDED, check_recorded, events_for_each
from services.core.platform.facts.actions import PastFact, measured_facts
from services.core.platform.inbox.rules import WAITING_MAX_ITEMS
from services.core.platform.outbox.actions import Effect, rendition_request, watch_notice


async def send_to_child(
    work: UnitOfWork,
    child_id: uuid.UUID,
    guardian_id: uuid.UUID,
    client_key: str,
    body: Body,
    clip: ExaminedAudio | None = None,
    *,
    made_at: datetime | None = None,
) -> MessageView:
    """Store a guardian's message to the child; after the commit it is never lost. ``clip`` comes with a voice body.

    ``made_at``: when the phone made it, for a message that waited there.

    A retry with the same ``client_key`` and body returns the first message; another body under the same key raises
    IdempotencyConflictError. Raises InboxFullError when 500 items already wait for the watch, NotFoundError without a
    child.
    """
    await lock_conversation(work, child_id, guardian_id, client_key)
    conversation = await read_conversation(work, child_id, guardian_id, client_key)
    child, watch = conversation.child, conversation.watch
    known_id = check_admission(work, conversation, body)
    if known_id is not None:
        return await message_of(work, child, guardian_id, known_id)
    key, message_id = data_key(work, child), uuid.uuid4()
    clip_id = None if clip is None else uuid.uuid4()
    asset = None if clip is None or clip_id is None else examined_asset(key, clip_id, clip)
    message = NewMessage(
        message_id, child_id, guardian_id, client_key, kind=body.kind, ref=new_ref(),
        fingerprint=content_mark(key, body), sealed_body=seal_body(key, message_id, body.content), clip_id=clip_id,
        sent_at=made_before_receipt(made_at, work.now), received_at=work.now,
        expires_at=work.now + work.retention.undelivered,
        state=RecipientState.QUEUED if watch is None else RecipientState.STORED,
    )  # fmt: skip
    seq = await store_message(work, message, asset)
    stored = PastFact(
        "message_to_child_stored", work.now, watch_id=None if watch is None else watch.watch_id, child_id=child_id,
        family_id=child.family_id, ref_id=message_id, happened_at=message.sent_at,
        voice_ms=None if clip is None else clip.examined.duration_ms,
    )  # fmt: skip
    await tell_of_new(
        work, child.family_id, stored, [guardian_id], direction=DIRECTION, kind=body.kind,
        effects=[] if watch is None else _effects(watch, clip_id, clip),
    )  # fmt: skip
    return _new_view(work, conversation, message, seq, body, clip)


def check_admission(work: UnitOfWork, conversation: Conversation, body: Body) -> uuid.UUID | None:
    """Return the id of the message that an earlier try of this request created, or None for a new message.

    Raises IdempotencyConflictError when that message had another child or body, InboxFullError for a new message
    when the child's inbox is full.
    """
    known = conversation.known
    if known is None:
        if conversation.waiting_items >= WAITING_MAX_ITEMS:
            raise InboxFullError
        return None
    if known.child_id != conversation.child.child_id:
        raise IdempotencyConflictError
    # The digest of a message that predates keyed digests is empty: the key alone then identifies the retry.
    if known.fingerprint and known.fingerprint != content_mark(data_key(work, conversation.child), body):
        raise IdempotencyConflictError
    return known.message_id


def _effects(watch: WornWatch, clip_id: uuid.UUID | None, clip: ExaminedAudio | None) -> list[Effect]:
    """Return the outbox rows of a new message: the notice for the watch, and the rendition that it will fetch."""
    effects = [watch_notice(watch.username)]
    if clip_id is not None and clip is not None:
        examined = clip.examined
        facts = AssetFacts(examined.media, examined.channels, clip.size_bytes, examined.duration_ms)
        wanted = first_rendition_for_watch(clip_id, facts, watch.hello)
        if wanted is not None:
            effects.append(rendition_request(wanted.clip_id, wanted.form.value, wanted.max_bytes))
    return effects


def _new_view(
    work: UnitOfWork, conversation: Conversation, message: NewMessage, seq: int, body: Body, clip: ExaminedAudio | None,
) -> MessageView:  # fmt: skip
    """Return the new message as its sender sees it, as `queries.message_of` would read it."""
    ends_at = work.now + work.retention.voice
    return MessageView(
        message=StoredMessage(
            message.message_id, seq, DIRECTION, message.kind, message.guardian_id, message.clip_id, message.sent_at,
            message.received_at, message.expires_at,
        ),
        content=body.content,
        sender_name=conversation.sender_name,
        recipients=[RecipientView(None, conversation.child.name, message.state, None, work.now)],
        my_state=None,
        clip=None if clip is None else AudioView(
            state="ready", bytes=clip.size_bytes, duration_ms=clip.examined.duration_ms, bars=clip.examined.bars,
            kept=False, expires_at=ends_at, kept_until=ends_at,
        ),
    )  # fmt: skip


async def mark_by_guardian(
    work: UnitOfWork, child_id: uuid.UUID, message_id: uuid.UUID, guardian_id: uuid.UUID, state: RecipientState
) -> None:
    """Record that a guardian's phone received a message (``delivered``), or that it was heard or read (``played``).

    The same state again, or an earlier one, changes nothing. Raises NotFoundError, NotARecipientError.
    """
    result = await work.session.exec(
        select(Message, MessageRecipient)
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(Message.child_id) == child_id,
            col(Message.message_id) == message_id,
            col(MessageRecipient.guardian_id) == guardian_id,
        )
        .with_for_update(of=MessageRecipient, key_share=True)
    )
    both = result.first()
    if both is None:
        own = await work.session.exec(
            select(Message.message_id).where(
                col(Message.child_id) == child_id,
                col(Message.message_id) == message_id,
                col(Message.guardian_id) == guardian_id,
            )
        )
        raise NotFoundError if own.first() is None else NotARecipientError
    await move_recipient(work, both[0], both[1], state)


async def release_queued(work: UnitOfWork, child_id: uuid.UUID) -> None:
    """Move messages queued for the child to ``stored``, because a watch is now paired."""
    await _move_waiting(work, child_id, RecipientState.QUEUED, RecipientState.STORED)


async def queue_again(work: UnitOfWork, child_id: uuid.UUID) -> None:
    """Move undelivered messages back to ``queued``: the child has no paired watch, and the next watch gets them."""
    await _move_waiting(work, child_id, RecipientState.STORED, RecipientState.QUEUED)


async def _move_waiting(work: UnitOfWork, child_id: uuid.UUID, old: RecipientState, new: RecipientState) -> None:
    to_child = select(Message.message_id).where(col(Message.child_id) == child_id)
    await work.run(
        update(MessageRecipient)
        .where(
            col(MessageRecipient.message_id).in_(to_child),
            col(MessageRecipient.guardian_id).is_(None),
            col(MessageRecipient.state) == old,
        )
        .values(state=new, changed_at=work.now)
    )


async def find_by_client_key(work: UnitOfWork, guardian_id: uuid.UUID, client_key: str) -> Message | None:
    """Return the message that this guardian sent under this key, or None."""
    result = await work.session.exec(
        select(Message).where(col(Message.guardian_id) == guardian_id, col(Message.client_key) == client_key)
    )
    return result.first()


async def tell_of_new(
    work: UnitOfWork, family_id: uuid.UUID, fact: PastFact, guardian_ids: Sequence[uuid.UUID], *, direction: str,
    kind: str, effects: Sequence[Effect] = (),
) -> None:  # fmt: skip
    """Record what :func:`events_of_new` returns."""
    events = events_of_new(work, family_id, fact, guardian_ids, direction=direction, kind=kind, effects=effects)
    check_recorded(await write_together(work, *events, result=RECORDED), len(guardian_ids))


def events_of_new(
    work: UnitOfWork, family_id: uuid.UUID, fact: PastFact, guardian_ids: Sequence[uuid.UUID], *, direction: str,
    kind: str, effects: Sequence[Effect] = (),
) -> list[Write]:  # fmt: skip
    """Return the event of a new message for each of these guardians, and with it its fact and rows of the outbox.

    ``fact`` names the child and the message.
    """
    event = events_for_each(
        work, family_id, "message.created", guardian_ids, child_id=fact.child_id, ref_id=fact.ref_id,
        needs_right="message", detail={"direction": direction, "kind": kind}, effects=effects,
    )  # fmt: skip
    return [event, measured_facts([fact])]


def voice_ms(clip: StoredAudio | None) -> int | None:
    """Return the duration of a recording as its sender stated it; None without audio."""
    return None if clip is None else min(clip.claimed_ms or 0, CLIP_MAX_S * 1000)
