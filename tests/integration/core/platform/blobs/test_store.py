"""Objects on a folder and on an S3 server: sealed there, created once, read in ranges, and told when it is away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from services.core.platform.blobs.errors import (
    BlobBrokenError,
    BlobExistsError,
    BlobMissingError,
    BlobStoreAwayError,
)
from services.core.platform.blobs.sealing import CHUNK_BYTES
from services.core.platform.blobs.store import BlobStore
from services.core.platform.settings import Environment, Settings
from tests.support.s3 import S3Server

KEY = b"k" * 32
SOUND = b"a child says good night. " * 8_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def on_folder(folder: Path) -> BlobStore:
    return BlobStore.of(Settings(environment=Environment.TEST, blob_url=f"file:{folder}"))


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3Server]:
    """An S3 server on loopback, in this process."""
    with S3Server() as server:
        yield server


@pytest.fixture
def s3_settings(s3_server: S3Server) -> Settings:
    s3_server.add_bucket("recordings")
    return Settings(
        environment=Environment.TEST, blob_url="s3://recordings/pilot", s3_endpoint=s3_server.url,
        s3_region="us-east-1", s3_access_key_id="key-id", s3_secret_access_key="secret",
    )  # fmt: skip


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> BlobStore:
    """Either kind of store: they keep the same promises."""
    if request.param == "folder":
        store: BlobStore = request.getfixturevalue("on_folder")
        return store
    return BlobStore.of(request.getfixturevalue("s3_settings"))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 1024 * 1024])
async def test_every_size_comes_back_as_it_went(store: BlobStore, size: int) -> None:
    blob_id, sound = uuid.uuid4(), (SOUND * 6)[:size]
    await store.put(blob_id, KEY, sound)
    assert await store.read(blob_id, KEY) == sound


async def test_ranges_are_those_bytes_across_the_borders_of_chunks(store: BlobStore) -> None:
    blob_id = uuid.uuid4()
    await store.put(blob_id, KEY, SOUND)
    assert len(SOUND) > 3 * CHUNK_BYTES
    for start, end in (
        (0, 1), (0, CHUNK_BYTES), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (CHUNK_BYTES, 2 * CHUNK_BYTES),
        (10, 3 * CHUNK_BYTES + 5), (len(SOUND) - 1, len(SOUND)), (len(SOUND) - 5, None), (5, 5), (9, 3),
        (len(SOUND), None), (0, 10**9), (10**9, None),
    ):  # fmt: skip
        assert await store.read(blob_id, KEY, start, end) == SOUND[start:end], (start, end)


async def test_nothing_is_ever_replaced(store: BlobStore) -> None:
    blob_id = uuid.uuid4()
    await store.put(blob_id, KEY, b"first")
    with pytest.raises(BlobExistsError):
        await store.put(blob_id, KEY, b"second")
    assert await store.read(blob_id, KEY) == b"first"


async def test_what_is_deleted_is_gone_and_a_repeat_is_fine(store: BlobStore) -> None:
    blob_id = uuid.uuid4()
    with pytest.raises(BlobMissingError):
        await store.read(blob_id, KEY)
    await store.put(blob_id, KEY, SOUND)
    await store.delete(blob_id)
    await store.delete(blob_id)
    with pytest.raises(BlobMissingError):
        await store.read(blob_id, KEY)


async def test_another_key_opens_nothing(store: BlobStore) -> None:
    blob_id = uuid.uuid4()
    await store.put(blob_id, KEY, SOUND)
    with pytest.raises(BlobBrokenError):
        await store.read(blob_id, b"o" * 32)


async def test_it_says_that_it_is_there(store: BlobStore) -> None:
    await store.ping()


async def test_nothing_plain_is_on_the_disk_and_nobody_else_may_look(on_folder: BlobStore, folder: Path) -> None:
    blob_id = uuid.uuid4()
    await on_folder.put(blob_id, KEY, SOUND)
    (file,) = (path for path in folder.rglob("*") if path.is_file())  # noqa: ASYNC240
    assert file.name == blob_id.hex
    content = file.read_bytes()
    for place in range(0, len(SOUND), CHUNK_BYTES // 2):
        assert SOUND[place : place + 12] not in content
    assert KEY not in content
    assert folder.stat().st_mode & 0o077 == 0  # noqa: ASYNC240


async def test_an_object_under_another_name_does_not_open(on_folder: BlobStore, folder: Path) -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    await on_folder.put(mine, KEY, b"mine")
    await on_folder.put(other, KEY, b"other")
    places = [folder / blob_id.hex[:2] / blob_id.hex for blob_id in (mine, other)]
    places[0].write_bytes(places[1].read_bytes())
    with pytest.raises(BlobBrokenError):
        await on_folder.read(mine, KEY)


@pytest.mark.parametrize("content", [b"", b"\x01", b"\x01" + bytes(32), b"\x02" + bytes(40)])
async def test_what_is_no_blob_is_a_broken_one(on_folder: BlobStore, folder: Path, content: bytes) -> None:
    blob_id = uuid.uuid4()
    file = folder / blob_id.hex[:2] / blob_id.hex
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(BlobBrokenError):
        await on_folder.read(blob_id, KEY)


async def test_an_end_that_was_cut_off_is_no_end(on_folder: BlobStore, folder: Path) -> None:
    blob_id = uuid.uuid4()
    await on_folder.put(blob_id, KEY, SOUND)
    file = folder / blob_id.hex[:2] / blob_id.hex
    # At the border of a chunk: what is left looks whole.
    file.write_bytes(file.read_bytes()[: 17 + 2 * (CHUNK_BYTES + 16)])
    for start in (0, CHUNK_BYTES, 2 * CHUNK_BYTES, len(SOUND)):
        with pytest.raises(BlobBrokenError):
            await on_folder.read(blob_id, KEY, start)
    assert await on_folder.read(blob_id, KEY, 0, CHUNK_BYTES) == SOUND[:CHUNK_BYTES]


async def test_on_s3_it_lies_below_the_prefix_and_sealed(s3_settings: Settings) -> None:
    blob_id = uuid.uuid4()
    store = BlobStore.of(s3_settings)
    await store.put(blob_id, KEY, SOUND)
    whole = obstore.store.S3Store(
        "recordings", endpoint=s3_settings.s3_endpoint, region="us-east-1", access_key_id="key-id",
        secret_access_key="secret", client_options={"allow_http": True},
    )  # fmt: skip
    content = await obstore.get_async(whole, f"pilot/{blob_id.hex[:2]}/{blob_id.hex}")
    sealed = bytes(await content.bytes_async())
    assert len(sealed) > len(SOUND)
    assert SOUND[:12] not in sealed


async def test_a_store_that_is_away_is_said_to_be_away() -> None:
    nowhere = BlobStore.of(
        Settings(
            environment=Environment.TEST, blob_url="s3://recordings/pilot", s3_endpoint="http://127.0.0.1:9",
            s3_region="us-east-1", s3_access_key_id="key-id", s3_secret_access_key="secret",
        )
    )  # fmt: skip
    blob_id = uuid.uuid4()
    for request in (
        nowhere.put(blob_id, KEY, b"x"),
        nowhere.read(blob_id, KEY),
        nowhere.delete(blob_id),
        nowhere.ping(),
    ):
        with pytest.raises(BlobStoreAwayError):
            await request
