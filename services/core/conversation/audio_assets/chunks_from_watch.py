"""Chunks of a recording from a watch, stored until its ``end`` completes it. Each is committed before its PUBACK."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from services.core.conversation.audio_assets.rules import (
    ASSET_CHUNKS_MAX_BYTES,
    UNFINISHED_KEPT_FOR,
    UNFINISHED_MAX_BYTES,
)
from services.core.conversation.audio_assets.tables import AudioUpload
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import unwrapped_key
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together


@dataclass(frozen=True)
class UploadManifest:
    """The ``end`` of an upload: hash, size and number of its chunks."""

    size_bytes: int
    chunks: int
    sha256: str


@dataclass(frozen=True)
class MissingChunks:
    """Numbers of the chunks that the watch must send (again), ascending."""

    numbers: Sequence[int]


@dataclass(frozen=True)
class ReceivedChunk:
    """One chunk as a watch sent it."""

    username: str
    ref: str
    number: int
    sound: bytes


# Per chunk: whether its upload was answered, the sizes of what it replaces, of its upload and of all uploads of its
# watch, and the key of the child.
_READ: Final = """
SELECT uplink.ref IS NOT NULL, clip_chunk.size_bytes, audio_upload.size_bytes, audio_upload_total.size_bytes,
 child.wrapped_key
FROM unnest($1::text[], $2::text[], $3::int[], $4::uuid[]) WITH ORDINALITY
 AS given(username, ref, number, child_id, place)
JOIN child ON child.child_id = given.child_id
LEFT JOIN uplink ON uplink.username = given.username AND uplink.ref = given.ref
LEFT JOIN clip_chunk ON clip_chunk.username = given.username AND clip_chunk.ref = given.ref
 AND clip_chunk.number = given.number
LEFT JOIN audio_upload ON audio_upload.username = given.username AND audio_upload.ref = given.ref
LEFT JOIN audio_upload_total ON audio_upload_total.username = given.username
ORDER BY place
"""
_WRITE_CHUNKS: Final = """
INSERT INTO clip_chunk (username, ref, number, size_bytes, sealed_sound, received_at)
SELECT *, $6::timestamptz FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bytea[])
ON CONFLICT (username, ref, number) DO UPDATE SET size_bytes = excluded.size_bytes,
 sealed_sound = excluded.sealed_sound, received_at = excluded.received_at
"""
_WRITE_UPLOADS: Final = """
INSERT INTO audio_upload (username, ref, size_bytes, received_at)
SELECT *, $4::timestamptz FROM unnest($1::text[], $2::text[], $3::int[])
ON CONFLICT (username, ref) DO UPDATE SET size_bytes = excluded.size_bytes, received_at = excluded.received_at
"""
_WRITE_TOTALS: Final = """
INSERT INTO audio_upload_total (username, size_bytes) SELECT * FROM unnest($1::text[], $2::int[])
ON CONFLICT (username) DO UPDATE SET size_bytes = excluded.size_bytes
"""


async def store_chunks(
    work: UnitOfWork, identities: Mapping[str, WatchIdentity], chunks: Sequence[ReceivedChunk]
) -> None:  # fmt: skip
    """Store chunks of any number of watches, sealed; each replaces a chunk with the same number.

    Chunks of an answered upload are dropped. ``identities`` holds the standing identities by user name, locked by the
    caller, so that uploads of one watch are serialised. The cost does not grow with the upload: sizes are running
    totals, and stored chunks are not read.
    """
    if not chunks:
        return
    child_ids = [identities[chunk.username].child_id for chunk in chunks]
    known = await work.fetch(
        _READ, [chunk.username for chunk in chunks], [chunk.ref for chunk in chunks],
        [chunk.number for chunk in chunks], child_ids,
    )  # fmt: skip
    sizes: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = {}
    # The last chunk of a number is kept; its size counts once.
    kept: dict[tuple[str, str, int], tuple[int, bytes]] = {}
    for chunk, child_id, row in zip(chunks, child_ids, known, strict=True):
        is_answered, replaced_bytes, upload_bytes, total_bytes, wrapped_key = row
        if is_answered:
            continue
        upload, key = (chunk.username, chunk.ref), (chunk.username, chunk.ref, chunk.number)
        more_bytes = len(chunk.sound) - (kept[key][0] if key in kept else replaced_bytes or 0)
        size_bytes = sizes.get(upload, upload_bytes or 0) + more_bytes
        if size_bytes > ASSET_CHUNKS_MAX_BYTES:
            # Beyond the largest possible recording: no `end` can complete it.
            continue
        sizes[upload] = size_bytes
        totals[chunk.username] = totals.get(chunk.username, total_bytes or 0) + more_bytes
        sealed = seal(unwrapped_key(work, child_id, wrapped_key), chunk.sound, _context(*key))
        kept[key] = (len(chunk.sound), sealed)
    if not kept:
        return
    written_chunks = (
        *map(list, zip(*kept, strict=True)), [size for size, _ in kept.values()],
        [sealed for _, sealed in kept.values()], work.now,
    )  # fmt: skip
    written_uploads = (*map(list, zip(*sizes, strict=True)), list(sizes.values()), work.now)
    await write_together(
        work,
        Write((("written_chunks", _WRITE_CHUNKS),), written_chunks),
        Write((("written_uploads", _WRITE_UPLOADS),), written_uploads),
        Write((("written_totals", _WRITE_TOTALS),), (list(totals), list(totals.values()))),
    )
    newest = dict(sizes.keys())
    for username, total_bytes in totals.items():
        if total_bytes > UNFINISHED_MAX_BYTES:
            await _delete_oldest(work, username, newest[username])


async def _delete_oldest(work: UnitOfWork, username: str, but_ref: str) -> None:
    """Delete the watch's oldest uploads, except of one, while all of them together exceed the bound."""
    while True:
        oldest = await work.fetch(
            "SELECT ref FROM audio_upload JOIN audio_upload_total AS total USING (username)"
            " WHERE username = $1 AND ref <> $2 AND total.size_bytes > $3"
            " ORDER BY received_at, ref LIMIT 1",
            username, but_ref, UNFINISHED_MAX_BYTES,
        )  # fmt: skip
        if not oldest:
            return
        await delete_chunks(work, username, oldest[0][0])


