"""Anybody may ask which version runs, under which licence, and where its source is."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from services import __version__
from services.api.app import create_app
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings

SOURCE = "https://example.org/smartwatch.git"


async def test_the_version_is_public_and_an_unchanged_one_names_no_source(client: httpx.AsyncClient) -> None:
    answer = await client.get("/version")
    assert answer.status_code == 200
    assert answer.json() == {"version": __version__, "licence": "AGPL-3.0-or-later", "source_url": None}


async def test_a_changed_version_says_where_its_source_is(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"source_url": SOURCE}), database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        assert (await client.get("/version")).json()["source_url"] == SOURCE


@pytest.mark.parametrize("wrong", ["javascript:alert(1)", "ftp://example.org", "https://example.org/a b", "nowhere"])
def test_a_source_that_is_no_web_address_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(source_url=wrong)
