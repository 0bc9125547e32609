"""Record receipts from watches: for items of the inbox, and for states of the child's own messages."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import col, select

from services.core.conversation.messages.announcing import FORGET_UNCONFIRMED
from services.core.conversation.messages.rules import RecipientState
from services.core.conversation.messages.states import move_recipient
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import STORED, Answer, rejected
from services.core.platform.inbox import actions as inbox
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.outbox.actions import notify_watch


async def record_receipt(
    work: UnitOfWork, identity: WatchIdentity, ref: str, state: str, detail: str | None = None
) -> Answer:
    """Record the watch's receipt for an item: delivered, played, later or rejected; the same receipt changes nothing.

    Every receipt but ``later`` removes the item from the inbox and announces the next one.
    """
    item = await inbox.find_item(work, identity.child_id, ref)
    if item is None:
        return rejected("unknown_ref")
    if state == "later":
        inbox.defer(work, item)
        return STORED
    if state not in {"delivered", "played", "rejected"}:
        return rejected("malformed")
    was_waiting = item.state == "waiting"
    inbox.settle(work, item, "rejected" if state == "rejected" else "delivered")
    await _move_message(work, item, state, detail)
    if was_waiting:
        await notify_watch(work, identity.username)
    return STORED


async def _move_message(work: UnitOfWork, item: InboxItem, state: str, detail: str | None) -> None:
    if item.message_id is None:
        return
    message = await work.session.get_one(Message, item.message_id)
    result = await work.session.exec(
        select(MessageRecipient)
        .where(col(MessageRecipient.message_id) == item.message_id, col(MessageRecipient.guardian_id).is_(None))
        .with_for_update(key_share=True)
    )
    await move_recipient(work, message, result.one(), RecipientState(state), detail)


async def record_shown(work: UnitOfWork, identity: WatchIdentity, ref: str, state: str) -> Answer:
    """Record that the watch showed ``state`` of the child's own message ``ref``; it is not announced again."""
    result = await work.session.exec(
        select(MessageRecipient)
        .join(Message, col(Message.message_id) == col(MessageRecipient.message_id))
        .where(col(Message.username) == identity.username, col(Message.ref) == ref)
        .with_for_update(of=MessageRecipient, key_share=True)
    )
    recipients = result.all()
    if not recipients:
        return rejected("unknown_ref")
    for recipient in recipients:
        if recipient.state == state:
            recipient.seen_state = state
            work.add(recipient)
    return STORED


async def resend_states(work: UnitOfWork, usernames: Collection[str]) -> None:
    """Mark unconfirmed states of these watches' messages for a new announcement, because they reconnected."""
    await work.fetch(FORGET_UNCONFIRMED, list(usernames))


async def reject_item(work: UnitOfWork, item: InboxItem, detail: str) -> None:
    """Reject an item that this watch can never receive; the sender is notified of the reason."""
    inbox.settle(work, item, "rejected")
    await _move_message(work, item, "rejected", detail)
