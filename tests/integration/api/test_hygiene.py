"""What every answer carries, whatever was asked: no other origin reads it, no browser guesses, nobody frames it."""

from __future__ import annotations

import httpx
import pytest

from services.core.db.database import Database
from tests.parent import Parent, make_family

PATHS = ["/healthz", "/v1/me", "/v1/children/none", "/nowhere", "/openapi.json", "/v1/consent-texts"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_an_id_and_the_headers_that_protect_it(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert len(answer.headers["x-request-id"]) == 12
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "no-store" in answer.headers["cache-control"]
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://api.test.evil.example"])
async def test_no_other_origin_is_ever_let_in(client: httpx.AsyncClient, path: str, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for answer in (await client.options(path, headers=asked), await client.get(path, headers=asked)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_what_a_client_calls_its_request_is_not_taken_over(client: httpx.AsyncClient, database: Database) -> None:
    parent: Parent = await make_family(client, database)
    answer = await parent.ask("GET", "/v1/me", headers={"X-Request-Id": "mine\tmine"})
    assert answer.headers["x-request-id"] != "mine\tmine"


@pytest.mark.parametrize(
    "query", ["family_id=00000000-0000-0000-0000-000000000000", "role=admin", "guardian_id=1", "is_primary=true"]
)
async def test_role_site_or_family_in_a_query_change_nothing(
    client: httpx.AsyncClient, database: Database, query: str
) -> None:
    parent = await make_family(client, database)
    plain = await parent.told("GET", "/v1/me")
    assert await parent.told("GET", f"/v1/me?{query}") == plain


@pytest.mark.parametrize("name", ["X-Role", "X-Family-Id", "X-User", "X-Forwarded-User", "X-Original-URL"])
async def test_role_site_or_family_in_a_header_change_nothing(
    client: httpx.AsyncClient, database: Database, name: str
) -> None:
    mine, theirs = await make_family(client, database), await make_family(client, database)
    asked = {name: str(theirs.family_id)}
    assert await mine.told("GET", "/v1/me", headers=asked) == await mine.told("GET", "/v1/me")
    assert (await mine.refused("GET", f"{theirs.family}/children", headers=asked))[0] == 404


@pytest.mark.parametrize("field", ["role", "family_id", "site_id", "guardian_id", "is_primary", "may_manage"])
async def test_role_site_or_family_in_a_body_are_refused(
    client: httpx.AsyncClient, database: Database, field: str
) -> None:
    parent = await make_family(client, database)
    said = {"name": "Mei", field: str(parent.family_id)}
    assert await parent.refused("POST", f"{parent.family}/children", json=said) == (422, "invalid_request")
