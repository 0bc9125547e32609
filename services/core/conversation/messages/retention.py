"""Voice is kept for its time, unless a guardian keeps it."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement
from sqlmodel import col, exists, select

from services.core.conversation.audio_assets.storing import delete_audio
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.queries import message_of
from services.core.conversation.messages.tables import KeptMessage, Message
from services.core.conversation.messages.voice import notify_audio_changed
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork


async def set_kept(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, message_id: uuid.UUID, *, kept: bool
) -> None:
    """Keep a voice message of this guardian's conversation beyond its time, or no longer; a repeat changes nothing.

    Raises NotFoundError, also for a message that is no voice message.
    """
    view = await message_of(work, child, guardian_id, message_id)
    if view.message.clip_id is None:
        raise NotFoundError
    # Against retention: what is answered as kept is not dropped at the same moment.
    await _locked(work, view.message.clip_id)
    row = await work.session.get(KeptMessage, (message_id, guardian_id))
    if kept and row is None:
        work.add(KeptMessage(message_id=message_id, guardian_id=guardian_id, kept_at=work.now))
    elif not kept and row is not None:
        await work.session.delete(row)
    await work.flush()


async def purge_one_old_voice(work: UnitOfWork) -> bool:
    """Drop the sound of the oldest voice message whose time is over; return whether there was one.

    The message itself stays, so that both ends see that something was said. Safe to run twice, and by many.
    """
    result = await work.session.exec(
        select(AudioAsset)
        .join(Message, col(Message.clip_id) == col(AudioAsset.clip_id))
        .where(
            col(Message.kind) == "voice",
            col(Message.received_at) <= work.now - work.retention.voice,
            col(AudioAsset.state) != "gone",
            ~_is_kept(),
        )
        .order_by(col(Message.received_at))
        .limit(1)
        .with_for_update(of=AudioAsset, key_share=True, skip_locked=True)
    )
    clip = result.first()
    if clip is None:
        return False
    # Looked for again under the lock: a guardian may have kept it since the search began.
    if not await _is_free(work, clip.clip_id):
        return True
    await delete_audio(work, clip)
    await work.flush()
    await notify_audio_changed(work, clip.clip_id)
    return True


def _is_kept() -> ColumnElement[bool]:
    """Whether a guardian who is still one of the family keeps the message; those who left keep nothing."""
    return exists().where(
        col(KeptMessage.message_id) == col(Message.message_id),
        col(Child.child_id) == col(Message.child_id),
        col(Membership.family_id) == col(Child.family_id),
        col(Membership.guardian_id) == col(KeptMessage.guardian_id),
        col(Membership.removed_at).is_(None),
    )


async def _is_free(work: UnitOfWork, clip_id: uuid.UUID) -> bool:
    result = await work.session.exec(select(Message.message_id).where(col(Message.clip_id) == clip_id, ~_is_kept()))
    return result.first() is not None


async def _locked(work: UnitOfWork, clip_id: uuid.UUID) -> None:
    await work.session.exec(
        select(AudioAsset.clip_id).where(col(AudioAsset.clip_id) == clip_id).with_for_update(key_share=True)
    )
