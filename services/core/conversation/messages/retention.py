"""Delete voice recordings at the end of their retention, unless a guardian keeps them."""

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
    """Set or clear ``kept`` of a voice message in this guardian's conversation; the same value changes nothing.

    Kept recordings are exempt from retention. Raises NotFoundError, also for messages without voice.
    """
    view = await message_of(work, child, guardian_id, message_id)
    if view.message.clip_id is None:
        raise NotFoundError
    # The lock excludes retention: a recording confirmed as kept is not deleted by a concurrent purge.
    await _locked(work, view.message.clip_id)
    row = await work.session.get(KeptMessage, (message_id, guardian_id))
    if kept and row is None:
        work.add(KeptMessage(message_id=message_id, guardian_id=guardian_id, kept_at=work.now))
    elif not kept and row is not None:
        await work.session.delete(row)
    await work.flush()


async def purge_one_old_voice(work: UnitOfWork) -> bool:
    """Delete the audio of the oldest voice message past its retention; return whether one was deleted.

    The message row stays, so that both sides still see the message. Safe to repeat and to run in parallel.
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
    # Checked again under the lock: a guardian may have kept the message after the search.
    if not await _is_free(work, clip.clip_id):
        return True
    await delete_audio(work, clip)
    await work.flush()
    await notify_audio_changed(work, clip.clip_id)
    return True


def _is_kept() -> ColumnElement[bool]:
    """Condition: a current guardian of the family keeps the message; former guardians do not count."""
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
