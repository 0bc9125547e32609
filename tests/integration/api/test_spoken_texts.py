"""Recordings of the consent texts that an operator provides."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.application import application


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder as an operator fills it: two recordings, and files that are none."""
    for name in ("messages-1-vi.mp3", "childs_word-1-zh-Hans.ogg"):
        (tmp_path / name).write_bytes(name.encode())
    for name in ("messages-1-vi.exe", "notes.txt", "messages-1-xx.mp3"):
        (tmp_path / name).write_text("not for parents")
    return tmp_path


async def test_parents_hear_what_the_operator_recorded_and_nothing_else(
    settings: Settings, database: Database, recordings: Path
) -> None:
    given = settings.model_copy(update={"consent_recordings": recordings})
    with application(given, database) as app:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
            named = await client.get("/web/spoken.json")
            assert named.json() == ["childs_word-1-zh-Hans.ogg", "messages-1-vi.mp3"]
            heard = await client.get("/web/spoken/messages-1-vi.mp3", headers={"Range": "bytes=0-7"})
            assert (heard.status_code, heard.content, heard.headers["content-type"]) == (206, b"messages", "audio/mpeg")
            for name in ("notes.txt", "messages-1-vi.exe", "..%2Fnotes.txt", "none-1-en.mp3"):
                assert (await client.get(f"/web/spoken/{name}")).status_code == 404


async def test_without_a_folder_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/web/spoken.json")).json() == []
