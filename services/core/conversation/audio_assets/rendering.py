"""Decode audio assets and make their renditions, each once, in separate processes."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlmodel import col, select

from services.core.conversation.audio_assets.errors import AudioNotReadyError
from services.core.conversation.audio_assets.rules import MAX_ATTEMPTS
from services.core.conversation.audio_assets.storing import examined_original, store_audio
from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.people.households.child_key import unwrapped_key
from services.core.platform.audio.errors import AudioNotReadableError, ClipTooLongError, DoesNotFitError
from services.core.platform.audio.rules import Form, Media, original_will_do
from services.core.platform.audio.sandbox import AudioSandbox, Examined, Rendered
from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.together import Write, write_together

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
        rows = await work.read(_JOB, asset_id, form.value, max_bytes)
        if not rows:
            return None
        child_id, blob_id, state, media, channels, size_bytes, claimed_codec, wrapped_key, is_made = rows[0]
        job = _Job(
            asset_id, child_id, blob_id, unwrapped_key(work, child_id, wrapped_key),
            None if media is None else Media(media), channels or 1, size_bytes, claimed_codec, form, max_bytes,
        )  # fmt: skip
        return None if state == "ready" and (is_made or job.original_will_do) else job


# Reads an asset that can be decoded, and whether its rendition exists.
_JOB: Final = """
SELECT child_id, clip.blob_id, clip.state, clip.media, clip.channels, clip.size_bytes, clip.claimed_codec,
 child.wrapped_key, EXISTS (SELECT FROM rendition WHERE clip_id = $1 AND form = $2 AND max_bytes = $3)
FROM clip JOIN child USING (child_id)
WHERE clip_id = $1 AND clip.blob_id IS NOT NULL AND clip.state NOT IN ('gone', 'unplayable')
"""


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
        if not await write_together(
            work, examined_original(job.key, job.asset_id, examined), result="SELECT FROM asset"
        ):
            return None
        job = _with(job, examined)
        if job.original_will_do:
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
    failure, blob_id, sha256, made = None, None, "", None
    if isinstance(rendered, DoesNotFitError):
        failure = "clip_too_large"
    elif not isinstance(rendered, Rendered):
        failure = "unplayable"
    else:
        made = rendered
        blob_id, sha256 = await store_audio(
            transcoder.database, transcoder.blobs, job.child_id, job.key, rendered.data
        )  # fmt: skip
    async with transcoder.database.begin() as work:
        asset = (
            Write(_LOCKED, (job.asset_id,))
            if examined is None
            else examined_original(job.key, job.asset_id, examined)
        )  # fmt: skip
        rendition = Write(
            _RENDITION,
            (
                uuid.uuid4(), job.form.value, job.max_bytes, blob_id, failure, 0 if made is None else len(made.data),
                sha256, 0 if made is None else made.duration_ms, 0 if made is None else made.bit_rate, work.now,
            ),
        )  # fmt: skip
        written = await write_together(
            work, asset, rendition, result="SELECT EXISTS (SELECT FROM rendition_made) FROM asset"
        )
        # Retention may have deleted the asset meanwhile: the sweep of blobs then deletes this rendition.
        if not written:
            return
        if not written[0][0]:
            raise BlobGoneError
        await notify(work, job.asset_id)


# The row of an asset is locked before that of a blob, here and in `examined_original`.
_LOCKED: Final = (
    ("asset", "SELECT clip_id FROM clip WHERE clip_id = $1 AND state <> 'gone' FOR NO KEY UPDATE"),
)  # fmt: skip
# The blob is kept as by `blobs.actions.keep`: one that a sweep has claimed makes no row.
_RENDITION: Final = (
    (
        "kept_blob",
        (
            "UPDATE blob SET state = 'kept', changed_at = $10::timestamptz FROM asset WHERE blob_id = $4::uuid"
            " AND state <> 'leaving' AND (child_id IS NOT NULL OR export_id IS NOT NULL) RETURNING blob_id"
        ),
    ),
    (
        "rendition_made",
        (
            "INSERT INTO rendition (rendition_id, clip_id, form, max_bytes, blob_id, failure, size_bytes, sha256,"
            " duration_ms, bit_rate, created_at)"
            " SELECT $1::uuid, clip_id, $2, $3::int, $4::uuid, $5, $6::int, $7, $8::int, $9::int, $10::timestamptz"
            " FROM asset WHERE $4::uuid IS NULL OR EXISTS (SELECT FROM kept_blob) RETURNING rendition_id"
        ),
    ),
)


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
