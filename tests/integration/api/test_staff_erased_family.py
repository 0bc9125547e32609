"""A family that was erased, asked for by staff of its own site: answered as one that never was, and on no list."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.api.staff.access import PERMISSIONS
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.access_world import recorded, recorder
from tests.support.api_routes import Declared, app_without_database, declared_routes
from tests.support.http import Place, fill_buckets, make_family, make_place, pair
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_canaries import texts_of
from tests.support.staff_http import StaffMember, family_code_of, make_staff
from tests.support.world import make_watch

STAFF = [route for route in declared_routes(app_without_database()) if route.is_for_staff]
# A family is named in the address or in the body, and nowhere else.
NAMING = [
    route
    for route in STAFF
    if "{family_code}" in route.path or {"family_code", "family_codes"} & set(STAFF_BODIES.get(str(route), {}))
]
# Routes that are read with the ids of the site alone.
LISTS = [route for route in STAFF if route.method == "GET" and route.path.count("{") == route.path.count("{site_id}")]


class Site:
    """A site, one of each role, and the code of a family that was erased."""

    def __init__(self, place: Place, members: dict[str, StaffMember], code: str, ids: dict[str, str]) -> None:
        self.place = place
        self.members = members
        self.code = code
        self.ids = {"site_id": str(place.site.site_id)} | ids

    async def ask(self, role: str, route: Declared, code: str) -> httpx.Response:
        """Ask about a family by its code."""
        path = route.path.format(**self.ids, family_code=code)
        if route.method == "GET":
            return await self.members[role].ask(route.method, path)
        body: dict[str, Any] = dict(STAFF_BODIES[str(route)])
        body |= {"family_code": code} if "family_code" in body else {}
        body |= {"family_codes": [code]} if "family_codes" in body else {}
        # A watch of the site: else it would be the watch that is not there.
        body |= {"scan": self.ids["serial"]} if "scan" in body else {}
        return await self.members[role].ask(route.method, path, json=body)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(client: httpx.AsyncClient, database: Database) -> Site:
    place = await make_place(database)
    members = {role: await make_staff(client, database, place, role) for role in PERMISSIONS}
    gone = await make_family(client, database, place)
    await pair(gone, place)
    await gone.told("POST", f"{gone.child}/help", json={"kind": "lost"})
    code = await family_code_of(gone)
    for leaf in ("families", "help"):
        listed = await members["admin"].told("GET", f"/v1/staff/sites/{place.site.site_id}/{leaf}")
        assert code in json.dumps(listed)
    await gone.told("DELETE", gone.family, params={"confirm": "erase"})
    opened = {"families": 5, "minutes": 60}
    hand_out = await members["admin"].told("POST", f"/v1/staff/sites/{place.site.site_id}/hand-outs", json=opened)
    async with database.begin() as work:
        serial = (await make_watch(work, place.site.site_id, None))[0].serial
    return Site(place, members, code, {"hand_out_id": hand_out["hand_out_id"], "serial": serial})


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


@pytest.mark.parametrize("route", NAMING, ids=str)
async def test_by_its_code_it_is_as_one_that_never_was(site: Site, route: Declared) -> None:
    for role in PERMISSIONS:
        texts = []
        # The first asks, so that whatever is made once for all who ask is there.
        for code in ("F-NEVER000", site.code, f"F-{new_ref(8).upper()}"):
            with recorder(), recorded() as statements:
                answer = await site.ask(role, route, code)
            body = {name: value for name, value in answer.json().items() if name != "request_id"}
            texts.append((answer.status_code, body, tuple(statements)))
        assert texts[1] == texts[2], role
        may = route.rule.partition(", may ")[2] in PERMISSIONS[role]
        codes = {"not_found", "family_unknown"} if may else {"permission_missing"}
        assert texts[1][1]["code"] in codes
        assert texts[1][0] == (404 if may else 403)


def test_every_way_to_name_a_family_is_tried() -> None:
    assert len(NAMING) >= 7


@pytest.mark.parametrize("role", PERMISSIONS)
async def test_it_is_on_no_list(site: Site, role: str) -> None:
    read = 0
    for route in LISTS:
        answer = await site.members[role].ask("GET", route.path.format(**site.ids))
        assert answer.status_code in {200, 403}, str(route)
        assert site.code not in " ".join(texts_of(answer)), str(route)
        read += answer.is_success
    assert read >= (15 if role == "admin" else 3)
