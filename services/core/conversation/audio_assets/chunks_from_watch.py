"""Chunks of a recording from a watch, stored until its ``end`` completes it. Each is committed before its PUBACK."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.conversation.audio_assets.rules import (
    ASSET_CHUNKS_MAX_BYTES,
    UNFINISHED_KEPT_FOR,
    UNFINISHED_MAX_BYTES,
)
from services.core.conversation.audio_assets.tables import AudioChunk, AudioUpload, AudioUploadTotal
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.tables import Uplink


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


async def store_chunk(work: UnitOfWork, identity: WatchIdentity, ref: str, number: int, sound: bytes) -> None:
    """Store one chunk, sealed; it replaces a chunk with the same number. Chunks of an answered upload are dropped.

    The caller holds the identity's row lock, so that uploads of one watch are serialised. The cost does not grow with
    the upload: sizes are running totals, and stored chunks are not read.
    """
    if await work.session.get(Uplink, (identity.username, ref)) is not None:
        return
    chunk = await work.session.get(AudioChunk, (identity.username, ref, number))
    more_bytes = len(sound) - (0 if chunk is None else chunk.size_bytes)
    if not await _make_room(work, identity.username, ref, more_bytes):
        return
    child = await work.session.get_one(Child, identity.child_id)
    sealed = seal(data_key(work, child), sound, _context(identity.username, ref, number))
    if chunk is None:
        chunk = AudioChunk(
            username=identity.username, ref=ref, number=number, size_bytes=len(sound), sealed_sound=sealed,
            received_at=work.now,
        )  # fmt: skip
    chunk.size_bytes, chunk.sealed_sound, chunk.received_at = len(sound), sealed, work.now
    work.add(chunk)


async def assemble_chunks(
    work: UnitOfWork, identity: WatchIdentity, ref: str, claim: UploadManifest
) -> bytes | MissingChunks:
    """Return the complete recording, or the numbers of its missing chunks.

    All chunks present, but with another hash: all are deleted and reported as missing, as the damaged one is unknown.
    """
    result = await work.session.exec(
        select(AudioChunk)
        .where(
            col(AudioChunk.username) == identity.username,
            col(AudioChunk.ref) == ref,
            col(AudioChunk.number) < claim.chunks,
        )
        .order_by(col(AudioChunk.number))
    )
    chunks = result.all()
    there = {chunk.number for chunk in chunks}
    if missing := [number for number in range(claim.chunks) if number not in there]:
        return MissingChunks(missing)
    child = await work.session.get_one(Child, identity.child_id)
    key = data_key(work, child)
    clip = b"".join(unseal(key, chunk.sealed_sound, _context(identity.username, ref, chunk.number)) for chunk in chunks)
    if len(clip) == claim.size_bytes and hashlib.sha256(clip).hexdigest() == claim.sha256:
        return clip
    await delete_chunks(work, identity.username, ref)
    return MissingChunks(range(claim.chunks))


async def delete_chunks(work: UnitOfWork, username: str, ref: str) -> None:
    """Delete the chunks of one upload and subtract its size from the watch's total; no upload: no change."""
    upload = await work.session.get(AudioUpload, (username, ref))
    if upload is None:
        return
    await work.run(delete(AudioChunk).where(col(AudioChunk.username) == username, col(AudioChunk.ref) == ref))
    total = await work.session.get_one(AudioUploadTotal, username)
    total.size_bytes -= upload.size_bytes
    work.add(total)
    await work.session.delete(upload)
    await work.flush()


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


async def _make_room(work: UnitOfWork, username: str, ref: str, more_bytes: int) -> bool:
    """Count ``more_bytes`` of an upload; delete the watch's oldest other uploads while the total exceeds the bound.

    Return False and count nothing when this upload alone exceeds the largest possible recording: no ``end`` can
    complete it.
    """
    upload = await work.session.get(AudioUpload, (username, ref))
    if upload is None:
        upload = AudioUpload(username=username, ref=ref, size_bytes=0, received_at=work.now)
    if upload.size_bytes + more_bytes > ASSET_CHUNKS_MAX_BYTES:
        return False
    total = await work.session.get(AudioUploadTotal, username)
    if total is None:
        total = AudioUploadTotal(username=username, size_bytes=0)
    upload.size_bytes += more_bytes
    upload.received_at = work.now
    total.size_bytes += more_bytes
    work.add(upload, total)
    await work.flush()
    while total.size_bytes > UNFINISHED_MAX_BYTES:
        rows = await work.session.exec(
            select(AudioUpload.ref)
            .where(col(AudioUpload.username) == username, col(AudioUpload.ref) != ref)
            .order_by(col(AudioUpload.received_at), col(AudioUpload.ref))
            .limit(1)
        )
        oldest = rows.first()
        if oldest is None:
            break
        await delete_chunks(work, username, oldest)
    return True


def _context(username: str, ref: str, number: int) -> str:
    return f"chunk/{username}/{ref}/{number}"
