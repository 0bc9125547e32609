"""Expire messages that were not delivered in time, and notify their senders."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.conversation.messages.content import lock_child
from services.core.conversation.messages.rules import RecipientState
from services.core.conversation.messages.states import move_recipient
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.devices.watches.queries import current_identity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox import actions as inbox
from services.core.platform.outbox.actions import notify_watch

_WAITING = (RecipientState.QUEUED, RecipientState.STORED)


async def expire_one_message(work: UnitOfWork) -> bool:
    """Expire the message that is overdue the longest; return whether there was one. Safe to repeat and in parallel.

    The row is found without a lock, then locked in the order of docs/decisions/0006-lock-order.md: pairing and receipts
    lock the child and its inbox before the recipient, so the opposite order deadlocks (observed).
    """
    result = await work.session.exec(
        select(Message, MessageRecipient.recipient_id, MessageRecipient.guardian_id)
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(MessageRecipient.state).in_(_WAITING),
            col(Message.expires_at) <= work.now,
        )
        .order_by(col(Message.expires_at), col(MessageRecipient.recipient_id))
        .limit(1)
    )
    overdue = result.first()
    if overdue is None:
        return False
    message, recipient_id, guardian_id = overdue
    if guardian_id is None:
        await lock_child(work, message.child_id)
    recipient = await _still_waiting(work, message, recipient_id, guardian_id)
    if recipient is None:
        return True
    if guardian_id is None:
        await inbox.drop_message(work, message.child_id, message.message_id)
        identity = await current_identity(work, message.child_id)
        if identity is not None:
            await notify_watch(work, identity.username)
    await move_recipient(work, message, recipient, RecipientState.EXPIRED)
    return True


async def _still_waiting(
    work: UnitOfWork, message: Message, recipient_id: uuid.UUID, guardian_id: uuid.UUID | None
) -> MessageRecipient | None:
    """Return the recipient, locked, unless it expired or was reached after the search."""
    if guardian_id is None:
        await inbox.lock_message(work, message.child_id, message.message_id)
    result = await work.session.exec(
        select(MessageRecipient)
        .where(col(MessageRecipient.recipient_id) == recipient_id, col(MessageRecipient.state).in_(_WAITING))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.first()
