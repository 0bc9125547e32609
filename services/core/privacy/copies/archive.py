"""Build an export: a ZIP in memory, sealed before it is stored. No plain byte reaches a disk."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from services.core.conversation.audio_assets.errors import AudioGoneError, AudioNotReadyError
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.playback import audio_for_phone
from services.core.conversation.messages.queries import MessageView
from services.core.people.households.queries import child_by_id
from services.core.platform.audio.errors import AudioBusyError, AudioNotReadableError
from services.core.platform.blobs.actions import keep, reserve_for_export
from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.blobs.store import BlobMissingError, BlobStoreAwayError
from services.core.platform.db.claiming import claim_oldest
from services.core.privacy.copies.actions import CLAIM_LIVES, TRIES, key_of
from services.core.privacy.copies.own_data import message_document, own_data, own_messages
from services.core.privacy.copies.own_places import checkins_csv
from services.core.privacy.tables import Export

# An export that has to wait for another resource is retried after this time.
_LATER = timedelta(minutes=1)
_SCHEMA = Path(__file__).parent / "export.schema.json"

log = structlog.get_logger()


@dataclass(frozen=True)
class _Job:
    export_id: uuid.UUID
    family_id: uuid.UUID
    guardian_id: uuid.UUID
    key: bytes


async def build_one_export(transcoder: Transcoder) -> bool:
    """Build the oldest waiting export; return whether there was one. After a kill another process starts it again."""
    job = await _claim(transcoder)
    if job is None:
        return False
    try:
        archive = await _archive(transcoder, job)
        await _store(transcoder, job, archive)
    except (AudioBusyError, AudioNotReadyError, BlobStoreAwayError) as error:
        log.warning("export_put_off", export_id=str(job.export_id), error=type(error).__qualname__)
        await _put_off(transcoder, job)
    except BlobGoneError:
        # Data of the family was erased meanwhile, and the export with it.
        log.info("export_dropped", export_id=str(job.export_id))
    return True


async def _claim(transcoder: Transcoder) -> _Job | None:
    async with transcoder.database.begin() as work:
        export = await claim_oldest(work, Export, lives=CLAIM_LIVES, tries=TRIES)
        if export is None or export.state == "failed":
            return None
        return _Job(export.export_id, export.family_id, export.guardian_id, key_of(work.vault, export))


async def _put_off(transcoder: Transcoder, job: _Job) -> None:
    async with transcoder.database.begin() as work:
        export = await work.session.get(Export, job.export_id, with_for_update={"key_share": True})
        if export is not None:
            export.state = "waiting"
            export.claimed_until = work.now + _LATER
            work.add(export)


async def _archive(transcoder: Transcoder, job: _Job) -> bytes:
    async with transcoder.database.begin() as work:
        told = await own_data(work, job.family_id, job.guardian_id)
        views: dict[str, Sequence[MessageView]] = {}
        tables: dict[str, bytes] = {}
        for listed in told["children"]:
            child = await child_by_id(work, uuid.UUID(listed["child_id"]))
            if child is None:
                continue
            views[listed["child_id"]] = await own_messages(work, child, job.guardian_id)
            table = await checkins_csv(work, child, job.guardian_id)
            if table is not None:
                listed["checkins"] = f"checkins/{listed['child_id']}.csv"
                tables[listed["checkins"]] = table
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        sounds = sum(view.message.clip_id is not None for page in views.values() for view in page)
        done = 0
        for child_told in told["children"]:
            for view in views.get(child_told["child_id"], ()):
                message = message_document(view)
                if view.message.clip_id is not None:
                    message["audio"] = await _add_sound(transcoder, archive, view, view.message.clip_id)
                    done += 1
                    await _note_progress(transcoder, job, done, sounds)
                child_told["messages"].append(message)
        for name, table in tables.items():
            archive.writestr(name, table)
        archive.writestr("export.json", _json(told))
        archive.writestr("export.schema.json", _SCHEMA.read_bytes())
    return memory.getvalue()


async def _add_sound(transcoder: Transcoder, archive: zipfile.ZipFile, view: MessageView, clip_id: uuid.UUID) -> str:
    """Write the audio of a message into the archive; return its name there, or the reason why it is missing."""
    try:
        sound = await audio_for_phone(transcoder, clip_id)
        plain = await transcoder.blobs.read(sound.playable.blob_id, sound.key)
    except (AudioGoneError, BlobMissingError):
        return "gone"
    except AudioNotReadableError:
        return "unplayable"
    name = f"audio/{view.message.message_id}.m4a"
    # Audio is compressed already, so it is stored without deflate.
    archive.writestr(name, plain, zipfile.ZIP_STORED)
    return name


async def _note_progress(transcoder: Transcoder, job: _Job, done: int, of: int) -> None:
    # 99 % until the file can be fetched. Written at most as often as a person can notice.
    percent = 99 * done // of
    if percent == 99 * (done - 1) // of:
        return
    async with transcoder.database.begin() as work:
        export = await work.session.get(Export, job.export_id, with_for_update={"key_share": True})
        if export is None:
            raise BlobGoneError
        export.percent = percent
        export.claimed_until = work.now + CLAIM_LIVES
        work.add(export)


async def _store(transcoder: Transcoder, job: _Job, archive: bytes) -> None:
    digest = await asyncio.to_thread(lambda: hashlib.sha256(archive).hexdigest())
    async with transcoder.database.begin() as work:
        if await work.session.get(Export, job.export_id) is None:
            raise BlobGoneError
        blob_id = reserve_for_export(work, job.export_id, len(archive), digest).blob_id
    await transcoder.blobs.put(blob_id, job.key, archive)
    async with transcoder.database.begin() as work:
        export = await work.session.get(Export, job.export_id, with_for_update={"key_share": True})
        if export is None:
            raise BlobGoneError
        await keep(work, blob_id)
        export.state = "ready"
        export.percent = 100
        export.size_bytes = len(archive)
        export.ready_at = work.now
        export.expires_at = work.now + work.retention.exports
        work.add(export)


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
