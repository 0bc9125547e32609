"""Decoding a clip and making a form of it: once, in a process of its own, never in the way of a receipt."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlmodel import col, select

from services.core.conversation.audio_assets.errors import AudioNotReadyError
from services.core.conversation.audio_assets.rules import MAX_ATTEMPTS
from services.core.conversation.audio_assets.storing import record_examined, store_audio
from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.audio.errors import AudioNotReadableError, ClipTooLongError, DoesNotFitError
from services.core.platform.audio.rules import Form, Media, plays_as
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.actions import keep
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True)
class Transcoder:
    """Where clips are worked on: rows, bytes, and the limited processes that decode."""

    database: Database
    blobs: BlobStore
    sandbox: AudioSandbox


class RenderOutcome(StrEnum):
    """What came of working on a clip."""

    MADE = "made"
    NOTHING = "nothing"  # it was there already, or the clip is gone


@dataclass(frozen=True)
class _Job:
    """A clip to work on, as far as it is known."""

    clip_id: uuid.UUID
    child_id: uuid.UUID
    blob_id: uuid.UUID
    key: bytes
    media: Media | None
    channels: int


async def render_form(transcoder: Transcoder, clip_id: uuid.UUID, form: Form, max_bytes: int = 0) -> RenderOutcome:
    """Decode the clip if nobody has, and make this form of it unless it is there or the original is it.

    Raises AudioNotReadyError while another process works on the clip, BlobStoreAwayError and AudioBusyError when it
    has to come again. A clip that cannot be decoded becomes ``unplayable``; a form that cannot be made is noted so.
    """
    # The lock lives as long as its connection: of a process that is killed while it decodes, it is free at once.
    async with transcoder.database.try_lock(f"clip/{clip_id}") as is_ours:
        if not is_ours:
            raise AudioNotReadyError(1)
        job = await _job(transcoder.database, clip_id, form, max_bytes)
        if job is None:
            return RenderOutcome.NOTHING
        sound = await transcoder.blobs.read(job.blob_id, job.key)
        if job.media is None:
            job = await _examine(transcoder, job, sound)
        if job is not None and not _is_already(job, form, len(sound), max_bytes):
            await _render(transcoder, job, sound, form, max_bytes)
    return RenderOutcome.MADE


async def _job(database: Database, clip_id: uuid.UUID, form: Form, max_bytes: int) -> _Job | None:
    """Return what there is to do, or None: it is done already, or cannot be done."""
    async with database.begin() as work:
        clip = await work.session.get(AudioAsset, clip_id)
        if clip is None or clip.blob_id is None or clip.state in {"gone", "unplayable"}:
            return None
        if clip.state == "ready" and await _is_decided(work, clip, form, max_bytes):
            return None
        child = await work.session.get_one(Child, clip.child_id)
        return _Job(
            clip_id, clip.child_id, clip.blob_id, data_key(work, child),
            None if clip.media is None else Media(clip.media), clip.channels or 1,
        )  # fmt: skip


async def _is_decided(work: UnitOfWork, clip: AudioAsset, form: Form, max_bytes: int) -> bool:
    if clip.media is not None:
        own = plays_as(Media(clip.media), clip.channels or 1)
        if own is form and (max_bytes == 0 or clip.size_bytes <= max_bytes):
            return True
    found = await work.session.exec(
        select(Rendition.rendition_id).where(
            col(Rendition.clip_id) == clip.clip_id,
            col(Rendition.form) == form.value,
            col(Rendition.max_bytes) == max_bytes,
        )
    )
    return found.first() is not None


def _is_already(job: _Job, form: Form, size_bytes: int, max_bytes: int) -> bool:
    own = None if job.media is None else plays_as(job.media, job.channels)
    return own is form and (max_bytes == 0 or size_bytes <= max_bytes)


async def _examine(transcoder: Transcoder, job: _Job, sound: bytes) -> _Job | None:
    """Find out what the clip is; None: it cannot be played."""
    try:
        found = await transcoder.sandbox.examine(sound)
    except (AudioNotReadableError, ClipTooLongError) as error:
        async with transcoder.database.begin() as work:
            clip = await _locked(work, job.clip_id)
            if clip is not None:
                clip.tries += 1
                if isinstance(error, ClipTooLongError) or clip.tries >= MAX_ATTEMPTS:
                    clip.state = "unplayable"
                    log.info("clip_unplayable", clip_id=str(job.clip_id), reason=error.code)
                work.add(clip)
        if clip is not None and clip.state != "unplayable":
            raise AudioNotReadyError(1) from error
        return None
    async with transcoder.database.begin() as work:
        clip = await _locked(work, job.clip_id)
        if clip is None or clip.state == "gone":
            return None
        record_examined(work, await work.session.get_one(Child, clip.child_id), clip, found)
    return _Job(job.clip_id, job.child_id, job.blob_id, job.key, found.media, found.channels)


async def _render(transcoder: Transcoder, job: _Job, sound: bytes, form: Form, max_bytes: int) -> None:
    rendition = Rendition(
        clip_id=job.clip_id, form=form.value, max_bytes=max_bytes, created_at=transcoder.database.clock()
    )
    try:
        made = await transcoder.sandbox.render(sound, form, max_bytes=max_bytes or None)
    except DoesNotFitError:
        rendition.failure = "clip_too_large"
    except (AudioNotReadableError, ClipTooLongError):
        # It was decoded before: what failed now may be the machine. The next call tries again, and then it is noted.
        async with transcoder.database.begin() as work:
            clip = await _locked(work, job.clip_id)
            if clip is None:
                return
            clip.tries += 1
            work.add(clip)
        if clip.tries < MAX_ATTEMPTS:
            raise AudioNotReadyError(1) from None
        rendition.failure = "unplayable"
    else:
        blob_id, rendition.sha256 = await store_audio(
            transcoder.database, transcoder.blobs, job.child_id, job.key, made.data
        )
        rendition.blob_id, rendition.size_bytes = blob_id, len(made.data)
        rendition.duration_ms, rendition.bit_rate = made.duration_ms, made.bit_rate
    async with transcoder.database.begin() as work:
        clip = await _locked(work, job.clip_id)
        # Retention may have come in between: what was made of a clip that is gone is swept away.
        if clip is None or clip.state == "gone":
            return
        if rendition.blob_id is not None:
            await keep(work, rendition.blob_id)
        work.add(rendition)


async def _locked(work: UnitOfWork, clip_id: uuid.UUID) -> AudioAsset | None:
    found = await work.session.exec(
        select(AudioAsset).where(col(AudioAsset.clip_id) == clip_id).with_for_update(key_share=True)
    )
    return found.first()
