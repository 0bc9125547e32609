"""Chunks from a watch: the same work for each, however many are here, and bounds that hold."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import col, func, select

from services.core.conversation.audio_assets import chunks_from_watch
from services.core.conversation.audio_assets.chunks_from_watch import delete_chunks, purge_one_unfinished
from services.core.conversation.audio_assets.rules import UNFINISHED_KEPT_FOR
from services.core.conversation.audio_assets.tables import AudioChunk, AudioUpload, AudioUploadTotal
from services.core.devices.watches.queries import standing_identity
from services.core.platform.db.database import Database, UnitOfWork
from tests.support.clock import FakeClock
from tests.support.uplinks import store_chunk
from tests.support.world import make_home, wear


async def watch_of(database: Database) -> str:
    """Return the user name of a paired watch."""
    return (await wear(database, await make_home(database))).username


async def store(database: Database, username: str, ref: str, number: int, size_bytes: int = 100) -> int:
    """Store a chunk and return how many stored rows of uploads were read for it."""
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        assert identity is not None
        # Small tables are read whole otherwise, whatever the statement asks for.
        await work.run(text("SET LOCAL enable_seqscan = off"))
        before = await rows_read(work)
        await store_chunk(work, identity, ref, number, b"x" * size_bytes)
        await work.flush()
        return await rows_read(work) - before


async def rows_read(work: UnitOfWork) -> int:
    """Return how many rows of uploads this connection has read since its counters were last collected."""
    read = await work.run(
        text(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('clip_chunk', 'audio_upload', 'audio_upload_total')"
        )
    )
    return int(read.scalar_one())


async def bytes_held(database: Database, username: str) -> dict[str, int]:
    """Return the bytes of each upload of a watch, from its chunks; the running totals say the same."""
    async with database.begin() as work:
        rows = await work.session.exec(
            select(AudioChunk.ref, func.sum(col(AudioChunk.size_bytes)))
            .where(col(AudioChunk.username) == username)
            .group_by(col(AudioChunk.ref))
        )
        sizes = {ref: int(size) for ref, size in rows}
        uploads = await work.session.exec(select(AudioUpload).where(col(AudioUpload.username) == username))
        assert {upload.ref: upload.size_bytes for upload in uploads} == sizes
        total = await work.session.get(AudioUploadTotal, username)
        assert (0 if total is None else total.size_bytes) == sum(sizes.values())
        return sizes


async def test_a_chunk_reads_as_many_rows_after_a_hundred_others_as_after_ten(database: Database) -> None:
    username = await watch_of(database)
    read = [await store(database, username, f"ref-{number % 5}", number) for number in range(120)]
    assert max(read[10:]) <= max(read[:10]) <= 8
    assert sum((await bytes_held(database, username)).values()) == 120 * 100


async def test_a_chunk_that_comes_again_counts_once(database: Database) -> None:
    username = await watch_of(database)
    for size_bytes in (100, 300, 50):
        await store(database, username, "a", 0, size_bytes)
        assert await bytes_held(database, username) == {"a": size_bytes}


async def test_the_oldest_upload_makes_room_and_too_large_a_one_is_not_stored(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks_from_watch, "UNFINISHED_MAX_BYTES", 1_000)
    monkeypatch.setattr(chunks_from_watch, "ASSET_CHUNKS_MAX_BYTES", 600)
    username, other = await watch_of(database), await watch_of(database)
    await store(database, other, "theirs", 0, 500)
    for ref in ("a", "b", "c"):
        clock.advance(seconds=1)
        await store(database, username, ref, 0, 300)
    clock.advance(seconds=1)
    await store(database, username, "a", 1, 100)
    # Now `b` is the oldest.
    await store(database, username, "d", 0, 250)
    assert await bytes_held(database, username) == {"a": 400, "c": 300, "d": 250}
    await store(database, username, "d", 1, 351)
    assert await bytes_held(database, username) == {"a": 400, "c": 300, "d": 250}
    assert await bytes_held(database, other) == {"theirs": 500}


async def test_uploads_end_by_deletion_or_by_time(database: Database, clock: FakeClock) -> None:
    username = await watch_of(database)
    for ref in ("a", "b"):
        await store(database, username, ref, 0)
    async with database.begin() as work:
        await delete_chunks(work, username, "a")
        await delete_chunks(work, username, "a")
    assert await bytes_held(database, username) == {"b": 100}
    clock.advance(seconds=UNFINISHED_KEPT_FOR.total_seconds())
    while True:
        async with database.begin() as work:
            if not await purge_one_unfinished(work):
                break
    assert await bytes_held(database, username) == {}
