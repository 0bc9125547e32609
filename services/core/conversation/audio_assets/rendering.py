"""Decode audio assets and make their renditions, each once, in separate processes."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from sqlmodel import col, select

from services.core.conversation.audio_assets.errors import AudioNotReadyError
from services.core.conversation.audio_assets.rules import MAX_ATTEMPTS
from services.core.conversation.audio_assets.storing import record_examined, store_audio
from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.audio.errors import AudioNotReadableError, ClipTooLongError, DoesNotFitError
from services.core.platform.audio.rules import Form, Media, original_will_do
from services.core.platform.audio.sandbox import AudioSandbox, Examined, Rendered
from services.core.platform.blobs.actions import keep
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork

log = structlog.get_logger()

# Called in the transaction that settles an asset: the form exists, or is recorded as impossible.
Notify = Callable[[UnitOfWork, uuid.UUID], Awaitable[None]]


@dataclass(frozen=True)
class Transcoder:
    """The dependencies of transcoding: rows, bytes, and the sandboxed decoder processes."""

    database: Database
    blobs: BlobStore
    sandbox: AudioSandbox


@dataclass(frozen=True)
class _Job:
    """An asset and the rendition to make of it; ``media`` None: the asset has not been decoded yet."""

    asset_id: uuid.UUID
    child_id: uuid.UUID
    blob_id: uuid.UUID
    key: bytes
    media: Media | None
    channels: int
    size_bytes: int
    # The codec stated by the watch.
    declared: str | None
    form: Form
    max_bytes: int

    @property
    def original_will_do(self) -> bool:
        """Whether the original already is the wanted form and small enough."""
        return self.media is not None and original_will_do(
            self.media, self.channels, self.size_bytes, self.form, self.max_bytes or None
        )


async def render_form(transcoder: Transcoder, asset_id: uuid.UUID, form: Form, max_bytes: int, notify: Notify) -> None:
    """Decode an asset unless already decoded, and make ``form`` of it unless it exists or the original is that form.

    ``max_bytes`` 0: no bound. An asset that cannot be decoded becomes ``unplayable``; a form that cannot be made is
    recorded as impossible. A second call changes nothing. No transaction is open while a decoder runs or bytes are
    transferred. Raises AudioNotReadyError while another process works on the asset, BlobStoreAwayError, AudioBusyError.
    """
    # The advisory lock ends with its connection, so a killed process releases it at once.
    async with transcoder.database.try_lock(f"clip/{asset_id}") as is_ours:
        if not is_ours:
            raise AudioNotReadyError(1)
        job = await _job(transcoder.database, asset_id, form, max_bytes)
        if job is None:
            return
        sound = await transcoder.blobs.read(job.blob_id, job.key)
        if job.media is None:
            await _examine_and_render(transcoder, job, sound, notify)
        elif not job.original_will_do:
            await _render(transcoder, job, sound, notify)


async def _examine_and_render(transcoder: Transcoder, job: _Job, sound: bytes, notify: Notify) -> None:
    """Do both in one process; where that fails, do each by itself, so that each failure is recorded as what it is."""
    try:
        both = await transcoder.sandbox.transcode(
            sound, job.form, max_bytes=job.max_bytes or None, declared=job.declared
        )
    except (AudioNotReadableError, ClipTooLongError):
        examined = await _examine(transcoder, job, sound, notify)
        if examined is not None and not examined.original_will_do:
            await _render(transcoder, examined, sound, notify)
        return
    done = _with(job, both.examined)
    if done.original_will_do:
        await _record_examined(transcoder.database, job, both.examined, notify)
    else:
        await _record_rendition(transcoder, done, both.rendered or DoesNotFitError(), notify, examined=both.examined)


async def _job(database: Database, asset_id: uuid.UUID, form: Form, max_bytes: int) -> _Job | None:
    """Return the remaining work, or None when it is done or impossible."""
    async with database.begin() as work:
        asset = await work.session.get(AudioAsset, asset_id)
        if asset is None or asset.blob_id is None or asset.state in {"gone", "unplayable"}:
            return None
        child = await work.session.get_one(Child, asset.child_id)
        job = _Job(
            asset_id, asset.child_id, asset.blob_id, data_key(work, child),
            None if asset.media is None else Media(asset.media), asset.channels or 1, asset.size_bytes,
            asset.claimed_codec, form, max_bytes,
        )  # fmt: skip
        if asset.state == "ready" and (job.original_will_do or await _exists(work, job)):
            return None
        return job


async def _exists(work: UnitOfWork, job: _Job) -> bool:
    result = await work.session.exec(
        select(Rendition.rendition_id).where(
            col(Rendition.clip_id) == job.asset_id,
            col(Rendition.form) == job.form.value,
            col(Rendition.max_bytes) == job.max_bytes,
        )
    )
    return result.first() is not None


async def _examine(transcoder: Transcoder, job: _Job, sound: bytes, notify: Notify) -> _Job | None:
    """Decode the original and record its properties; None: it is unplayable, or was deleted meanwhile."""
    try:
        examined = await transcoder.sandbox.examine(sound, declared=job.declared)
    except (AudioNotReadableError, ClipTooLongError) as error:
        await _record_failed_examination(transcoder.database, job.asset_id, error, notify)
        return None
    return await _record_examined(transcoder.database, job, examined, notify)


async def _record_examined(database: Database, job: _Job, examined: Examined, notify: Notify) -> _Job | None:
    """Record the properties of an original; None: it was deleted meanwhile."""
    async with database.begin() as work:
        asset = await _locked(work, job.asset_id)
        if asset is None or asset.state == "gone":
            return None
        record_examined(work, await work.session.get_one(Child, asset.child_id), asset, examined)
        job = _with(job, examined)
        if job.original_will_do:
            await work.flush()
            await notify(work, job.asset_id)
    return job


def _with(job: _Job, examined: Examined) -> _Job:
    return replace(job, media=examined.media, channels=examined.channels)


async def _record_failed_examination(
    database: Database, asset_id: uuid.UUID, error: AudioNotReadableError | ClipTooLongError, notify: Notify
) -> None:
    """Count the attempt. The last one makes the asset ``unplayable``; an earlier one raises AudioNotReadyError."""
    async with database.begin() as work:
        asset = await _locked(work, asset_id)
        if asset is None or asset.state == "gone":
            return
        asset.tries += 1
        is_final = isinstance(error, ClipTooLongError) or asset.tries >= MAX_ATTEMPTS
        if is_final:
            asset.state = "unplayable"
            log.info("clip_unplayable", clip_id=str(asset_id), reason=error.code)
        work.add(asset)
        if is_final:
            await work.flush()
            await notify(work, asset_id)
    if not is_final:
        raise AudioNotReadyError(1) from error


async def _render(transcoder: Transcoder, job: _Job, sound: bytes, notify: Notify) -> None:
    result: Rendered | AudioNotReadableError | ClipTooLongError | DoesNotFitError
    try:
        result = await transcoder.sandbox.render(
            sound, job.form, max_bytes=job.max_bytes or None, declared=job.declared
        )
    except DoesNotFitError as error:
        result = error
    except (AudioNotReadableError, ClipTooLongError) as error:
        # The asset was decoded before, so this host may be the cause: retry, and record only the last failure.
        if not await _is_last_attempt(transcoder.database, job.asset_id):
            raise AudioNotReadyError(1) from None
        result = error
    await _record_rendition(transcoder, job, result, notify)


async def _record_rendition(
    transcoder: Transcoder,
    job: _Job,
    rendered: Rendered | AudioNotReadableError | ClipTooLongError | DoesNotFitError,
    notify: Notify,
    *,
    examined: Examined | None = None,
) -> None:
    """Store a rendition and record it, or record that it is impossible; ``examined`` is recorded with it."""
    rendition = Rendition(
        clip_id=job.asset_id, form=job.form.value, max_bytes=job.max_bytes, created_at=transcoder.database.clock()
    )
    if isinstance(rendered, DoesNotFitError):
        rendition.failure = "clip_too_large"
    elif not isinstance(rendered, Rendered):
        rendition.failure = "unplayable"
    else:
        rendition.blob_id, rendition.sha256 = await store_audio(
            transcoder.database, transcoder.blobs, job.child_id, job.key, rendered.data
        )
        rendition.size_bytes = len(rendered.data)
        rendition.duration_ms, rendition.bit_rate = rendered.duration_ms, rendered.bit_rate
    async with transcoder.database.begin() as work:
        asset = await _locked(work, job.asset_id)
        # Retention may have deleted the asset meanwhile: the sweep of blobs then deletes this rendition.
        if asset is None or asset.state == "gone":
            return
        if rendition.blob_id is not None:
            await keep(work, rendition.blob_id)
        if examined is not None:
            record_examined(work, await work.session.get_one(Child, asset.child_id), asset, examined)
        work.add(rendition)
        await work.flush()
        await notify(work, job.asset_id)


async def _is_last_attempt(database: Database, asset_id: uuid.UUID) -> bool:
    """Count a failed attempt and return whether it was the last."""
    async with database.begin() as work:
        asset = await _locked(work, asset_id)
        if asset is None:
            return True
        asset.tries += 1
        work.add(asset)
        return asset.tries >= MAX_ATTEMPTS


async def _locked(work: UnitOfWork, asset_id: uuid.UUID) -> AudioAsset | None:
    result = await work.session.exec(
        select(AudioAsset)
        .where(col(AudioAsset.clip_id) == asset_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.first()
