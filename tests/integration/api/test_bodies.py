"""Bodies and headers that no client of ours sends: each a clear 4xx, nothing repeated, nobody else disturbed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog

from services.api.body_limits import BODY_MAX_BYTES
from services.api.json_bodies import JSON_MAX_DEPTH
from services.core.platform.db.database import Database
from tests.support.http import make_family

CODES = "/v1/auth/codes"
JSON = {"Content-Type": "application/json"}
SECRET = "a-word-that-must-not-come-back"


async def _post(client: httpx.AsyncClient, content: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
    answer = await client.post(CODES, content=content, headers=headers or JSON)
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:smartwatch:problem:{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"phone": "' + SECRET.encode(),
        b'{"phone": "\xff\xfe"}',
        b"\xed\xa0\x80",
        b'{"phone": NaN}',
        b'{"phone": Infinity}',
        b'{"phone": -Infinity}',
        b'{"phone": 1e999}',
        b'{"phone": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"phone":' * 6_000 + b"1" + b"}" * 6_000,
        b'{"phone":' * 500 + b"1" + b"}" * 500,
        b'{"phone": ' + b"9" * 60_000 + b"}",
        b"\x00",
        b"\xef\xbb\xbf{}",
        '{"phone": "+8613800138000"}'.encode("utf-16"),
    ],
)
async def test_what_is_no_json_of_ours_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    status, code = await _post(client, content)
    assert (status, code) in {(400, "malformed"), (400, "body_too_deep"), (422, "invalid_request")}


@pytest.mark.parametrize(
    ("depth", "code"), [(JSON_MAX_DEPTH, "invalid_request"), (JSON_MAX_DEPTH + 1, "body_too_deep")]
)
async def test_a_body_nests_as_deep_as_it_is_written(client: httpx.AsyncClient, depth: int, code: str) -> None:
    status = 400 if code == "body_too_deep" else 422
    assert await _post(client, b"[" * depth + b"]" * depth) == (status, code)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"5", b"true", b"{}", b""])
async def test_json_of_another_shape_is_refused_by_pointer(client: httpx.AsyncClient, content: bytes) -> None:
    assert await _post(client, content) == (422, "invalid_request")


async def test_the_errors_name_where_and_which_rule_and_never_what(client: httpx.AsyncClient) -> None:
    answer = await client.post(CODES, json={"phone": SECRET * 9, SECRET: SECRET, "locale": 7})
    errors = answer.json()["errors"]
    assert {(fault["in"], fault["pointer"], fault["rule"]) for fault in errors} >= {
        ("body", "/phone", "string_too_long"),
        ("body", "/locale", "string_type"),
    }
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/xml"},
    ],
)
async def test_another_media_type_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert await _post(client, b'{"phone": "+8613800138000"}', headers) == (415, "media_type_not_supported")


async def test_a_body_is_bounded_before_it_is_read(client: httpx.AsyncClient) -> None:
    assert await _post(client, b" " * (BODY_MAX_BYTES + 1)) == (413, "too_large")
    fits = json.dumps({"phone": "+8613800138000"}).encode()
    assert await _post(client, fits + b" " * (BODY_MAX_BYTES - len(fits)) + b" ") == (413, "too_large")

    sent_parts = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_parts
        while True:
            sent_parts += 1
            assert sent_parts < 100, "it went on reading"
            yield b" " * 8192

    answer = await client.post(CODES, content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999", "٣", "0x10", ""])
async def test_a_length_that_is_no_number_is_refused(client: httpx.AsyncClient, length: str) -> None:
    headers = {name.encode(): value.encode() for name, value in {**JSON, "Content-Length": length}.items()}
    answer = await client.post(CODES, content=b"{}", headers=headers)
    assert answer.status_code in {400, 413, 422}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/me/", 404, "not_found"),
        ("GET", CODES, 405, "method_not_allowed"),
        ("TRACE", "/v1/me", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/me", 405, "method_not_allowed"),
        ("GET", "/v1/consent-texts?locale=%00", 422, "invalid_request"),
        ("GET", "/v1/consent-texts?locale=%ED%A0%80", 422, "invalid_request"),
        ("GET", "/v1/consent-texts?locale=" + "a" * 5000, 422, "invalid_request"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "%00", "%F0%9F%8C%99", "1' OR 1=1", ""])
async def test_a_cursor_that_is_not_ours_is_refused(client: httpx.AsyncClient, database: Database, cursor: str) -> None:
    parent = await make_family(client, database)
    for path in (f"{parent.child}/messages?cursor={cursor}", f"/v1/sync?since={cursor}"):
        answer = await parent.ask("GET", path)
        assert answer.status_code in {200, 422}, path
        if answer.status_code == 200:
            assert cursor == ""
    answer = await parent.ask("GET", "/v1/events", headers={"Last-Event-ID": "not ours"})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e2", "x", "99999999999999999999"])
async def test_a_limit_is_bounded(client: httpx.AsyncClient, database: Database, limit: str) -> None:
    parent = await make_family(client, database)
    assert await parent.refused("GET", f"{parent.child}/messages?limit={limit}") == (422, "invalid_request")


async def test_every_answer_carries_its_id_and_closes_what_browsers_leave_open(client: httpx.AsyncClient) -> None:
    ids = set()
    for path in ("/healthz", "/v1/me", "/v1/nothing", "/openapi.json"):
        headers = (await client.get(path, headers={"Origin": "https://elsewhere.test", "X-Request-Id": "mine"})).headers
        ids.add(headers["x-request-id"])
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert len(ids) == 4
    assert "mine" not in ids


async def test_the_log_of_a_request_names_the_route_and_nothing_of_anybody(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    with structlog.testing.capture_logs() as lines:
        await parent.ask("GET", f"{parent.child}/contacts?token={SECRET}")
        await client.get(f"/v1/{SECRET}")
        await client.post(CODES, json={"phone": parent.phone})
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/v1/children/{child_id}/contacts", 200),
        ("GET", "unknown", 404),
        ("POST", CODES, 202),
    ]
    assert all(set(line) == {"event", "log_level", "method", "route", "status", "duration_ms"} for line in requests)
    text = repr(lines)
    for personal in (SECRET, parent.phone, parent.child_id, "Mei", parent.tokens["access_token"]):
        assert personal not in text
