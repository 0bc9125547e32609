"""Advance a recipient's state and notify the sender."""

from __future__ import annotations

from services.core.conversation.messages.rules import RecipientState, advance, delivered_at, played_at
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.devices.watches.queries import current_identity
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import notify_watch


async def move_recipient(
    work: UnitOfWork, message: Message, recipient: MessageRecipient, state: RecipientState, detail: str | None = None
) -> bool:
    """Advance one recipient's state and notify the sender; return whether it changed. Older states change nothing.

    A guardian is notified by an event; the child by ``down/state``, if it still wears the watch that sent the message.
    """
    moved = advance(recipient.state, state)
    if moved is None:
        return False
    recipient.state = moved
    recipient.detail = detail
    recipient.changed_at = work.now
    recipient.delivered_at = delivered_at(moved, recipient.delivered_at, work.now)
    recipient.played_at = played_at(moved, recipient.played_at, work.now)
    work.add(recipient)
    child = await work.session.get_one(Child, message.child_id)
    identity = await current_identity(work, message.child_id)
    record_fact(
        work,
        f"message_{message.direction}_{moved.value}",
        watch_id=identity.watch_id if identity else None,
        child_id=message.child_id,
        family_id=child.family_id,
        ref_id=message.message_id,
    )
    if message.direction == "to_family" and identity is not None and identity.username == message.username:
        await notify_watch(work, identity.username)
    # A state of the child's message goes to the recipient's other phones, of a guardian's message to its sender.
    reader = message.guardian_id if message.direction == "to_child" else recipient.guardian_id
    if reader is not None:
        await record_event(
            work, child.family_id, "message.state", child_id=message.child_id, ref_id=message.message_id,
            guardian_id=reader, needs_right="message", detail={"state": moved.value},
        )  # fmt: skip
    return True
