"""Notify the readers of a voice message when its audio changes."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.devices.watches.queries import current_identity
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import notify_watch


async def notify_audio_changed(work: UnitOfWork, clip_id: uuid.UUID) -> None:
    """Notify the readers of a voice message that its audio became playable, became unplayable, or was deleted."""
    result = await work.session.exec(
        select(Message, AudioAsset, Child.family_id)
        .join(AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
        .join(Child, col(Child.child_id) == col(Message.child_id))
        .where(col(Message.clip_id) == clip_id)
    )
    row = result.first()
    if row is None:
        return
    message, clip, family_id = row
    if message.direction == "to_child":
        identity = await current_identity(work, message.child_id)
        if identity is not None:
            await notify_watch(work, identity.username)
        readers = [message.guardian_id]
    else:
        recipients = await work.session.exec(
            select(MessageRecipient.guardian_id).where(col(MessageRecipient.message_id) == message.message_id)
        )
        readers = list(recipients.all())
    for reader in readers:
        if reader is not None:
            await record_event(
                work, family_id, "message.audio", child_id=message.child_id, ref_id=message.message_id,
                guardian_id=reader, needs_right="message", detail={"state": clip.state},
            )  # fmt: skip
