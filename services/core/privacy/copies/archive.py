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
from zoneinfo import ZoneInfo

import structlog

from services.core.conversation.audio_assets.errors import AudioGoneError, AudioNotReadyError
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.playback import audio_for_phone
from services.core.location.checkins.rules import Quality
from services.core.people.households.queries import child_by_id, locale_of
from services.core.platform.audio.errors import AudioBusyError, AudioNotReadableError
from services.core.platform.blobs.actions import keep, reserve_for_export
from services.core.platform.blobs.errors import BlobGoneError
from services.core.platform.blobs.store import BlobMissingError, BlobStoreAwayError
from services.core.platform.db.claiming import claim_oldest
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import fitting_locale
from services.core.privacy.copies.actions import CLAIM_LIVES, TRIES, key_of
from services.core.privacy.copies.album.days import Material, moment_of
from services.core.privacy.copies.album.page import album_page
from services.core.privacy.copies.album.recordings import PageSounds, sound_name
from services.core.privacy.copies.album.sketches import TrackPoint
from services.core.privacy.copies.own_data import message_document, own_data, own_messages
from services.core.privacy.copies.own_places import checkins_csv, kept_checkins
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
        document = await own_data(work, job.family_id, job.guardian_id)
        gathered = await _gather(work, job, document)
        locale = fitting_locale(document["me"]["locale"], await locale_of(work, job.family_id))
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        sounds = await _add_sounds(transcoder, archive, job, gathered.spoken)

        def add_documents() -> None:
            material = Material(sounds.addresses(), gathered.tracks)
            page = album_page(document, material, locale, beside_before=sounds.beside_before)
            archive.writestr("index.html", page)
            for name, table in gathered.tables.items():
                archive.writestr(name, table)
            archive.writestr("export.json", json.dumps(document, ensure_ascii=False, indent=1))
            archive.writestr("export.schema.json", _SCHEMA.read_bytes())

        # A page with its recordings takes seconds to compress; other loops of the worker run meanwhile.
        await asyncio.to_thread(add_documents)
    return memory.getvalue()


@dataclass(frozen=True)
class _Spoken:
    """A voice message of the document whose audio is to be added."""

    message: dict[str, Any]
    clip_id: uuid.UUID
    timezone: ZoneInfo


@dataclass(frozen=True)
class _Gathered:
    """What is read with the document: voice messages in order of time, CSV files by name, good fixes by child."""

    spoken: list[_Spoken]
    tables: dict[str, bytes]
    tracks: dict[str, list[TrackPoint]]


async def _gather(work: UnitOfWork, job: _Job, document: dict[str, Any]) -> _Gathered:
    """Complete the document's children with messages and the names of tables."""
    gathered = _Gathered([], {}, {})
    for section in document["children"]:
        child = await child_by_id(work, uuid.UUID(section["child_id"]))
        if child is None:
            continue
        timezone = ZoneInfo(section["settings"]["timezone"])
        for view in await own_messages(work, child, job.guardian_id):
            message = message_document(view)
            section["messages"].append(message)
            if view.message.clip_id is not None:
                gathered.spoken.append(_Spoken(message, view.message.clip_id, timezone))
        checkins = await kept_checkins(work, child, job.guardian_id)
        if checkins is not None:
            section["checkins"] = f"checkins/{section['child_id']}.csv"
            gathered.tables[section["checkins"]] = checkins_csv(checkins)
            gathered.tracks[section["child_id"]] = [
                TrackPoint(checkin.happened_at, checkin.place.point.lat, checkin.place.point.lon)
                for checkin in checkins
                if checkin.place is not None and checkin.quality is Quality.GOOD
            ]
    gathered.spoken.sort(key=lambda spoken: moment_of(spoken.message))
    return gathered


async def _add_sounds(
    transcoder: Transcoder, archive: zipfile.ZipFile, job: _Job, voices: Sequence[_Spoken]
) -> PageSounds:
    """Write every recording into the archive, and its name, or the reason why it is missing, into the document."""
    kept, used_names = PageSounds(), set[str]()
    for done, spoken in enumerate(voices, start=1):
        try:
            sound = await audio_for_phone(transcoder, spoken.clip_id)
            plain = await transcoder.blobs.read(sound.playable.blob_id, sound.key)
        except (AudioGoneError, BlobMissingError):
            spoken.message["audio"] = "gone"
        except AudioNotReadableError:
            spoken.message["audio"] = "unplayable"
        else:
            at = moment_of(spoken.message)
            name = sound_name(at, spoken.timezone, used_names)
            used_names.add(name)
            # Audio is compressed already, so it is stored without deflate.
            archive.writestr(name, plain, zipfile.ZIP_STORED)
            kept.add(name, plain, at.astimezone(spoken.timezone).date())
            spoken.message["audio"] = name
        await _note_progress(transcoder, job, done, len(voices))
    return kept


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
