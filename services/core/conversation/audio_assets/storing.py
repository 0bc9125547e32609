"""Store audio: the blob first, then the row of the asset in the transaction of its message."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.platform.audio.sandbox import Examined
from services.core.platform.blobs.actions import release, reserve
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.together import Write


@dataclass(frozen=True)
class StoredAudio:
    """Audio whose bytes are stored, neither decoded nor part of a message yet; the sender stated codec and duration."""

    blob_id: uuid.UUID
    size_bytes: int
    sha256: str
    claimed_codec: str | None = None
    claimed_ms: int | None = None


@dataclass(frozen=True)
class ExaminedAudio:
    """Audio whose bytes are decoded and stored, not yet part of a message."""

    blob_id: uuid.UUID
    size_bytes: int
    sha256: str
    examined: Examined


async def store_audio(
    database: Database, blobs: BlobStore, child_id: uuid.UUID, key: bytes, sound: bytes
) -> tuple[uuid.UUID, str]:
    """Store bytes as a blob of the child and return its id and SHA-256 (hex); no transaction is open meanwhile.

    The blob's row is committed before its object exists: a crash at any point leaves no object without a row.
    """
    digest = hashlib.sha256(sound).hexdigest()
    async with database.begin() as work:
        blob_id = await reserve(work, child_id, len(sound), digest, is_last=True)
    await blobs.put(blob_id, key, sound)
    return blob_id, digest


# The part of a `NamedStatement` that stores the asset of a decoded recording. ``asset`` has no row if a sweep has
# claimed the blob. The blob is kept as by `blobs.actions.keep`.
EXAMINED_ASSET: Final = """
kept AS (
 UPDATE blob SET state = 'kept', changed_at = :now WHERE blob_id = :blob_id AND state <> 'leaving'
  AND (child_id IS NOT NULL OR export_id IS NOT NULL) RETURNING blob_id),
asset AS (
 INSERT INTO clip (clip_id, child_id, blob_id, size_bytes, sha256, state, media, channels, duration_ms, sealed_bars,
  tries, created_at)
 SELECT :clip_id::uuid, :child_id::uuid, blob_id, :size_bytes::int, :sha256, 'ready', :media, :channels::int,
  :duration_ms::int, :sealed_bars::bytea, 0, :now::timestamptz FROM kept RETURNING clip_id)
"""


def examined_asset(key: bytes, clip_id: uuid.UUID, stored: ExaminedAudio) -> dict[str, object]:
    """Return the values of `EXAMINED_ASSET` except ``child_id`` and ``now``; ``key``: the child's data key."""
    examined = stored.examined
    return {
        "clip_id": clip_id, "blob_id": stored.blob_id, "size_bytes": stored.size_bytes, "sha256": stored.sha256,
        "media": examined.media.value, "channels": examined.channels, "duration_ms": examined.duration_ms,
        "sealed_bars": _seal_bars(key, clip_id, examined.bars),
    }  # fmt: skip


# The blob is kept as by `blobs.actions.keep`: one that the sweep has claimed makes no row.
_ADD_RAW: Final = (
    (
        "kept_blob",
        (
            "UPDATE blob SET state = 'kept', changed_at = $7::timestamptz WHERE blob_id = $3 AND state <> 'leaving'"
            " AND (child_id IS NOT NULL OR export_id IS NOT NULL) RETURNING blob_id"
        ),
    ),
    (
        "raw_asset",
        (
            "INSERT INTO clip"
            " (clip_id, child_id, blob_id, size_bytes, sha256, claimed_codec, claimed_ms, state, tries, created_at)"
            " SELECT $1, $2, blob_id, $4, $5, $6, $8, 'raw', 0, $7::timestamptz FROM kept_blob RETURNING clip_id"
        ),
    ),
)


def raw_asset(work: UnitOfWork, clip_id: uuid.UUID, child_id: uuid.UUID, stored: StoredAudio) -> Write:
    """Return what adds an asset that is not decoded yet, to be written together with its message.

    The part ``raw_asset`` is empty where a sweep has claimed the bytes.
    """
    return Write(
        _ADD_RAW,
        (clip_id, child_id, stored.blob_id, stored.size_bytes, stored.sha256, stored.claimed_codec, work.now,
         stored.claimed_ms),
    )  # fmt: skip


_EXAMINED: Final = (
    (
        "asset",
        (
            "UPDATE clip SET state = 'ready', media = $2, channels = $3::int, duration_ms = $4::int,"
            " sealed_bars = $5::bytea WHERE clip_id = $1 AND state <> 'gone' RETURNING clip_id"
        ),
    ),
)


def examined_original(key: bytes, clip_id: uuid.UUID, examined: Examined) -> Write:
    """Return what records the properties found by decoding; ``key``: the child's data key.

    The part ``asset`` is empty where the asset was deleted meanwhile.
    """
    bars = _seal_bars(key, clip_id, examined.bars)
    return Write(_EXAMINED, (clip_id, examined.media.value, examined.channels, examined.duration_ms, bars))


def _seal_bars(key: bytes, clip_id: uuid.UUID, bars: Sequence[int]) -> bytes:
    return seal(key, json.dumps(list(bars)).encode(), f"bars/{clip_id}")


def open_bars(key: bytes, clip_id: uuid.UUID, sealed_bars: bytes | None) -> list[int] | None:
    """Return the 44 bars (0..100) of the waveform, sealed under the child's data key.

    None when the asset is not decoded, unplayable or deleted.
    """
    if sealed_bars is None:
        return None
    bars: list[int] = json.loads(unseal(key, sealed_bars, f"bars/{clip_id}"))
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
