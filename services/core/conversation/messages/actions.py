"""Send messages from guardians, receive messages from watches, and record their state at each recipient."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from services.core.conversation.audio_assets.storing import StoredAudio, add_audio_asset
from services.core.conversation.messages.content import content_mark, lock_child, next_message_seq, seal_body
from services.core.conversation.messages.errors import (
    IdempotencyConflictError,
    InboxFullError,
    NotARecipientError,
)
from services.core.conversation.messages.rules import Body, RecipientState, made_before_receipt
from services.core.conversation.messages.states import move_recipient
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.conversation.messages.voice import prepare_for_watch
from services.core.devices.contacts.queries import recipients_of
from services.core.devices.presence.journeys import record_arrival
from services.core.devices.presence.rules import ArrivedBy
from services.core.devices.watches.queries import current_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child
from services.core.platform.audio.rules import CLIP_MAX_S, Form
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.idempotency.actions import STORED, Answer, known_answer, rejected, remember
from services.core.platform.inbox import actions as inbox
from services.core.platform.inbox.rules import WAITING_MAX_ITEMS
from services.core.platform.outbox.actions import notify_watch, request_rendition


@dataclass(frozen=True)
class WatchMessage:
    """A message from a watch: its id, the contact id or ``family``, the body, the watch's time and its audio."""

    ref: str
    to: str
    body: Body
    fingerprint: str
    happened_at: datetime | None
    clip: StoredAudio | None = None


async def send_to_child(
    work: UnitOfWork,
    child_id: uuid.UUID,
    guardian_id: uuid.UUID,
    client_key: str,
    body: Body,
    clip: StoredAudio | None = None,
    *,
    made_at: datetime | None = None,
) -> Message:
    """Store a guardian's message to the child; after the commit it is never lost. ``clip`` comes with a voice body.

    ``made_at``: when the phone made it, for a message that waited there.

    A retry with the same ``client_key`` and body returns the first message; another body under the same key raises
    IdempotencyConflictError. Raises InboxFullError when 500 items already wait for the watch.
    """
    # This lock is per key: a phone that sends the same request twice at once creates one message.
    await work.run(
        sql_select(func.pg_advisory_xact_lock(func.hashtextextended(f"message/{guardian_id}/{client_key}", 0)))
    )
    known = await find_by_client_key(work, guardian_id, client_key)
    if known is not None:
        await check_same_content(work, known, child_id, body)
        return known
    child = await lock_child(work, child_id)
    await check_inbox_room(work, child_id)
    identity = await current_identity(work, child_id)
    message = await _new_message(work, child, body, clip, ref=new_ref())
    message.direction = "to_child"
    message.guardian_id = guardian_id
    message.client_key = client_key
    message.sent_at = made_before_receipt(made_at, work.now)
    state = RecipientState.QUEUED if identity is None else RecipientState.STORED
    work.add(message, MessageRecipient(message_id=message.message_id, state=state, changed_at=work.now))
    await work.flush()
    await inbox.put_in(work, child_id, kind="message", ref=message.ref, message_id=message.message_id)
    if identity is not None:
        await prepare_for_watch(work, message, identity)
        await notify_watch(work, identity.username)
    await _tell_of_new(work, child, message, guardian_id)
    record_fact(
        work, "message_to_child_stored", watch_id=identity.watch_id if identity else None, child_id=child_id,
        family_id=child.family_id, ref_id=message.message_id, happened_at=message.sent_at, voice_ms=_voice_ms(clip),
    )  # fmt: skip
    return message


async def receive_from_child(work: UnitOfWork, identity: WatchIdentity, sent: WatchMessage) -> Answer:
    """Store a message from a paired watch and return its receipt; after the commit the message is never lost.

    Same id and content: ``duplicate``, or the same rejection. Same id, other content: ``rejected id_conflict``.
    Recipient no longer in the family: ``rejected recipient_removed``.
    """
    answer = await known_answer(work, identity.username, sent.ref, sent.fingerprint)
    if answer is not None:
        return answer
    child = await lock_child(work, identity.child_id)
    recipients = await recipients_of(work, identity.child_id, sent.to)
    if not recipients:
        return await remember(
            work, identity.username, sent.ref, kind=sent.body.kind, fingerprint=sent.fingerprint,
            answer=rejected("recipient_removed"),
        )  # fmt: skip
    message = await _new_message(work, child, sent.body, sent.clip, ref=sent.ref)
    message.direction = "to_family"
    message.username = identity.username
    message.sent_at = sent.happened_at
    work.add(message)
    await work.flush()
    if message.clip_id is not None:
        await request_rendition(work, message.clip_id, Form.PHONE.value)
    for recipient in recipients:
        work.add(
            MessageRecipient(
                message_id=message.message_id, guardian_id=recipient.guardian_id, contact_wire_id=recipient.wire_id,
                state=RecipientState.STORED, changed_at=work.now,
            )
        )  # fmt: skip
        await _tell_of_new(work, child, message, recipient.guardian_id)
    record_fact(
        work, "message_to_family_stored", watch_id=identity.watch_id, child_id=identity.child_id,
        family_id=identity.family_id, ref_id=message.message_id, happened_at=sent.happened_at,
        voice_ms=_voice_ms(sent.clip),
    )  # fmt: skip
    await record_arrival(work, identity, ArrivedBy.MESSAGE)
    return await remember(
        work, identity.username, sent.ref, kind=sent.body.kind, fingerprint=sent.fingerprint, answer=STORED
    )


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


async def check_same_content(work: UnitOfWork, known: Message, child_id: uuid.UUID, body: Body) -> None:
    """Raise IdempotencyConflictError unless child and body are those of the known message."""
    if known.child_id != child_id:
        raise IdempotencyConflictError
    child = await work.session.get_one(Child, child_id)
    # The digest of a message that predates keyed digests is empty: the key alone then identifies the retry.
    if known.fingerprint and known.fingerprint != content_mark(work, child, body):
        raise IdempotencyConflictError


async def check_inbox_room(work: UnitOfWork, child_id: uuid.UUID) -> None:
    """Raise InboxFullError when the child's inbox is full."""
    if await inbox.waiting_count(work, child_id) >= WAITING_MAX_ITEMS:
        raise InboxFullError


async def _new_message(work: UnitOfWork, child: Child, body: Body, stored: StoredAudio | None, *, ref: str) -> Message:
    message_id = uuid.uuid4()
    clip = None if stored is None else await add_audio_asset(work, child, stored)
    return Message(
        clip_id=None if clip is None else clip.clip_id,
        message_id=message_id, child_id=child.child_id, seq=next_message_seq(work, child), direction="",
        kind=body.kind, ref=ref, fingerprint=content_mark(work, child, body),
        sealed_body=seal_body(work, child, message_id, body.content), received_at=work.now,
        expires_at=work.now + work.retention.undelivered,
    )  # fmt: skip


async def _tell_of_new(work: UnitOfWork, child: Child, message: Message, guardian_id: uuid.UUID) -> None:
    await record_event(
        work, child.family_id, "message.created", child_id=child.child_id, ref_id=message.message_id,
        guardian_id=guardian_id, needs_right="message", detail={"direction": message.direction, "kind": message.kind},
    )  # fmt: skip


def _voice_ms(clip: StoredAudio | None) -> int | None:
    """Return the duration of the audio: as decoded, else as the sender stated it; None without audio."""
    if clip is None:
        return None
    claimed = min(clip.claimed_ms or 0, CLIP_MAX_S * 1000)
    return clip.found.duration_ms if clip.found is not None else claimed
