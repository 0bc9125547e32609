"""The rows of blobs: whatever ends a process, between any two steps, the next sweep leaves nothing behind."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.audio_assets.storing import store_audio
from services.core.platform.blobs.actions import WRITING_LIVES, keep, release, reserve, sweep_one
from services.core.platform.blobs.errors import BlobGoneError, BlobMissingError, BlobStoreAwayError
from services.core.platform.blobs.store import BlobStore
from services.core.platform.blobs.tables import Blob
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock
from tests.support.world import Home, make_home

KEY = b"k" * 32


class KilledError(BaseException):
    """The end of a process: nothing catches it."""


class DyingStore(BlobStore):
    """A store whose process dies before, or after, it deletes."""

    dies = ""

    async def delete(self, blob_id: uuid.UUID) -> None:
        if self.dies == "before":
            raise KilledError
        await super().delete(blob_id)
        if self.dies == "after":
            raise KilledError


async def blobs_of(transcoder: Transcoder, home: Home) -> dict[uuid.UUID, str]:
    async with transcoder.database.begin() as work:
        rows = await work.session.exec(select(Blob).where(Blob.child_id == home.child_id))
        return {row.blob_id: row.state for row in rows}


def list_files(settings: Settings) -> set[str]:
    return {file.name for file in Path(settings.blob_url.removeprefix("file:")).rglob("*") if file.is_file()}


async def kept_blob(transcoder: Transcoder, home: Home) -> uuid.UUID:
    blob_id, _ = await store_audio(transcoder.database, transcoder.blobs, home.child_id, KEY, b"sound")
    async with transcoder.database.begin() as work:
        await keep(work, blob_id)
    return blob_id


async def sweep(transcoder: Transcoder) -> int:
    count = 0
    while await sweep_one(transcoder.database, transcoder.blobs):
        count += 1
    return count


async def test_what_is_kept_stays_and_what_is_released_goes_once(transcoder: Transcoder, settings: Settings) -> None:
    home = await make_home(transcoder.database)
    stays, goes = await kept_blob(transcoder, home), await kept_blob(transcoder, home)
    for _ in range(2):
        async with transcoder.database.begin() as work:
            await release(work, goes)
    assert await sweep(transcoder) == 1
    assert await blobs_of(transcoder, home) == {stays: "kept"}
    assert stays.hex in list_files(settings)
    assert goes.hex not in list_files(settings)
    async with transcoder.database.begin() as work:
        with pytest.raises(BlobGoneError):
            await keep(work, goes)


@pytest.mark.parametrize("put", [False, True])
async def test_what_was_begun_and_never_kept_goes_after_its_hour(
    transcoder: Transcoder, settings: Settings, clock: FakeClock, *, put: bool
) -> None:
    home = await make_home(transcoder.database)
    async with transcoder.database.begin() as work:
        blob_id = await reserve(work, home.child_id, 5, "0" * 64)
    if put:
        await transcoder.blobs.put(blob_id, KEY, b"sound")
    assert await sweep(transcoder) == 0
    clock.advance(seconds=(WRITING_LIVES - timedelta(seconds=1)).total_seconds())
    assert await sweep(transcoder) == 0
    clock.advance(seconds=1)
    assert await sweep(transcoder) == 1
    assert await blobs_of(transcoder, home) == {}
    assert blob_id.hex not in list_files(settings)
    # Its writer comes late: nothing becomes part of a message that is not there.
    async with transcoder.database.begin() as work:
        with pytest.raises(BlobGoneError):
            await keep(work, blob_id)


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_sweep_that_is_killed_is_finished_by_the_next(
    transcoder: Transcoder, settings: Settings, dies: str
) -> None:
    home = await make_home(transcoder.database)
    blob_id = await kept_blob(transcoder, home)
    async with transcoder.database.begin() as work:
        await release(work, blob_id)
    dying = DyingStore.of(settings)
    dying.dies = dies
    with pytest.raises(KilledError):
        await sweep_one(transcoder.database, dying)
    assert await blobs_of(transcoder, home) == {blob_id: "leaving"}, "the row goes last: somebody still knows of it"
    assert (blob_id.hex in list_files(settings)) is (dies == "before")
    assert await sweep(transcoder) == 1
    assert await blobs_of(transcoder, home) == {}
    assert blob_id.hex not in list_files(settings)


async def test_while_the_store_is_away_nothing_is_forgotten(transcoder: Transcoder, tmp_path: Path) -> None:
    home = await make_home(transcoder.database)
    blob_id = await kept_blob(transcoder, home)
    async with transcoder.database.begin() as work:
        await release(work, blob_id)
    away = BlobStore.of(Settings(blob_url=f"file:{tmp_path}/away"))
    (tmp_path / "away").rmdir()
    (tmp_path / "away").write_text("no folder")
    with pytest.raises(BlobStoreAwayError):
        await sweep_one(transcoder.database, away)
    assert await blobs_of(transcoder, home) == {blob_id: "leaving"}
    assert await sweep(transcoder) == 1


async def test_an_erased_childs_blobs_go_though_nobody_released_them(
    transcoder: Transcoder, settings: Settings
) -> None:
    home = await make_home(transcoder.database)
    blob_id = await kept_blob(transcoder, home)
    async with transcoder.database.begin() as work:
        await work.run(update(Blob).where(col(Blob.blob_id) == blob_id).values(child_id=None))
    assert await sweep(transcoder) == 1
    assert blob_id.hex not in list_files(settings)
    with pytest.raises(BlobMissingError):
        await transcoder.blobs.read(blob_id, KEY)


async def test_many_sweepers_take_each_thing_and_leave_nothing(transcoder: Transcoder, settings: Settings) -> None:
    home = await make_home(transcoder.database)
    blob_ids = [await kept_blob(transcoder, home) for _ in range(12)]
    async with transcoder.database.begin() as work:
        for blob_id in blob_ids:
            await release(work, blob_id)
    await asyncio.gather(*(sweep(transcoder) for _ in range(4)))
    assert await blobs_of(transcoder, home) == {}
    assert list_files(settings).isdisjoint(blob_id.hex for blob_id in blob_ids)
