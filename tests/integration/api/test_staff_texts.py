"""Every free text of every staff schema, found in the OpenAPI document: what cannot be seen is refused everywhere."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.api_routes import app_without_database
from tests.support.canary import rows_with
from tests.support.http import ask_without_limits, make_family, make_place, new_phone
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, family_code_of, make_staff

SPEC = app_without_database().openapi()
# Turns the text after it around (UAX 9), hides in a word, or ends a line where nobody sees it.
UNSEEN = ["\u202e", "\u2066", "\u200b", "\u2028", "\ue000"]
FORMULAS = ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1", "\uff1d1+1"]
# Stored as written, and read by others.
STORED = {
    "POST /v1/staff/sites/{site_id}/families/{family_code}/break-glass reason",
    "POST /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices text",
    "POST /v1/staff/sites/{site_id}/cohorts name",
    "POST /v1/staff/programmes/{programme_id}/sites name",
    "POST /v1/staff/programmes/{programme_id}/surveys name",
    "POST /v1/staff/programmes/{programme_id}/surveys questions/0/label",
    "POST /v1/staff/accounts display_name",
}
NAMES_OF_STRUCTURE = {field for field in STORED if not field.endswith((" reason", " text"))}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _texts(schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every string of a body that is no word of a list and no id, a date or a time."""
    schema = _resolved(schema)
    for inner in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from _texts(inner, path)
    if schema.get("type") == "string" and not {"enum", "const", "format"} & set(schema):
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from _texts(inner, (*path, name))
    if "items" in schema:
        yield from _texts(schema["items"], (*path, 0))


def staff_texts() -> list[tuple[str, tuple[str | int, ...]]]:
    """Return each staff route with the way to each of its texts."""
    missing = []
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if path.startswith("/v1/staff/") and "application/json" in content:
                ways = dict.fromkeys(_texts(content["application/json"]["schema"]))
                missing += [(f"{method.upper()} {path}", way) for way in ways]
    return missing


TEXTS = staff_texts()
IDS = [f"{route} {'/'.join(map(str, way))}" for route, way in TEXTS]


class World:
    """An admin, a family, and the ids of their place."""

    def __init__(self, database: Database, admin: StaffMember, ids: dict[str, str]) -> None:
        self.database, self.admin, self.ids = database, admin, ids

    async def send(self, route: str, way: tuple[str | int, ...], text: str) -> httpx.Response:
        """Send a body that the route takes, with this text in its place."""
        method, path = route.split(" ", 1)
        body = copy.deepcopy(STAFF_BODIES[route])
        if route == "POST /v1/staff/accounts":
            body |= {"email": f"{new_ref()}@wecare.example", "phone": new_phone(), "site_id": self.ids["site_id"]}
        if "surveys" in route:
            body["name"] = new_ref()
        inner: Any = body
        for step in way[:-1]:
            inner = inner[step]
        inner[way[-1]] = text
        filled = re.sub(
            r"\{(\w+)\}", lambda match: self.ids.get(match[1], "00000000-0000-4000-8000-000000000000"), path
        )
        headers = {"Content-Type": "application/json"}
        return await ask_without_limits(
            self.database, lambda: self.admin.ask(method, filled, content=json.dumps(body), headers=headers)
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database) -> World:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    ids = {
        "site_id": str(place.site.site_id), "programme_id": str(place.site.programme_id),
        "cohort_id": str(place.cohort.cohort_id), "family_code": await family_code_of(mother),
    }  # fmt: skip
    return World(database, await make_staff(client, database, place, "admin", programme=True), ids)


def _is_refused(answer: httpx.Response) -> bool:
    # A list of families is answered with its faults.
    return answer.is_client_error or (answer.is_success and answer.json().get("taken") is False)


@pytest.mark.parametrize("unseen", UNSEEN)
async def test_no_text_of_staff_holds_what_cannot_be_seen(world: World, database: Database, unseen: str) -> None:
    for (route, way), name in zip(TEXTS, IDS, strict=True):
        answer = await world.send(route, way, f"a1{unseen}b2")
        # A phone number is read without what its telephone wrapped it in, and is refused as none here.
        assert _is_refused(answer), (name, answer.status_code, answer.text)
    assert await rows_with(database, unseen) == []


async def test_the_texts_that_are_stored_are_stored_without_it(world: World) -> None:
    """Otherwise the refusals above could have any other reason."""
    accepted = set()
    for (route, way), name in zip(TEXTS, IDS, strict=True):
        answer = await world.send(route, way, f"Plain words {new_ref(6)}")
        if answer.is_success and not _is_refused(answer):
            accepted.add(name)
    # A site's privacy notice is prose throughout: it is shown to guardians, and no file is made of it.
    notice = {name for name in accepted if name.startswith("PUT /v1/staff/sites/{site_id}/privacy-notice ")}
    assert len(notice) > 5
    assert accepted - notice == STORED
    # Lines are kept where people write sentences, and refused in a name.
    for name in STORED:
        route, _, steps = name.rpartition(" ")
        way = tuple(int(step) if step.isdigit() else step for step in steps.split("/"))
        answer = await world.send(route, way, f"two\nlines {new_ref(6)}")
        assert answer.is_success is (name not in NAMES_OF_STRUCTURE), name


@pytest.mark.parametrize("name", sorted(NAMES_OF_STRUCTURE))
async def test_no_name_of_staff_runs_as_a_formula(world: World, name: str) -> None:
    route, _, steps = name.rpartition(" ")
    way = tuple(int(step) if step.isdigit() else step for step in steps.split("/"))
    for formula in FORMULAS:
        answer = await world.send(route, way, formula)
        assert (answer.status_code, _is_refused(answer)) == (422, True), (formula, answer.text)
