"""Readiness asks everything that requests need: the database, its revision, and where recordings are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx

from services.core.platform.settings import Settings


@contextlib.contextmanager
def _file_in_place_of(folder: Path) -> Iterator[None]:
    """Put a file where a folder was, so that not even root can write below it."""
    moved = folder.rename(folder.with_name(f"{folder.name}-elsewhere"))
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        moved.rename(folder)


async def test_a_blob_store_that_takes_nothing_makes_the_process_unready(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {
            "status": "ok",
            "checks": {"postgres": "ok", "migrations": "ok", "blobs": "ok"},
            "own_fault": [],
            "warnings": {},
        },
    )
    with _file_in_place_of(Path(settings.blob_url.removeprefix("file:"))):
        away = await client.get("/readyz")
        assert (away.status_code, away.json()["checks"]["blobs"]) == (503, "BlobStoreAwayError")
        assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