async def assemble_chunks(
    work: UnitOfWork, identity: WatchIdentity, ref: str, claim: UploadManifest, key: bytes
) -> bytes | MissingChunks:
    """Return the complete recording, opened with the child's key, or the numbers of its missing chunks.

    All chunks present, but with another hash: all are deleted and reported as missing, as the damaged one is unknown.
    """
    rows = await work.fetch(
        "SELECT number, sealed_sound FROM clip_chunk WHERE username = $1 AND ref = $2 AND number < $3 ORDER BY number",
        identity.username, ref, claim.chunks,
    )  # fmt: skip
    chunks: list[tuple[int, bytes]] = [(number, sealed) for number, sealed in rows]
    numbers = {number for number, _ in chunks}
    if missing := [number for number in range(claim.chunks) if number not in numbers]:
        return MissingChunks(missing)
    clip = opened_chunks(identity.username, ref, claim, key, chunks)
    if clip is not None:
        return clip
    await delete_chunks(work, identity.username, ref)
    return MissingChunks(range(claim.chunks))


def opened_chunks(
    username: str, ref: str, claim: UploadManifest, key: bytes, chunks: Sequence[tuple[int, bytes]]
) -> bytes | None:
    """Return the recording of chunks (numbers and sealed bytes, ascending), or None unless they are what is claimed."""
    if [number for number, _ in chunks] != list(range(claim.chunks)):
        return None
    clip = b"".join(unseal(key, sealed, _context(username, ref, number)) for number, sealed in chunks)
    is_claimed = len(clip) == claim.size_bytes and hashlib.sha256(clip).hexdigest() == claim.sha256
    return clip if is_claimed else None


_DELETE: Final = (
    ("deleted_upload", "DELETE FROM audio_upload WHERE username = $1 AND ref = $2 RETURNING size_bytes"),
    ("deleted_chunks", "DELETE FROM clip_chunk WHERE username = $1 AND ref = $2"),
    (
        "reduced_total",
        (
            "UPDATE audio_upload_total AS total SET size_bytes = total.size_bytes - deleted_upload.size_bytes"
            " FROM deleted_upload WHERE username = $1"
        ),
    ),
)


async def delete_chunks(work: UnitOfWork, username: str, ref: str) -> None:
    """Delete the chunks of one upload and subtract its size from the watch's total; no upload: no change."""
    await write_together(work, deleted_chunks(username, ref))


def deleted_chunks(username: str, ref: str) -> Write:
    """Return what :func:`delete_chunks` writes, to be written together with other rows."""
    return Write(_DELETE, (username, ref))


async def purge_one_unfinished(work: UnitOfWork) -> bool:
    """Delete one upload without an ``end`` for 30 days; return whether one was deleted. Safe to repeat."""
    rows = await work.session.exec(
        select(AudioUpload.username, AudioUpload.ref)
        .where(col(AudioUpload.received_at) <= work.now - UNFINISHED_KEPT_FOR)
        .limit(1)
    )
    unfinished = rows.first()
    if unfinished is None:
        return False
    username, ref = unfinished
    # The lock of an uplink: only one transaction at a time changes the totals of a watch.
    await work.session.exec(
        select(WatchIdentity.username).where(col(WatchIdentity.username) == username).with_for_update(key_share=True)
    )
    upload = await work.session.get(AudioUpload, (username, ref), populate_existing=True)
    if upload is not None and upload.received_at <= work.now - UNFINISHED_KEPT_FOR:
        await delete_chunks(work, username, ref)
    return True


def _context(username: str, ref: str, number: int) -> str:
    return f"chunk/{username}/{ref}/{number}"
