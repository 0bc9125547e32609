"""HEAD on every route that serves a file answers as GET does; no route besides learns a new method."""

from __future__ import annotations

import uuid

import httpx
import pytest

from services.api.head_requests import file_paths
from tests.support.api_routes import app_without_database

PATHS = sorted(file_paths(app_without_database()))


def test_the_files_are_these() -> None:
    assert PATHS == [
        "/v1/audio/{token}",
        "/v1/children/{child_id}/checkins/day.geojson",
        "/v1/children/{child_id}/checkins/day.gpx",
        "/v1/children/{child_id}/messages/{message_id}/audio",
        "/v1/exports/{token}",
        "/v1/families/{family_id}/exports/{export_id}/file",
        "/v1/staff/exports/{usage_export_id}/file",
        "/v1/staff/sites/{site_id}/hand-out-list",
        "/v1/staff/sites/{site_id}/leaflet",
        "/v1/staff/sites/{site_id}/watch-labels",
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_refused_as_get_is(client: httpx.AsyncClient, path: str) -> None:
    names = ("child_id", "message_id", "token", "family_id", "export_id", "usage_export_id", "site_id")
    concrete = path.format(**dict.fromkeys(names, uuid.UUID(int=5)))
    get, head = await client.get(concrete), await client.head(concrete)
    assert (head.status_code, head.headers["content-length"]) == (get.status_code, get.headers["content-length"])
    assert (get.status_code, head.content) == (401, b"")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/events", "/healthz", "/v1/sync"])
async def test_other_routes_refuse_head_as_before(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.head(path)).status_code == 405
