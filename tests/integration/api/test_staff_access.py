"""Staff see only the sites they serve: generated from the staff routes.

test_matrix.py asks every route by every role, by guardians and without a token.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import select

from services.api.staff.access import PERMISSIONS
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.api_routes import Declared, app_without_database, declared_routes
from tests.support.clock import FakeClock
from tests.support.colleague import first_password_sent_to
from tests.support.dhis2 import ended_dhis2_import
from tests.support.http import Place, fill_buckets, make_family, make_place, new_phone, pair
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, at_hand_out, family_code_of, logged_in_now, make_staff, renewed
from tests.support.world import arrive, make_watch

ROUTES = [route for route in declared_routes(app_without_database()) if route.is_for_staff and route.rules != ("open",)]
WITH_IDS = [route for route in ROUTES if "{" in route.path]
OF_SITE = [route for route in ROUTES if "{site_id}" in route.path]
WITH_PERMISSION = [route for route in ROUTES if ", may " in route.rule]
Answered = tuple[int, dict[str, Any]]


class World:
    """Two sites of two programmes, each with staff and a family, and something that each id can name."""

    def __init__(self, mine: Place, theirs: Place) -> None:
        self.mine = mine
        self.theirs = theirs
        self.members: dict[str, StaffMember] = {}
        self.ids: dict[str, str] = {}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_world(client: httpx.AsyncClient, database: Database) -> World:
    world = World(await make_place(database), await make_place(database))
    for role in PERMISSIONS:
        world.members[role] = await make_staff(client, database, world.mine, role)
    stranger = await make_staff(client, database, world.theirs, "admin")
    family = await make_family(client, database, world.theirs)
    await pair(family, world.theirs)
    (listed,) = (await stranger.told("GET", f"/v1/staff/sites/{world.theirs.site.site_id}/families"))["families"]
    site = f"/v1/staff/sites/{world.theirs.site.site_id}"
    code = listed["family_code"]
    recovery_body = {"kind": "phone", "phone": family.phone, "new_phone": new_phone(), "form_number": "2026-0417"}
    recovery_body["document"] = "passport"
    recovery = await stranger.told("POST", f"{site}/families/{code}/recoveries", json=recovery_body)
    hand_out = await stranger.told("POST", f"{site}/hand-outs", json={"families": 50, "minutes": 90})
    why = {"reason": "The child is missing."}
    break_glass = await stranger.told("POST", f"{site}/families/{code}/break-glass", json=why)
    body = {**STAFF_BODIES["POST /v1/staff/accounts"], "site_id": str(world.theirs.site.site_id)}
    request = await stranger.told("POST", "/v1/staff/accounts", json=body)
    uncle = await family.invite(may_manage=True)
    contested = {"guardian_id": uncle.guardian_id, "right": "manage"}
    contest = await family.told("POST", f"{family.family}/contests", json=contested)
    decision = {"upholds": True, "form_number": "2026-0417", "document": "passport"}
    await stranger.told("POST", f"{site}/contests/{contest['contest_id']}/decision", json=decision)
    session = (await stranger.told("GET", "/v1/staff/me/sessions"))["sessions"][0]
    wanted = {"kind": "csv", "audience": "staff", "site_id": str(world.theirs.site.site_id)}
    export = await stranger.told("POST", "/v1/staff/exports", json=wanted)
    async with database.begin() as work:
        shelved, _ = await make_watch(work, world.theirs.site.site_id, None)
    trace = await stranger.told("POST", f"{site}/watch-traces", json={"scan": shelved.serial})
    world.ids = {
        "trace_id": trace["trace_id"], "serial": shelved.serial,
        "site_id": str(world.theirs.site.site_id), "staff_id": stranger.staff_id,
        "programme_id": str(world.theirs.site.programme_id), "cohort_id": str(world.theirs.cohort.cohort_id),
        "help_id": str(uuid.uuid4()), "contest_id": contest["contest_id"], "survey_id": str(uuid.uuid4()),
        "staff_session_id": session["staff_session_id"], "family_code": code,
        "recovery_id": recovery["recovery_id"], "hand_out_id": hand_out["hand_out_id"],
        "break_glass_id": break_glass["break_glass_id"], "request_id": request["request_id"],
        "usage_export_id": export["usage_export_id"],
        "import_id": await ended_dhis2_import(database, world.theirs),
    }  # fmt: skip
    return world


@pytest_asyncio.fixture(loop_scope="session")
async def world(shared_world: World, database: Database) -> World:
    """The world of this module, whose staff members are logged in whatever other tests did to the clock."""
    for role, member in shared_world.members.items():
        shared_world.members[role] = await logged_in_now(member, database)
    return shared_world


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


async def _ask(member: StaffMember, route: Declared, ids: dict[str, str]) -> Answered:
    answer = await member.ask(route.method, route.path.format(**ids), json=STAFF_BODIES.get(str(route)))
    body = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
    return answer.status_code, {name: value for name, value in body.items() if name != "request_id"}


def _random(ids: dict[str, str]) -> dict[str, str]:
    by_name = {"family_code": "F-UNKNOWN1", "serial": "NONE0001"}
    return {name: by_name.get(name) or str(uuid.uuid4()) for name in ids}


def _differing(foreign: Answered, unknown: Answered) -> bool:
    return foreign != unknown or (foreign[0], foreign[1]["code"]) != (404, "not_found")


async def test_what_is_not_served_answers_as_what_does_not_exist(world: World) -> None:
    admin = world.members["admin"]
    wrong = {}
    for route in WITH_IDS:
        foreign, unknown = await _ask(admin, route, world.ids), await _ask(admin, route, _random(world.ids))
        if _differing(foreign, unknown):
            wrong[str(route)] = (foreign, unknown)
    assert wrong == {}


async def test_what_is_of_another_site_is_not_reached_through_ones_own(world: World) -> None:
    admin = world.members["admin"]
    own_site = {"site_id": str(world.mine.site.site_id)}
    wrong = {}
    for route in (route for route in OF_SITE if route.path.count("{") > 1):
        foreign = await _ask(admin, route, world.ids | own_site)
        unknown = await _ask(admin, route, _random(world.ids) | own_site)
        if _differing(foreign, unknown):
            wrong[str(route)] = (foreign, unknown)
    assert wrong == {}


def _paths_with(word: str, route: Declared, site_id: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the route's path with the word for every id, and with the word for every id but the site's."""
    own_site = route.path.replace("{site_id}", site_id)
    for path in [route.path] + ([own_site] if "{" in own_site and own_site != route.path else []):
        filled = path
        for name in names:
            filled = filled.replace(f"{{{name}}}", word)
        yield filled


