"""Transcoding jobs of the worker: claim, render without a transaction, settle."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.playback import prepare_rendition
from services.core.platform.audio.rules import Form
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.tables import OutboxRow

KIND: Final = "clip"
# The sandbox kills a decoder after 20 s, and one job runs two decoders: one examines, one renders.
RENDER_TIMEOUT_S: Final = 45.0
# Longer than any job, and short enough that the work of a killed worker resumes within a minute.
LEASE: Final = timedelta(seconds=50)

log = structlog.get_logger()


class Outcome(StrEnum):
    """Result of a job."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class TranscodingJob:
    """A claimed job: make ``form`` of an audio asset, at most ``max_bytes`` (0: no bound)."""

    row: OutboxRow
    asset_id: uuid.UUID
    form: Form
    max_bytes: int


async def claim(database: Database) -> TranscodingJob | None:
    """Claim the oldest due job for 50 s and commit; None if none is due."""
    async with database.begin() as work:
        row = await outbox.claim(work, (KIND,), lease=LEASE)
    if row is None:
        return None
    return TranscodingJob(row, uuid.UUID(row.target), Form(row.payload["form"]), int(row.payload["max_bytes"]))


async def render(transcoder: Transcoder, job: TranscodingJob) -> Outcome:
    """Run a job with no transaction open, within 45 s; a second run of the same job changes nothing.

    Failures are logged and returned as ``FAILED``. Only an unreachable database raises: the job cannot be settled then.
    """
    try:
        async with asyncio.timeout(RENDER_TIMEOUT_S):
            await prepare_rendition(transcoder, job.asset_id, job.form, job.max_bytes)
    except Exception as error:
        # The deadline above raised this TimeoutError, not the database driver.
        if is_database_unavailable(error) and not isinstance(error, TimeoutError):
            raise
        log.warning("clip_put_off", clip_id=str(job.asset_id), error=type(error).__qualname__, attempt=job.row.attempts)
        return Outcome.FAILED
    return Outcome.DONE


async def settle(database: Database, job: TranscodingJob, outcome: Outcome) -> None:
    """Delete a finished job, or make a failed job due again later.

    A job whose lease expired and that another worker has claimed is left to that worker.
    """
    async with database.begin() as work:
        await (outbox.settle if outcome is Outcome.DONE else outbox.defer)(work, job.row)


async def transcode_one(transcoder: Transcoder) -> bool:
    """Claim, render and settle one job; return whether one was due."""
    job = await claim(transcoder.database)
    if job is None:
        return False
    await settle(transcoder.database, job, await render(transcoder, job))
    return True
