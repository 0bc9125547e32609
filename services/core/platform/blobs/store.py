"""Objects on a local folder or an S3 server, sealed when written and opened when read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from services.core.platform.blobs.errors import (
    BlobBrokenError,
    BlobExistsError,
    BlobMissingError,
    BlobStoreAwayError,
)
from services.core.platform.blobs.sealing import (
    CHUNK_BYTES,
    HEADER_BYTES,
    chunk_count,
    open_chunks,
    plain_size,
    seal_blob,
    span_of_chunks,
)
from services.core.platform.settings import Settings

# The largest object has 1 MiB; a store that needs longer counts as unavailable.
_ANSWER_TIMEOUT_S = 20.0
_PING = "ping"
_ID = re.compile("[0-9a-f]{32}")

__all__ = ["BlobBrokenError", "BlobExistsError", "BlobMissingError", "BlobStore", "BlobStoreAwayError"]


class BlobStore:
    """The blob store. Every call has a deadline and raises BlobStoreAwayError when the store does not answer."""

    def __init__(self, store: LocalStore | S3Store, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        # Folders whose own names are on the disk: they stay for as long as the store.
        self._durable_folders: set[Path] = set()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the store that ``blob_url`` names: ``file:<folder>`` or ``s3://<bucket>/<prefix>``."""
        scheme, _, place = settings.blob_url.partition(":")
        if scheme == "file":
            folder = Path(place).absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder, mkdir=True), folder)
        bucket, _, prefix = place.removeprefix("//").partition("/")
        return cls(
            S3Store(
                bucket,
                prefix=prefix or None,
                endpoint=settings.s3_endpoint or None,
                region=settings.s3_region or None,
                access_key_id=settings.s3_access_key_id or None,
                secret_access_key=settings.s3_secret_access_key.get_secret_value() or None,
                client_options={"allow_http": settings.s3_endpoint.startswith("http:"), "timeout": "10s"},
                retry_config={"max_retries": 2},
            )
        )

    async def put(self, blob_id: uuid.UUID, key: bytes, plaintext: bytes) -> None:
        """Seal and store a blob under its data key; it survives a loss of power once this returns.

        Raises BlobExistsError: nothing is ever replaced.
        """
        path = _path(blob_id)
        async with _answered():
            await obstore.put_async(self._store, path, seal_blob(key, blob_id.hex, plaintext), mode="create")
            if self._folder is not None:
                await asyncio.to_thread(self._make_durable, self._folder / path)

    def _make_durable(self, file: Path) -> None:
        """Flush the file and its folder to the disk, and the folder's name once: the store renames without fsync."""
        _flush(file, file.parent)
        if file.parent not in self._durable_folders:
            _flush(file.parent.parent)
            self._durable_folders.add(file.parent)

    async def read(self, blob_id: uuid.UUID, key: bytes, start: int = 0, end: int | None = None) -> bytes:
        """Return the plain bytes from ``start`` to before ``end`` (None: the end), as far as there are any.

        Only the chunks that hold them are fetched. Raises BlobMissingError, BlobBrokenError.
        """
        path, name = _path(blob_id), blob_id.hex
        async with _answered():
            header, sealed_bytes = await self._header(path)
            size = plain_size(sealed_bytes)
            stop = size if end is None else min(end, size)
            if start < stop:
                first, last = start // CHUNK_BYTES, (stop - 1) // CHUNK_BYTES
            else:
                # The range is empty; the last chunk proves where the blob ends, its size does not.
                first = last = chunk_count(size) - 1
            span = span_of_chunks(first, last, sealed_bytes)
            sealed = bytes(await obstore.get_range_async(self._store, path, start=span[0], end=span[1]))
        plain = open_chunks(key, name, header, sealed, first=first, of_chunks=chunk_count(size))
        if start >= stop:
            return b""
        return plain[start - first * CHUNK_BYTES : stop - first * CHUNK_BYTES]

    async def _header(self, path: str) -> tuple[bytes, int]:
        """Return the first bytes of an object and its size."""
        try:
            head = await obstore.get_async(self._store, path, options={"range": (0, HEADER_BYTES)})
        except NotFoundError:
            raise
        except BaseError:
            # An empty object has no header: it is damaged, and a retry does not help.
            if (await obstore.head_async(self._store, path))["size"] >= HEADER_BYTES:
                raise
            raise BlobBrokenError from None
        return bytes(await head.bytes_async()), head.meta["size"]

    async def delete(self, blob_id: uuid.UUID) -> None:
        """Delete a blob; a repeat does nothing."""
        with contextlib.suppress(BlobMissingError):
            async with _answered():
                await obstore.delete_async(self._store, _path(blob_id))

    async def read_sealed(self, blob_id: uuid.UUID) -> bytes:
        """Return an object as it is stored, for a backup; raises BlobMissingError."""
        async with _answered():
            stored = await obstore.get_async(self._store, _path(blob_id))
            return bytes(await stored.bytes_async())

    async def put_sealed(self, blob_id: uuid.UUID, sealed: bytes) -> None:
        """Store an object of a backup as it was; raises BlobExistsError. Not flushed to the disk one by one."""
        async with _answered():
            await obstore.put_async(self._store, _path(blob_id), sealed, mode="create")

    async def holds(self, blob_id: uuid.UUID) -> bool:
        """Return whether there is such an object."""
        try:
            async with _answered():
                await obstore.head_async(self._store, _path(blob_id))
        except BlobMissingError:
            return False
        return True

    async def is_empty(self) -> bool:
        """Return whether the store holds no object."""
        async for page in self.stored_ids():
            if page:
                return False
        return True

    async def stored_ids(self) -> AsyncIterator[list[uuid.UUID]]:
        """Yield pages of the ids of every object in the store: only a restore searches it."""
        try:
            async for page in obstore.list(self._store):
                names = [Path(entry["path"]).name for entry in page]
                yield [uuid.UUID(hex=name) for name in names if _ID.fullmatch(name)]
        except (BaseError, OSError) as error:
            raise BlobStoreAwayError(type(error).__qualname__) from error

    async def ping(self) -> None:
        """Raise BlobStoreAwayError unless the store answers; a local folder must also accept a file."""
        if self._folder is not None:
            async with _answered():
                await obstore.put_async(self._store, _PING, b"")
            return
        with contextlib.suppress(BlobMissingError):
            async with _answered():
                await obstore.head_async(self._store, _PING)


def _path(blob_id: uuid.UUID) -> str:
    # Folders of a few thousand entries: some file systems are slow with millions in one.
    return f"{blob_id.hex[:2]}/{blob_id.hex}"


def _flush(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            yield
    except (NotFoundError, FileNotFoundError) as error:
        raise BlobMissingError from error
    except AlreadyExistsError as error:
        raise BlobExistsError from error
    except (BaseError, OSError) as error:
        # TimeoutError is an OSError.
        raise BlobStoreAwayError(type(error).__qualname__) from error
