"""Every text field of every route, found in the OpenAPI document: 4-byte characters pass or are refused, what cannot be
stored is refused, and nothing fails or comes back.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from tests.support.http import Parent, Place, ask_without_limits, make_family
from tests.support.places import may_look
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, make_staff

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
# Texts that can never be stored: each is refused in every field.
NEVER = {"nul", "lone high surrogate", "lone low surrogate", "control", "huge"}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _text_properties(schema: dict[str, Any]) -> Iterator[str]:
    schema = _resolved(schema)
    for variant in schema.get("oneOf", []):
        yield from _text_properties(variant)
    for name, inner in schema.get("properties", {}).items():
        options = [_resolved(option) for option in [inner, *inner.get("anyOf", [])]]
        if any(option.get("type") == "string" for option in options):
            yield name


def text_fields() -> list[tuple[str, str]]:
    """Return each route with each of its text fields."""
    fields = []
    for path, methods in SPEC["paths"].items():
        if path.startswith("/v1/sms-reports/"):
            continue  # a provider calls these, with a signature over the body: see test_sms_reports
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                fields += [(f"{method.upper()} {path}", name) for name in sorted(set(_text_properties(schema)))]
    return fields


FIELDS = text_fields()
BY_ROUTE = {
    route: [field for _, field in fields] for route, fields in itertools.groupby(FIELDS, lambda field: field[0])
}


@dataclass(frozen=True)
class Askers:
    """A guardian who may do everything, an admin of the family's programme, and the ids of what they may write to."""

    parent: Parent
    admin: StaffMember
    ids: Mapping[str, object]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def askers(client: httpx.AsyncClient, database: Database) -> Askers:
    parent = await make_family(client, database)
    await may_look(parent)
    async with database.begin() as work:
        family = await work.session.get_one(Family, parent.family_id)
        site = await site_of_family(work, family.family_id)
        assert site is not None
        cohort, *_ = await cohorts_of(work, site)
    admin = await make_staff(client, database, Place(site, cohort), "admin", programme=True)
    contact = (await parent.contacts())["contacts"][0]
    ids = {
        "site_id": site.site_id, "programme_id": site.programme_id, "cohort_id": cohort.cohort_id,
        "family_code": family.family_code, "staff_id": admin.staff_id, "family_id": parent.family_id,
        "child_id": parent.child_id, "guardian_id": parent.guardian_id, "contact_id": contact["contact_id"],
    }  # fmt: skip
    return Askers(parent, admin, ids)


def _filled(path: str, ids: Mapping[str, object]) -> str:
    """Return the path with these ids; what the family does not have is an id that names nothing."""
    return re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], NOTHING)), path)


def _fitting(route: str, field: str) -> dict[str, Any]:
    """Return a body of the route that may have this field: some fields belong to one kind of body only."""
    return OF_KIND[field] if field in OF_KIND else dict(ALL_BODIES[route])


async def _send(askers: Askers, route: str, body: dict[str, Any]) -> httpx.Response:
    method, path = route.split(" ", 1)
    # Written with escapes, as json does: the only way that a lone surrogate travels.
    content = json.dumps(body, ensure_ascii=True)
    headers = {"Content-Type": "application/json"}
    asker: Parent | StaffMember = askers.admin
    if not path.startswith("/v1/staff/"):
        asker = askers.parent
        headers["Idempotency-Key"] = f"key-of-test-{abs(hash(content))}"
    return await ask_without_limits(
        askers.parent.database,
        lambda: asker.ask(method, _filled(path, askers.ids), content=content, headers=headers),
    )


def test_every_route_with_a_text_field_is_known_here() -> None:
    assert set(BY_ROUTE) <= set(ALL_BODIES)
    assert len(FIELDS) > 25


@pytest.mark.parametrize("route", BY_ROUTE)
async def test_hostile_text_is_taken_or_refused_by_a_code_and_never_fails(askers: Askers, route: str) -> None:
    for field, kind in itertools.product(BY_ROUTE[route], HOSTILE):
        answer = await _send(askers, route, _fitting(route, field) | {field: HOSTILE[kind]})
        assert answer.status_code < 500, (field, kind, answer.text)
        if kind in NEVER:
            assert answer.is_client_error, (field, kind, answer.status_code)
        if answer.is_client_error:
            problem = answer.json()
            assert problem["code"]
            if len(HOSTILE[kind]) > 1:
                assert HOSTILE[kind] not in json.dumps(problem, ensure_ascii=False), f"{field}, {kind}: it came back"


@pytest.mark.parametrize("route", BY_ROUTE)
async def test_a_field_that_nobody_knows_is_refused_whatever_its_name(askers: Askers, route: str) -> None:
    for kind, name in HOSTILE.items():
        answer = await _send(askers, route, ALL_BODIES[route] | {name: "x", "role": "admin"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), kind


TYPES: tuple[object, ...] = (5, ["a"], {"$gt": ""})
FURTHER_TYPES: tuple[object, ...] = (1e300, True, [], {})


@pytest.mark.parametrize("route", BY_ROUTE)
@pytest.mark.parametrize("values", [TYPES, pytest.param(FURTHER_TYPES, marks=pytest.mark.long)])
async def test_another_type_is_refused_with_a_pointer(askers: Askers, route: str, values: tuple[object, ...]) -> None:
    for field, value in itertools.product(BY_ROUTE[route], values):
        answer = await _send(askers, route, _fitting(route, field) | {field: value})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), (field, value)
        assert any(field in error["pointer"] or field == "kind" for error in answer.json()["errors"]), (field, value)


async def test_what_a_parent_writes_comes_back_exactly(askers: Askers) -> None:
    for text in ("🌙𠮷", "a\u202eb", "e\u0301", "two\nlines", "  "[:1] + "x ", "\u200f\u05d0"):
        assert (await askers.parent.send(text))["text"] == text