@pytest.mark.parametrize("word", ["0", "null", "a" * 300, "%00", "%F0%9F%8C%99", "%ED%A0%80", "'--"])
async def test_what_is_no_id_is_refused_and_never_fails(world: World, word: str) -> None:
    for route in WITH_IDS:
        for path in _paths_with(word, route, str(world.mine.site.site_id), world.ids):
            answer = await world.members["admin"].ask(route.method, path, json=STAFF_BODIES.get(str(route)))
            assert answer.status_code in {404, 422}, (path, answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json"


# Counts over many families, and files made of them.
OF_THE_FACTORY = {
    "GET /v1/staff/sites/{site_id}/usage", "GET /v1/staff/programmes/{programme_id}/usage", "POST /v1/staff/exports",
    "GET /v1/staff/exports", "GET /v1/staff/exports/{usage_export_id}", "GET /v1/staff/exports/{usage_export_id}/file",
}  # fmt: skip


async def test_factory_users_reach_no_route_about_a_family_or_a_watch(world: World) -> None:
    factory = world.members["factory"]
    for route in WITH_PERMISSION:
        status, _ = await _ask(factory, route, world.ids)
        assert (status != 403) is (str(route) in OF_THE_FACTORY), str(route)
    for site_id, status in ((world.mine.site.site_id, 200), (world.theirs.site.site_id, 404)):
        assert (await factory.ask("GET", f"/v1/staff/sites/{site_id}/usage")).status_code == status


async def test_refusals_are_in_the_log(world: World, database: Database) -> None:
    coordinator = world.members["coordinator"]
    await coordinator.refused("GET", "/v1/staff/accounts")
    await coordinator.refused("GET", f"/v1/staff/sites/{world.ids['site_id']}/watches")
    async with database.begin() as work:
        noted = await work.session.exec(
            select(AuditEntry.reason).where(
                AuditEntry.actor_id == coordinator.staff_id, AuditEntry.action == "staff.access"
            )
        )
        assert {"permission_missing", "not_found"} <= set(noted)


async def test_a_site_is_told_with_devices_and_codes_and_nothing_of_the_people(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator = await make_staff(client, database, place, "coordinator")
    await coordinator.told(
        "POST", f"/v1/staff/sites/{place.site.site_id}/hand-outs", json={"families": 5, "minutes": 90}
    )
    families = [await make_family(client, database, place) for _ in range(3)]
    await pair(families[0], place)
    await families[0].add_contact(name="Teacher Li")
    site = f"/v1/staff/sites/{place.site.site_id}"
    answers = [await coordinator.told("GET", f"{site}/{leaf}") for leaf in ("families", "watches", "cohorts")]
    assert len(answers[0]["families"]) == 3
    (watch,) = answers[1]["watches"]
    assert (watch["paired"], watch["battery_pct"], watch["firmware"]) == (True, 81, "1.4.2")
    (with_watch,) = [family for family in answers[0]["families"] if family["watches"]]
    assert with_watch["family_code"] == await family_code_of(families[0])
    assert watch["family_code"] is None
    # Joined or not, and nothing of what was agreed to.
    assert set(with_watch) == {"family_code", "cohort", "enrolled_at", "has_logged_in", "watches"}
    assert [cohort["name"] for cohort in answers[2]["cohorts"]] == ["Spring"]
    text = json.dumps(answers)
    for personal in (
        "Mei",
        "Teacher Li",
        *(family.phone for family in families),
        *(family.child_id for family in families),
    ):
        assert personal not in text


async def test_a_coordinator_sees_family_codes_only_while_a_hand_out_is_open(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    coordinator, staff = [await make_staff(client, database, place, role) for role in ("coordinator", "staff")]
    family = await make_family(client, database, place)
    await arrive(database, (await pair(family, place)).username)
    clock.advance(days=3)
    coordinator, staff = await renewed(coordinator, database), await renewed(staff, database)
    site = f"/v1/staff/sites/{place.site.site_id}"

    async def codes(member: StaffMember) -> list[str | None]:
        watches = (await member.told("GET", f"{site}/watches"))["watches"]
        entries = (await member.told("GET", f"{site}/triage"))["entries"]
        assert len(watches) == 1
        assert entries
        return [watch["family_code"] for watch in watches + entries]

    code = await family_code_of(family)
    of_codes = [route for route in OF_SITE if route.rules == ("of site, may see family codes",)]
    assert len(of_codes) == 12
    assert set(await codes(staff)) == {code}
    for _ in range(2):
        assert set(await codes(coordinator)) == {None}
        for route in of_codes:
            path = route.path.format(site_id=place.site.site_id, family_code=code)
            body = STAFF_BODIES.get(str(route))
            assert await coordinator.refused(route.method, path, json=body) == (403, "hand_out_closed"), route
        opened = await coordinator.told("POST", f"{site}/hand-outs", json={"families": 5, "minutes": 90})
        # Never beside the health of a device: together they tell which families have fallen silent.
        assert set(await codes(coordinator)) == {None}
        (shown,) = (await coordinator.told("GET", f"{site}/families"))["families"]
        (shown_watch,) = shown["watches"]
        assert (shown["family_code"], shown_watch["paired"], shown_watch["state"]) == (code, True, "handed_out")
        hidden = ("presence", "last_seen_at", "battery_pct", "firmware")
        assert [shown_watch[field] for field in hidden] == [None] * 4
        (of_staff,) = (await staff.told("GET", f"{site}/families"))["families"]
        assert None not in [of_staff["watches"][0][field] for field in hidden]
        await coordinator.told("POST", f"{site}/hand-outs/{opened['hand_out_id']}/close")
    # By itself at its end as well.
    await coordinator.told("POST", f"{site}/hand-outs", json={"families": 5, "minutes": 5})
    await coordinator.told("GET", f"{site}/families")
    clock.advance(minutes=5)
    assert await coordinator.refused("GET", f"{site}/families") == (403, "hand_out_closed")


OF_SILENCE_HELP_AND_CONSENT = [
    "GET /v1/staff/sites/{site_id}/silent-families", "GET /v1/staff/sites/{site_id}/help",
    "GET /v1/staff/sites/{site_id}/surveys/{survey_id}/families",
    "POST /v1/staff/sites/{site_id}/surveys/{survey_id}/answers",
]  # fmt: skip


async def test_a_coordinator_never_learns_of_silence_help_surveys_or_consent_not_even_at_a_hand_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator = await make_staff(client, database, place, "coordinator")
    site = f"/v1/staff/sites/{place.site.site_id}"
    await coordinator.told("POST", f"{site}/hand-outs", json={"families": 5, "minutes": 90})
    known = {str(route): route for route in ROUTES}
    for name in OF_SILENCE_HELP_AND_CONSENT:
        path = known[name].path.format(site_id=place.site.site_id, survey_id=uuid.uuid4())
        answer = await coordinator.refused(known[name].method, path, json=STAFF_BODIES.get(name))
        assert answer == (403, "permission_missing"), name
    # Whatever a coordinator reads is made of these permissions, and none of their answers speaks of consent.
    schemas = json.dumps(app_without_database().openapi()["components"]["schemas"]["FamilyAtSite"])
    assert "consent" not in schemas
    assert {permission.value for permission in PERMISSIONS["coordinator"]} == {
        "see structure", "see devices", "hand out", "see family codes",
    }  # fmt: skip


async def test_a_refused_replacement_tells_no_coordinator_which_family_has_a_watch(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator, staff = [await make_staff(client, database, place, role) for role in ("coordinator", "staff")]
    families = [await make_family(client, database, place) for _ in range(2)]
    serials = []
    async with database.begin() as work:
        for family in families:
            watch, _ = await make_watch(work, place.site.site_id, family.family_id)
            serials.append(watch.serial)
    path = f"/v1/staff/sites/{place.site.site_id}/watch-replacements"
    body = {"scan": serials[0], "state": "broken", "replacement": serials[1]}
    code = await family_code_of(families[1])
    for member, expected in ((staff, code), (coordinator, None)):
        answer = (await member.ask("POST", path, json=body)).json()
        assert (answer["code"], answer.get("family_code")) == ("watch_handed_out", expected)
        assert expected is not None or code not in str(answer)
    await at_hand_out(coordinator, place)
    assert (await coordinator.ask("POST", path, json=body)).json()["family_code"] == code


async def test_no_working_channel_is_told_only_while_a_hand_out_is_open(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    family = await make_family(client, database, place)
    code, site = await family_code_of(family), f"/v1/staff/sites/{place.site.site_id}"
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    body = {"scan": watch.serial, "family_code": code}
    assert (await staff.told("POST", f"{site}/watch-hand-outs", json=body))["no_working_channel"] is None
    opened = await staff.told("POST", f"{site}/hand-outs", json={"families": 5, "minutes": 90})
    # The mother's number is confirmed: her log-in code came to it.
    assert (await staff.told("POST", f"{site}/watch-hand-outs", json=body))["no_working_channel"] is False
    await staff.told("POST", f"{site}/hand-outs/{opened['hand_out_id']}/close")
    assert (await staff.told("POST", f"{site}/watch-hand-outs", json=body))["no_working_channel"] is None


async def test_lists_come_in_pages_without_a_gap(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    member = await make_staff(client, database, place)
    for _ in range(5):
        await pair(await make_family(client, database, place), place)
    for leaf, key in (("families", "family_code"), ("watches", "serial")):
        seen: list[str] = []
        after = ""
        while True:
            page = await member.told("GET", f"/v1/staff/sites/{place.site.site_id}/{leaf}?limit=2{after}")
            seen += [row[key] for row in page[leaf]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert len(seen) == 5
        assert seen == sorted(set(seen))


async def test_a_programme_is_all_its_sites_and_a_site_is_one(client: httpx.AsyncClient, database: Database) -> None:
    place, other = await make_place(database), await make_place(database)
    manager = await make_staff(client, database, place, "manager", programme=True)
    assert [site["site_id"] for site in (await manager.told("GET", "/v1/staff/sites"))["sites"]] == [
        str(place.site.site_id)
    ]
    assert await manager.refused("GET", f"/v1/staff/sites/{other.site.site_id}/watches") == (404, "not_found")
    me = await manager.told("GET", "/v1/staff/me")
    (scope,) = me["scopes"]
    assert (me["role"], scope["programme_id"], scope["site_id"]) == ("manager", str(place.site.programme_id), None)


async def test_accounts_are_made_listed_reset_and_ended_within_ones_scopes(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, other = await make_place(database), await make_place(database)
    admin = await make_staff(client, database, place, "admin", programme=True)
    body: dict[str, Any] = {"email": f"{uuid.uuid4().hex}@wecare.example", "display_name": "Lan", "role": "factory"}
    body |= {"phone": new_phone(), "employed_by_factory": True}
    here = {"site_id": str(place.site.site_id)}
    made = await admin.told("POST", "/v1/staff/accounts", json=body | here)
    first = await first_password_sent_to(database, body["phone"])
    again = await admin.told("POST", "/v1/staff/accounts", json=body | here)
    assert (again["staff_id"], again["state"]) == (made["staff_id"], "done")
    assert await first_password_sent_to(database, body["phone"]) == first
    for scope, refusal in (
        ({"site_id": str(other.site.site_id)}, (404, "not_found")),
        ({"site_id": str(uuid.uuid4())}, (404, "not_found")),
        ({"programme_id": str(other.site.programme_id)}, (404, "not_found")),
        ({"programme_id": str(place.site.programme_id)}, (422, "scope_of_role")),
        ({}, (422, "scope_needed")),
    ):
        assert await admin.refused("POST", "/v1/staff/accounts", json=body | scope) == refusal
    listed = (await admin.told("GET", "/v1/staff/accounts"))["accounts"]
    assert {account["staff_id"] for account in listed} == {admin.staff_id, made["staff_id"]}
    await admin.told("POST", f"/v1/staff/accounts/{made['staff_id']}/reset")
    assert await first_password_sent_to(database, body["phone"]) != first
    for _ in range(2):
        await admin.told("POST", f"/v1/staff/accounts/{made['staff_id']}/end")
    listed = (await admin.told("GET", "/v1/staff/accounts"))["accounts"]
    assert [account["ended_at"] is not None for account in listed if account["staff_id"] == made["staff_id"]] == [True]
