"""Delete voice recordings at the end of their retention, unless a guardian keeps them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import BindParameter, ColumnElement, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.conversation.audio_assets.storing import delete_audio
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.queries import is_kept, is_of_guardian, message_of
from services.core.conversation.messages.tables import KeptMessage, Message
from services.core.conversation.messages.voice import notify_audio_changed
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork

# From this time before the deletion on, an app tells the guardian of recordings that end.
ENDS_SOON: Final = timedelta(days=10)


@dataclass(frozen=True)
class EndingRecordings:
    """Recordings of a guardian that are deleted within ENDS_SOON because nobody keeps them."""

    count: int
    first_ends_at: datetime | None

    @classmethod
    def of(cls, work: UnitOfWork, count: int, first_received_at: datetime | None) -> Self:
        """Return the count with the end of the recording that was received first."""
        return cls(count, None if first_received_at is None else first_received_at + work.retention.voice)


async def ending_recordings(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID) -> EndingRecordings:
    """Return how many recordings of this guardian's conversation with the child end soon, and when the first does."""
    result = await work.session.exec(
        select(func.count(), func.min(col(Message.received_at)))
        .join(AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
        .where(col(Message.child_id) == child_id, *ends_soon(guardian_id, ends_soon_before(work)))
    )
    return EndingRecordings.of(work, *result.one())


async def keep_ending_recordings(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID) -> int:
    """Keep every recording that ending_recordings counts, in one step; return how many. A repeat keeps none."""
    result = await work.session.exec(
        select(Message.message_id)
        .join(AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
        .where(col(Message.child_id) == child_id, *ends_soon(guardian_id, ends_soon_before(work)))
        .order_by(col(AudioAsset.clip_id))
        # The lock excludes retention, as for one recording.
        .with_for_update(of=AudioAsset, key_share=True)
    )
    message_ids = list(result.all())
    if message_ids:
        rows = [
            {"message_id": message_id, "guardian_id": guardian_id, "kept_at": work.now} for message_id in message_ids
        ]
        await work.run(insert(KeptMessage).values(rows).on_conflict_do_nothing())
    return len(message_ids)


def ends_soon_before(work: UnitOfWork) -> datetime:
    """Return the time before which a recording was received that ends soon."""
    return work.now - work.retention.voice + ENDS_SOON


def ends_soon(
    guardian_id: uuid.UUID | BindParameter[uuid.UUID], received_before: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a message and its audio: a recording of this guardian's that ends soon because nobody keeps it."""
    return (
        col(Message.kind) == "voice",
        is_of_guardian(guardian_id),
        col(Message.received_at) <= received_before,
        col(AudioAsset.state) != "gone",
        ~is_kept(),
    )


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
            ~is_kept(),
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


async def _is_free(work: UnitOfWork, clip_id: uuid.UUID) -> bool:
    result = await work.session.exec(select(Message.message_id).where(col(Message.clip_id) == clip_id, ~is_kept()))
    return result.first() is not None


async def _locked(work: UnitOfWork, clip_id: uuid.UUID) -> None:
    await work.session.exec(
        select(AudioAsset.clip_id).where(col(AudioAsset.clip_id) == clip_id).with_for_update(key_share=True)
    )
