"""Store audio: the blob first, then the row of the asset in the transaction of its message."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.audio.sandbox import Examined
from services.core.platform.blobs.actions import keep, release, reserve
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import Database, UnitOfWork


@dataclass(frozen=True)
class StoredAudio:
    """Audio whose bytes are stored, not yet part of a message; ``found`` None: not decoded yet."""

    blob_id: uuid.UUID
    size_bytes: int
    sha256: str
    claimed_codec: str | None = None
    claimed_ms: int | None = None
    found: Examined | None = None


async def store_audio(
    database: Database, blobs: BlobStore, child_id: uuid.UUID, key: bytes, sound: bytes
) -> tuple[uuid.UUID, str]:
    """Store bytes as a blob of the child and return its id and SHA-256 (hex); no transaction is open meanwhile.

    The blob's row is committed before its object exists: a crash at any point leaves no object without a row.
    """
    digest = hashlib.sha256(sound).hexdigest()
    async with database.begin() as work:
        blob_id = reserve(work, child_id, len(sound), digest).blob_id
    await blobs.put(blob_id, key, sound)
    return blob_id, digest


async def add_audio_asset(work: UnitOfWork, child: Child, stored: StoredAudio) -> AudioAsset:
    """Create the asset of stored bytes in the caller's transaction; BlobGoneError if the sweep deleted the blob."""
    await keep(work, stored.blob_id)
    clip = AudioAsset(
        clip_id=uuid.uuid4(), child_id=child.child_id, blob_id=stored.blob_id, size_bytes=stored.size_bytes,
        sha256=stored.sha256, claimed_codec=stored.claimed_codec, claimed_ms=stored.claimed_ms, created_at=work.now,
    )  # fmt: skip
    if stored.found is not None:
        record_examined(work, child, clip, stored.found)
    work.add(clip)
    await work.flush()
    return clip


def record_examined(work: UnitOfWork, child: Child, clip: AudioAsset, found: Examined) -> None:
    """Record the properties found by decoding."""
    clip.state = "ready"
    clip.media = found.media.value
    clip.channels = found.channels
    clip.duration_ms = found.duration_ms
    bars = json.dumps(list(found.bars)).encode()
    clip.sealed_bars = seal(data_key(work, child), bars, f"bars/{clip.clip_id}")
    work.add(clip)


def bars_of(work: UnitOfWork, child: Child, clip: AudioAsset) -> list[int] | None:
    """Return the 44 bars (0..100) of the waveform; None when the asset is not decoded, unplayable or deleted."""
    if clip.sealed_bars is None:
        return None
    bars: list[int] = json.loads(unseal(data_key(work, child), clip.sealed_bars, f"bars/{clip.clip_id}"))
    return bars


async def delete_audio(work: UnitOfWork, clip: AudioAsset) -> None:
    """Delete the original and all renditions of an asset; a second call changes nothing."""
    result = await work.session.exec(select(Rendition).where(col(Rendition.clip_id) == clip.clip_id))
    for rendition in result.all():
        if rendition.blob_id is not None:
            await release(work, rendition.blob_id)
        await work.session.delete(rendition)
    if clip.blob_id is not None:
        await release(work, clip.blob_id)
    clip.blob_id = None
    clip.sealed_bars = None
    # An unkeyed digest would identify a known recording for ever.
    clip.sha256 = ""
    clip.state = "gone"
    clip.gone_at = work.now
    work.add(clip)


async def give_up_lost(work: UnitOfWork, blob_ids: Sequence[uuid.UUID]) -> int:
    """Give up objects that a restore could not bring back; return the number of recordings without sound.

    A rendition is made again from its recording when it is asked for.
    """
    renditions = await work.session.exec(select(Rendition).where(col(Rendition.blob_id).in_(blob_ids)))
    for rendition in renditions.all():
        await work.session.delete(rendition)
    clips = (await work.session.exec(select(AudioAsset).where(col(AudioAsset.blob_id).in_(blob_ids)))).all()
    for clip in clips:
        await delete_audio(work, clip)
    for blob_id in blob_ids:
        await release(work, blob_id)
    return len(clips)
