"""Every text field of every route, found in the OpenAPI document: 4-byte characters pass or are refused, what cannot be
stored is refused, and nothing fails or comes back.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.people.households.queries import site_of_family
from services.core.people.households.tables import Family
from services.core.people.programme.queries import cohorts_of
from services.core.platform.db.database import Database
from tests.integration.api.test_other_families import BODIES
from tests.support.api_routes import app_without_database
from tests.support.http import Parent, Place, fill_buckets, make_family
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, make_staff

LONG = pytest.mark.long
NOTHING = uuid.UUID("00000000-0000-4000-8000-000000000000")
SPEC = app_without_database().openapi()
PATHS = {
    "POST /v1/auth/codes": {"phone": "+8613900000003"},
    "POST /v1/auth/tokens": {
        "challenge_id": "00000000-0000-4000-8000-000000000000", "phone": "+8613900000003", "code": "123456",
        "challenge_secret": "x",
    },
    "POST /v1/auth/second-step": {"pin": "730418"},
    "PUT /v1/me/pin": {"pin": "730418"},
    "POST /v1/auth/slips": {"slip_code": "abcd-efgh-ijkl", "phone": "+8613900000003"},
    "POST /v1/auth/refresh": {"refresh_token": "x"},
}  # fmt: skip
ALL_BODIES: dict[str, dict[str, Any]] = {**BODIES, **PATHS, **STAFF_BODIES}
KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
WEB_PUSH = {"kind": "web_push", "address": "https://push.example.org/a", **KEYS}
OF_KIND: dict[str, dict[str, Any]] = {"emoji": {"kind": "emoji"}, "p256dh": WEB_PUSH, "auth": WEB_PUSH}
HOSTILE = {
    "nul": "a\x00b",
    "lone high surrogate": "a\ud83d",
    "lone low surrogate": "\udc00a",
    "control": "a\x07b",
    "four bytes": "🌙𠮷",
    "bidi": "a\u202eb\u2066c",
    "noncharacter": "a\uffffb",
    "huge": "a" * 30_000,
    "empty": "",
}
# What can never be stored: each is refused wherever it is written.
NEVER = {"nul", "lone high surrogate", "lone low surrogate", "control", "huge"}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _text_properties(schema: dict[str, Any]) -> Iterator[str]:
    schema = _resolved(schema)
    for one in schema.get("oneOf", []):
        yield from _text_properties(one)
    for name, inner in schema.get("properties", {}).items():
        options = [_resolved(one) for one in [inner, *inner.get("anyOf", [])]]
        if any(one.get("type") == "string" for one in options):
            yield name


def text_fields() -> list[tuple[str, str]]:
    """Return each route with each of its text fields."""
    found = []
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                found += [(f"{method.upper()} {path}", name) for name in sorted(set(_text_properties(schema)))]
    return found


FIELDS = text_fields()


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused: together they ask more than one guardian may."""
    await fill_buckets(database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    return await make_family(client, database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def staff(client: httpx.AsyncClient, database: Database, parent: Parent) -> StaffMember:
    place, _ = await _where(parent)
    return await make_staff(client, database, place, "admin", programme=True)


async def _where(parent: Parent) -> tuple[Place, str]:
    """Return the family's site with its cohort, and the family's code."""
    async with parent.database.begin() as work:
        family = await work.session.get_one(Family, parent.family_id)
        site = await site_of_family(work, family.family_id)
        assert site is not None
        cohort, *_ = await cohorts_of(work, site)
    return Place(site, cohort), family.family_code


def _filled(path: str, ids: Mapping[str, object]) -> str:
    """Return the path with these ids; what the family does not have is an id that names nothing."""
    return re.sub(r"\{(\w+)\}", lambda one: str(ids.get(one[1], NOTHING)), path)


def _fitting(route: str, field: str) -> dict[str, Any]:
    """Return a body of the route that may have this field: some fields belong to one kind of body only."""
    return OF_KIND[field] if field in OF_KIND else dict(ALL_BODIES[route])


async def _send(parent: Parent, staff: StaffMember, route: str, body: dict[str, Any]) -> httpx.Response:
    method, path = route.split(" ", 1)
    content = json.dumps(body, ensure_ascii=True)
    if path.startswith("/v1/staff/"):
        place, family_code = await _where(parent)
        ids = {
            "site_id": place.site.site_id, "programme_id": place.site.programme_id,
            "cohort_id": place.cohort.cohort_id, "family_code": family_code, "staff_id": staff.staff_id,
        }  # fmt: skip
        headers = {"Content-Type": "application/json"}
        return await staff.ask(method, _filled(path, ids), content=content, headers=headers)
    ids = {"family_id": parent.family_id, "child_id": parent.child_id, "guardian_id": parent.guardian_id}
    ids["contact_id"] = (await parent.contacts())["contacts"][0]["contact_id"]
    # Written with escapes, as json does: the only way that a lone surrogate travels.
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-of-test-" + str(abs(hash(content)))}
    return await parent.ask(method, _filled(path, ids), content=content, headers=headers)


def test_every_route_with_a_text_field_is_known_here() -> None:
    assert {route for route, _ in FIELDS} <= set(ALL_BODIES)
    assert len(FIELDS) > 25


FURTHER_TYPES: tuple[object, ...] = (1e300, True, [], {})


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(("route", "field"), FIELDS, ids=[f"{route} {field}" for route, field in FIELDS])
async def test_hostile_text_is_taken_or_refused_by_a_code_and_never_fails(
    parent: Parent, staff: StaffMember, route: str, field: str, kind: str
) -> None:
    answer = await _send(parent, staff, route, _fitting(route, field) | {field: HOSTILE[kind]})
    assert answer.status_code < 500, answer.text
    if kind in NEVER:
        assert answer.is_client_error, (route, field, kind, answer.status_code)
    if answer.is_client_error:
        told = answer.json()
        assert told["code"]
        if len(HOSTILE[kind]) > 1:
            assert HOSTILE[kind] not in json.dumps(told, ensure_ascii=False), "what was sent came back"


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("route", sorted({route for route, _ in FIELDS}))
async def test_a_field_that_nobody_knows_is_refused_whatever_its_name(
    parent: Parent, staff: StaffMember, route: str, kind: str
) -> None:
    answer = await _send(parent, staff, route, ALL_BODIES[route] | {HOSTILE[kind]: "x", "role": "admin"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(("route", "field"), FIELDS, ids=[f"{route} {field}" for route, field in FIELDS])
@pytest.mark.parametrize("value", [5, ["a"], {"$gt": ""}, *(pytest.param(one, marks=LONG) for one in FURTHER_TYPES)])
async def test_another_type_is_refused_with_a_pointer(
    parent: Parent, staff: StaffMember, route: str, field: str, value: object
) -> None:
    answer = await _send(parent, staff, route, _fitting(route, field) | {field: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert any(field in one["pointer"] or field == "kind" for one in answer.json()["errors"])


async def test_what_a_parent_writes_comes_back_exactly(parent: Parent) -> None:
    for text in ("🌙𠮷", "a\u202eb", "e\u0301", "two\nlines", "  "[:1] + "x ", "\u200f\u05d0"):
        assert (await parent.send(text))["text"] == text
