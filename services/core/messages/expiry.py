"""Messages that could not be delivered in time expire, and their senders are told."""

from __future__ import annotations

from sqlmodel import col, select

from services.core.db.database import UnitOfWork
from services.core.inbox import actions as inbox
from services.core.messages.content import lock_child
from services.core.messages.rules import RecipientState
from services.core.messages.states import move_recipient
from services.core.messages.tables import Message, MessageRecipient
from services.core.outbox.actions import tell_watch
from services.core.watches.queries import current_identity


async def expire_one(work: UnitOfWork) -> bool:
    """Expire the message that is overdue the longest; return whether there was one. Safe to run twice, and by many."""
    found = await work.session.exec(
        select(Message, MessageRecipient)
        .join(MessageRecipient, col(MessageRecipient.message_id) == col(Message.message_id))
        .where(
            col(MessageRecipient.state).in_([RecipientState.QUEUED, RecipientState.STORED]),
            col(Message.expires_at) <= work.now,
        )
        .order_by(col(Message.expires_at))
        .limit(1)
        .with_for_update(of=MessageRecipient, key_share=True, skip_locked=True)
    )
    both = found.first()
    if both is None:
        return False
    message, recipient = both
    if recipient.guardian_id is None:
        await lock_child(work, message.child_id)
        await inbox.drop_message(work, message.child_id, message.message_id)
        identity = await current_identity(work, message.child_id)
        if identity is not None:
            await tell_watch(work, identity.username)
    await move_recipient(work, message, recipient, RecipientState.EXPIRED)
    return True
