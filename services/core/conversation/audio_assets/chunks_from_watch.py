"""Chunks from a watch, until they are a clip. Each is committed before the broker forgets it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func
from sqlmodel import col, select

from services.core.conversation.audio_assets.rules import (
    ASSET_CHUNKS_MAX_BYTES,
    UNFINISHED_KEPT_FOR,
    UNFINISHED_MAX_BYTES,
)
from services.core.conversation.audio_assets.tables import AudioChunk
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.tables import Uplink


@dataclass(frozen=True)
class UploadManifest:
    """What the ``end`` of a clip says its chunks make."""

    size_bytes: int
    chunks: int
    sha256: str


@dataclass(frozen=True)
class MissingChunks:
    """Numbers of the chunks to send (again), ascending."""

    numbers: Sequence[int]


async def store_chunk(work: UnitOfWork, identity: WatchIdentity, ref: str, number: int, sound: bytes) -> None:
    """Keep one chunk, sealed; of the same number the last counts. One of a clip that was answered is worth nothing."""
    if await work.session.get(Uplink, (identity.username, ref)) is not None:
        return
    if not await _make_room(work, identity.username, ref, len(sound)):
        return
    child = await work.session.get_one(Child, identity.child_id)
    sealed = seal(data_key(work, child), sound, _context(identity.username, ref, number))
    await work.session.merge(
        AudioChunk(
            username=identity.username, ref=ref, number=number, size_bytes=len(sound), sealed_sound=sealed,
            received_at=work.now,
        )
    )  # fmt: skip


async def assemble_chunks(
    work: UnitOfWork, identity: WatchIdentity, ref: str, claim: UploadManifest
) -> bytes | MissingChunks:
    """Return the clip, or which chunks are missing.

    All there but another hash: every chunk is forgotten and missing, for nobody can tell which one is bad.
    """
    found = await work.session.exec(
        select(AudioChunk)
        .where(
            col(AudioChunk.username) == identity.username,
            col(AudioChunk.ref) == ref,
            col(AudioChunk.number) < claim.chunks,
        )
        .order_by(col(AudioChunk.number))
    )
    chunks = found.all()
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
    """Forget the chunks of a clip that was answered."""
    await work.run(delete(AudioChunk).where(col(AudioChunk.username) == username, col(AudioChunk.ref) == ref))


async def purge_one_unfinished(work: UnitOfWork) -> bool:
    """Forget the chunks of one clip that was never finished; return whether there was one. Safe to run twice."""
    found = await work.session.exec(
        select(AudioChunk.username, AudioChunk.ref)
        .group_by(col(AudioChunk.username), col(AudioChunk.ref))
        .having(func.max(col(AudioChunk.received_at)) <= work.now - UNFINISHED_KEPT_FOR)
        .limit(1)
    )
    unfinished = found.first()
    if unfinished is None:
        return False
    await delete_chunks(work, *unfinished)
    return True


async def _make_room(work: UnitOfWork, username: str, ref: str, more_bytes: int) -> bool:
    """Have the oldest other clips of this watch make room, so that one watch cannot fill the database.

    False: this clip alone is more than any clip may be, and no ``end`` can ever complete it.
    """
    found = await work.session.exec(
        select(AudioChunk.ref, func.sum(col(AudioChunk.size_bytes)))
        .where(col(AudioChunk.username) == username)
        .group_by(col(AudioChunk.ref))
        .order_by(func.max(col(AudioChunk.received_at)), col(AudioChunk.ref))
    )
    held = {other: int(size) for other, size in found}
    if held.get(ref, 0) + more_bytes > ASSET_CHUNKS_MAX_BYTES:
        return False
    total = sum(held.values()) + more_bytes
    for other, size in held.items():
        if total <= UNFINISHED_MAX_BYTES:
            break
        if other != ref:
            await delete_chunks(work, username, other)
            total -= size
    return True


def _context(username: str, ref: str, number: int) -> str:
    return f"chunk/{username}/{ref}/{number}"
