"""Allowed cells of the access matrix are answered by the whole API: a success, and as documented.

Staff routes are asked so in test_staff_crawl.py.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import httpx
import pytest_asyncio

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.privacy.copies.archive import build_one_export
from tests.integration.api.test_other_families import SOUND, make_world, request_of
from tests.support.access_expectations import PASSES, Role, Target, expected
from tests.support.access_world import guardians_of
from tests.support.api_routes import Declared, app_without_database, declared_routes
from tests.support.documented import fault_of
from tests.support.http import Parent, fill_buckets, make_family
from tests.support.round_trips import RoundTrips, round_trips

EVERY = declared_routes(app_without_database())
# An event stream never ends; test_events.py reads it. Signed links are somebody's own, and asked below.
ROUTES = [
    route
    for route in EVERY
    if not route.is_for_staff
    and route.rules != ("open",)
    and "{token}" not in route.path
    and "/events" not in route.path
]
# A guardian's own conversation with the child, and a copy of what is held about it: another's is not there.
OF_ONE_GUARDIAN = ("message_id", "upload_id", "export_id")
# After these there is less, or nothing, to write to.
LAST = {
    "POST /v1/families/{family_id}/consents/withdraw": 1, "DELETE /v1/children/{child_id}": 2,
    "DELETE /v1/families/{family_id}": 3,
}  # fmt: skip
# Let through, and then refused for what is asked in this family; each has tests of its own where it succeeds.
OTHERWISE = {
    # Meant for somebody else's phone.
    "POST /v1/invitations/{invitation_id}/accept": (404, "not_found"),
    "POST /v1/invitations/{invitation_id}/decline": (404, "not_found"),
    # Listed a moment ago: nobody has read it yet.
    "POST /v1/me/log-ins/{log_in_id}/approve": (409, "log_in_not_read"),
    # A PIN was set a moment before; no code came to the new number; nothing to stop.
    "POST /v1/me/step-up/codes": (403, "step_up_required"),
    "POST /v1/me/number-change": (403, "login_code_ended"),
    "POST /v1/me/number-change/stop": (409, "number_change_ended"),
    # The child's age is not known; as many guardians as there may be; a list without contacts; no such code.
    "POST /v1/children/{child_id}/agreement": (409, "agreement_not_due"),
    "POST /v1/families/{family_id}/invitations": (409, "family_full"),
    "PUT /v1/children/{child_id}/contacts/order": (422, "contact_order_incomplete"),
    "POST /v1/children/{child_id}/pairing": (422, "pairing_code_unknown"),
    # Said by the guardian; a part of the recording is missing; a right that the other guardian does not have.
    "PUT /v1/children/{child_id}/messages/{message_id}/state": (409, "not_a_recipient"),
    "POST /v1/children/{child_id}/uploads/{upload_id}/message": (409, "upload_unfinished"),
    "POST /v1/families/{family_id}/contests": (404, "not_found"),
}
Walked = dict[tuple[Declared, Role], httpx.Response]


class Family:
    """A family with everything that an id can name, and a guardian of each kind."""

    def __init__(self, first: Parent, ids: dict[str, str], guardians: dict[Role, Parent]) -> None:
        self.first = first
        self.ids = ids
        self.guardians = guardians

    def may(self, route: Declared) -> list[Role]:
        """Return the roles that the route lets through to what is their own."""
        target = Target.OWN if "{" in route.path else Target.NO_ID
        return [role for role in self.guardians if expected(route.rule, role, target) is PASSES]

    async def ask(self, role: Role, route: Declared, **other: Any) -> httpx.Response:
        """Ask a route about what is the family's own."""
        request = request_of(route) | other
        headers = request.pop("headers", {}) | {"Idempotency-Key": new_ref()}
        return await self.guardians[role].ask(route.method, route.path.format(**self.ids), headers=headers, **request)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def family(client: httpx.AsyncClient, database: Database, transcoder: Transcoder) -> Family:
    await fill_buckets(database)
    world = await make_world(client, database)
    # A second child: no list costs a statement for each.
    child_id = world.theirs.child_id
    await world.theirs.add_child("Lin")
    world.theirs.child_id = child_id
    guardians = await guardians_of(world.theirs)
    assert await build_one_export(transcoder)
    return Family(world.theirs, world.their_ids, guardians)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def read(family: Family, database: Database) -> Walked:
    """Have everybody read everything that they may: reading changes nothing."""
    await fill_buckets(database)
    return {
        (route, role): await family.ask(role, route)
        for route in ROUTES
        if route.method == "GET"
        for role in family.may(route)
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counted(family: Family, read: Walked, database: Database) -> dict[str, RoundTrips]:
    """Count the round trips of every GET of families; the requests of ``read`` have prepared the statements."""
    assert read
    await fill_buckets(database)
    trips: dict[str, RoundTrips] = {}
    for route in (route for route in EVERY if route.method == "GET" and not route.is_for_staff):
        if "/events" in route.path or "{token}" in route.path or "{name}" in route.path:
            continue
        if route.rules == ("open",):
            await family.ask(Role.FIRST, route)
        with round_trips(database) as trips[str(route)]:
            await family.ask(Role.FIRST, route)
    return trips


async def test_every_read_costs_few_round_trips(counted: dict[str, RoundTrips]) -> None:
    assert len(counted) > 60
    over = [route for route, trips in counted.items() if len(trips.statements) > 5]
    assert not over, "\n".join(line for route in over for line in [route, *counted[route].statements])


async def test_whoever_may_read_something_reads_it_and_what_is_anothers_own_is_not_there(read: Walked) -> None:
    wrong = {}
    for (route, role), answer in read.items():
        is_there = role in {Role.FIRST, Role.UNPROVEN} or not any(
            f"{{{name}}}" in route.path for name in OF_ONE_GUARDIAN
        )
        # The family's invitation is meant for somebody else's phone.
        is_there = is_there and "{invitation_id}" not in route.path
        answered = answer.is_success if is_there else (answer.status_code, answer.json()["code"]) == (404, "not_found")
        if not answered or fault_of(route, answer):
            wrong[f"{role} / {route}"] = (answer.status_code, fault_of(route, answer))
    assert wrong == {}
    assert len(read) > 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def written(family: Family, read: Walked, counted: dict[str, RoundTrips], database: Database) -> Walked:
    """Have the first guardian write everything that it may, what takes something away last."""
    assert read, "what is written here would change what is read"
    assert counted
    # Where the body that suits a stranger does not suit who is at home.
    bodies = {
        "POST /v1/auth/second-step": {"pin": "730418"},
        "PUT /v1/me/starter-nudge": {"wanted": True},
        "POST /v1/families/{family_id}/contests": {"guardian_id": family.ids["guardian_id"], "right": "locate"},
    }
    answers: Walked = {}
    # The session that asks would end itself before the rest: test_sessions.py.
    writing = [route for route in ROUTES if route.method != "GET" and "/sessions/" not in route.path]
    for route in sorted(writing, key=lambda route: (LAST.get(str(route), 0), route.method == "DELETE")):
        await fill_buckets(database)
        body = bodies.get(str(route))
        # The first guardian is asked more afterwards: another one logs out.
        role = Role.MESSAGE if route.path.endswith("/logout") else Role.FIRST
        answers[route, role] = await family.ask(role, route, **({} if body is None else {"json": body}))
    return answers


async def test_whoever_may_write_something_writes_it(written: Walked) -> None:
    refused = {
        str(route): (answer.status_code, answer.json()["code"])
        for (route, _), answer in written.items()
        if not answer.is_success
    }
    assert refused == OTHERWISE
    assert {str(route): fault for (route, _), answer in written.items() if (fault := fault_of(route, answer))} == {}
    assert len(written) > 45


async def test_under_every_rule_something_succeeds(read: Walked, written: Walked) -> None:
    succeeded = {route.rule for (route, _), answer in (*read.items(), *written.items()) if answer.is_success}
    assert succeeded == {route.rule for route in ROUTES}
    assert len(succeeded) > 10
    # And for each role, under every rule that lets it through to something that can be read.
    by_role: dict[tuple[str, Role], set[bool]] = defaultdict(set)
    for (route, role), answer in read.items():
        # A guardian's own objects are readable by that guardian only: a rule that guards only these is left out.
        if role in {Role.FIRST, Role.UNPROVEN} or not any(f"{{{name}}}" in route.path for name in OF_ONE_GUARDIAN):
            by_role[route.rule, role].add(answer.is_success)
    assert [cell for cell, answer in by_role.items() if True not in answer] == []
    assert len(by_role) > 40


async def test_what_signed_links_open_is_opened_without_a_token(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder
) -> None:
    await fill_buckets(database)
    mother = await make_family(client, database)
    message = await mother.speak(SOUND)
    links = [await mother.told("POST", f"{mother.child}/messages/{message['message_id']}/audio-link")]
    export = await mother.told("POST", f"{mother.family}/exports")
    assert await build_one_export(transcoder)
    links.append(await mother.told("POST", f"{mother.family}/exports/{export['export_id']}/link"))
    routes = [route for route in EVERY if route.rule.startswith("signed link")]
    assert {route.rule for route in routes} == {
        "signed link, message right", "signed link, in family",
        # A provider's address: tests/integration/api/test_sms_reports.py asks it.
        "signed link, provider's report",
    }  # fmt: skip
    for link in links:
        path, _, token = link["url"].removeprefix("http://").partition("/")[2].rpartition("/")
        (route,) = [route for route in routes if route.path == f"/{path}/{{token}}"]
        with round_trips(database) as trips:
            answer = await client.get(f"/{path}/{token}")
        assert (answer.status_code, fault_of(route, answer)) == (200, "")
        assert len(trips.statements) <= 5, "\n".join([path, *trips.statements])
