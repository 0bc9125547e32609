"""Headers of every answer: no other origin reads it, no browser sniffs its type, no page frames it."""

from __future__ import annotations

import asyncpg
import httpx
import pytest
import structlog
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from services.api.app import create_app
from services.core.platform.db.database import Database
from services.core.platform.db.faults import sqlstate_of
from services.core.platform.settings import Settings
from tests.support.http import Parent, make_family

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
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for answer in (await client.options(path, headers=headers), await client.get(path, headers=headers)):
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
    query = {name: str(theirs.family_id)}
    assert await mine.told("GET", "/v1/me", headers=query) == await mine.told("GET", "/v1/me")
    assert (await mine.refused("GET", f"{theirs.family}/children", headers=query))[0] == 404


@pytest.mark.parametrize("field", ["role", "family_id", "site_id", "guardian_id", "is_primary", "may_manage"])
async def test_role_site_or_family_in_a_body_are_refused(
    client: httpx.AsyncClient, database: Database, field: str
) -> None:
    parent = await make_family(client, database)
    body = {"name": "Mei", field: str(parent.family_id)}
    assert await parent.refused("POST", f"{parent.family}/children", json=body) == (422, "invalid_request")


INSIDE = "password=hunter2 at /srv/app/secret.py"
COME_AGAIN = (503, "try_again", "2")


def _of_postgres(sqlstate: str) -> DBAPIError:
    inner = asyncpg.PostgresError(INSIDE)
    inner.sqlstate = sqlstate  # type: ignore[misc]  # asyncpg sets it like this, from the server's answer
    return DBAPIError(f"SELECT '{INSIDE}'", {"phone": INSIDE}, inner)


class Broken:
    """The API with a route that raises what a test puts here."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.fault: Exception | None = None
        app = create_app(settings, database)
        app.add_api_route("/v1/broken", self._break_down)
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def _break_down(self) -> None:
        assert self.fault is not None
        raise self.fault


@pytest.fixture(scope="module")
def broken(settings: Settings, database: Database) -> Broken:
    return Broken(settings, database)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (RuntimeError(INSIDE), (500, "internal_error", None)),
        (_of_postgres("42601"), (500, "internal_error", None)),
        # Two transactions in each other's way, a row that went in between, no connection free, and a database that is
        # full, starting, or gone: the same request again will pass.
        (_of_postgres("40P01"), COME_AGAIN),
        (_of_postgres("23505"), COME_AGAIN),
        (NoResultFound(INSIDE), COME_AGAIN),
        (NoConnectionFreeError(INSIDE), COME_AGAIN),
        (_of_postgres("53300"), COME_AGAIN),
        (_of_postgres("57P03"), COME_AGAIN),
        (TimeoutError(INSIDE), COME_AGAIN),
        (ConnectionRefusedError(INSIDE), COME_AGAIN),
    ],
    ids=lambda argument: (
        None if isinstance(argument, tuple) else f"{type(argument).__name__} {sqlstate_of(argument) or ''}".strip()
    ),
)
async def test_a_fault_of_ours_tells_a_request_id_and_nothing_of_the_inside(
    broken: Broken, fault: Exception, expected: tuple[int, str, str | None]
) -> None:
    broken.fault = fault
    async with httpx.AsyncClient(transport=broken.transport, base_url="http://api.test") as client:
        with structlog.testing.capture_logs() as lines:
            answer = await client.get("/v1/broken")
    body = answer.json()
    assert (answer.status_code, body["code"], answer.headers.get("retry-after")) == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) - {"retry_after_s"} == {"type", "title", "status", "code", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]
    text = f"{answer.text} {dict(answer.headers)}"
    assert not [word for word in ("hunter2", "secret.py", "SELECT", "Traceback", type(fault).__name__) if word in text]
    # The operator finds the cause by that id; a database error carries Postgres' own code.
    (line,) = [line for line in lines if line["event"] in {"request_failed", "request_not_served"}]
    assert line["event"] == ("request_failed" if expected[0] == 500 else "request_not_served")
    if expected[0] == 503:
        assert (line["error"], line["sqlstate"]) == (type(fault).__name__, sqlstate_of(fault))
