"""Every text field of every route, found in the OpenAPI document: 4-byte characters pass or are refused, what cannot be
stored is refused, and nothing fails or comes back.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.db.database import Database
from services.core.families.queries import enrolments_of_phone, site_of_family
from services.core.families.tables import Family
from services.core.programme.queries import cohorts_of
from tests.api_routes import app_without_database
from tests.integration.api.test_other_families import BODIES
from tests.parent import Parent, Place, fill_buckets, make_family
from tests.staff import StaffMember, make_staff
from tests.staff_bodies import STAFF_BODIES

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
    async with database.begin() as work:
        site = await site_of_family(work, parent.family_id or uuid.UUID(int=0))
        assert site is not None
        (cohort,) = await cohorts_of(work, site)
    return await make_staff(client, database, Place(site, cohort), "admin", programme=True)


async def _send(parent: Parent, staff: StaffMember, route: str, body: dict[str, Any]) -> httpx.Response:
    method, path = route.split(" ", 1)
    content = json.dumps(body, ensure_ascii=True)
    if path.startswith("/v1/staff/"):
        async with parent.database.begin() as work:
            family = await work.session.get_one(Family, parent.family_id)
            (enrolment, _) = (await enrolments_of_phone(work, parent.phone))[0]
        place = {"site_id": enrolment.site_id, "family_code": family.family_code, "staff_id": staff.staff_id}
        for name in ("recovery_id", "hand_out_id", "break_glass_id"):
            place[name] = parent.family_id or ""
        return await staff.ask(
            method, path.format(**place), content=content, headers={"Content-Type": "application/json"}
        )
    ids = {
        "family_id": str(parent.family_id), "child_id": parent.child_id, "guardian_id": parent.guardian_id,
        "contact_id": (await parent.contacts())["contacts"][0]["contact_id"],
        "invitation_id": str(parent.family_id), "message_id": str(parent.family_id),
    }  # fmt: skip
    # Written with escapes, as json does: the only way that a lone surrogate travels.
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-of-test-" + str(abs(hash(content)))}
    return await parent.ask(method, path.format(**ids), content=content, headers=headers)


def test_every_route_with_a_text_field_is_known_here() -> None:
    assert {route for route, _ in FIELDS} <= set(ALL_BODIES)
    assert len(FIELDS) > 25


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(("route", "field"), FIELDS, ids=[f"{route} {field}" for route, field in FIELDS])
async def test_hostile_text_is_taken_or_refused_by_a_code_and_never_fails(
    parent: Parent, staff: StaffMember, route: str, field: str, kind: str
) -> None:
    body = dict(ALL_BODIES[route])
    if field == "emoji":
        body = {"kind": "emoji"}
    answer = await _send(parent, staff, route, body | {field: HOSTILE[kind]})
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
@pytest.mark.parametrize("value", [5, 1e300, True, [], {}, ["a"], {"$gt": ""}])
async def test_another_type_is_refused_with_a_pointer(
    parent: Parent, staff: StaffMember, route: str, field: str, value: object
) -> None:
    fitting = {"kind": "emoji"} if field == "emoji" else ALL_BODIES[route]
    answer = await _send(parent, staff, route, fitting | {field: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert any(field in one["pointer"] or field == "kind" for one in answer.json()["errors"])


async def test_what_a_parent_writes_comes_back_exactly(parent: Parent) -> None:
    for text in ("🌙𠮷", "a\u202eb", "e\u0301", "two\nlines", "  "[:1] + "x ", "\u200f\u05d0"):
        assert (await parent.send(text))["text"] == text
