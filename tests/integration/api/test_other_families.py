"""Another family's ids under one's own, and words that are no ids, on every route. Generated from the routes.

test_matrix.py asks for another family's ids alone and without a token; test_matrix_passes.py shows that each of these
requests is one that its own family could make.
"""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.platform.db.database import Database
from tests.support.api_routes import Declared, app_without_database, declared_routes
from tests.support.http import TEXT_VERSION, Parent, Place, fill_buckets, make_family, make_place, new_phone, pair
from tests.support.places import circle, may_look
from tests.support.sounds import encoded
from tests.support.staff_http import waiting_recovery

# Staff routes have a world of their own: test_staff_access.py.
ROUTES = [route for route in declared_routes(app_without_database()) if not route.is_for_staff]
# A signed link is no id: it is somebody's own, or none.
WITH_IDS = [route for route in ROUTES if "{" in route.path and "{token}" not in route.path]

# A body that each route would take, so that the refusal is about whose it is and nothing else.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/me": {"locale": "vi"},
    "PUT /v1/me/pin": {"pin": "730418"},
    "POST /v1/families/{family_id}/consents": {"part": "location", "text_version": TEXT_VERSION, "locale": "en"},
    "POST /v1/families/{family_id}/consents/withdraw": {"part": "messages"},
    "POST /v1/families/{family_id}/question/not-now": {"subject": "location"},
    "POST /v1/invitations/{invitation_id}/accept": {"text_version": TEXT_VERSION, "locale": "en"},
    "POST /v1/families/{family_id}/children": {"name": "Mei"},
    "PATCH /v1/children/{child_id}": {"name": "Mei"},
    "POST /v1/children/{child_id}/agreement": {"how": "app"},
    "PATCH /v1/families/{family_id}/guardians/{guardian_id}": {"may_message": False},
    "POST /v1/families/{family_id}/invitations": {"phone": "+8613900000001", "relation": "aunt"},
    "POST /v1/children/{child_id}/contacts": {"name": "Li", "relation": "aunt", "number": "+8613900000002"},
    "PUT /v1/children/{child_id}/contacts/order": {"contact_ids": []},
    "PATCH /v1/children/{child_id}/contacts/{contact_id}": {"name": "Li"},
    "PUT /v1/children/{child_id}/contacts/{contact_id}/lives-with-child": {"agreed": True, "witness": "Uncle Chen"},
    "POST /v1/children/{child_id}/alerts/{alert_id}/all-right": {"all_right": True},
    "POST /v1/children/{child_id}/help": {"kind": "worried"},
    "POST /v1/children/{child_id}/pairing": {"code": "123456"},
    "POST /v1/children/{child_id}/messages": {"kind": "text", "text": "hi"},
    "PUT /v1/children/{child_id}/messages/{message_id}/state": {"state": "played"},
    "PUT /v1/children/{child_id}/messages/{message_id}/kept": {"kept": True},
    "PUT /v1/families/{family_id}/my-number": {"hidden": True},
    "POST /v1/families/{family_id}/contests": {"guardian_id": str(uuid.UUID(int=1)), "right": "message"},
    "POST /v1/children/{child_id}/uploads": {"bytes": 5000, "sha256": "0" * 64},
    "POST /v1/children/{child_id}/zones": {"name": "School", "shape": circle()},
    "PATCH /v1/children/{child_id}/zones/{zone_id}": {"name": "School"},
    "POST /v1/children/{child_id}/commands": {"kind": "ring"},
    "PATCH /v1/children/{child_id}/watch-settings": {"volume_pct": 50},
    "POST /v1/me/step-up": {"pin": "730418"},
    "POST /v1/me/number-change/codes": {"phone": "+8613900000004"},
    "POST /v1/me/number-change": {
        "phone": "+8613900000004",
        "challenge_id": str(uuid.UUID(int=1)),
        "challenge_secret": "x",
        "code": "482913",
    },
    "PUT /v1/me/availability": {"busy_until": None},
    "POST /v1/push-endpoints": {"kind": "webhook", "address": "https://push.example.org/a"},
}
ERASING = {"DELETE /v1/children/{child_id}", "DELETE /v1/families/{family_id}"}
SOUND = encoded("amr-nb", 1.0)
# Their bodies are sound.
WITH_SOUND = {
    "POST /v1/children/{child_id}/voice-messages": {"Content-Type": "audio/amr"},
    "PATCH /v1/children/{child_id}/uploads/{upload_id}": {
        "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0",
    },
}  # fmt: skip


def request_of(route: Declared) -> dict[str, Any]:
    """Return the body and headers of a request that this route would take."""
    headers = {"Idempotency-Key": "key-of-test"}
    if str(route) in WITH_SOUND:
        return {"content": SOUND, "headers": headers | WITH_SOUND[str(route)]}
    request: dict[str, Any] = {"json": BODIES.get(str(route)), "headers": headers}
    return request | ({"params": {"confirm": "erase"}} if str(route) in ERASING else {})


class World:
    """Two families of one site, each with everything that an id can name."""

    def __init__(self, place: Place, mine: Parent, theirs: Parent, ids: dict[str, str]) -> None:
        self.place = place
        self.mine = mine
        self.theirs = theirs
        self.their_ids = ids
        self.my_ids = {"family_id": str(mine.family_id), "child_id": mine.child_id}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused: together they ask more than one guardian may."""
    await fill_buckets(database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database) -> World:
    """Both families once: all tests ask for what is refused only."""
    return await make_world(client, database)


async def make_world(client: httpx.AsyncClient, database: Database) -> World:
    """Make two families of a new site, one of them with everything that an id can name."""
    place = await make_place(database)
    mine, theirs = await make_family(client, database, place), await make_family(client, database, place)
    await pair(theirs, place)
    contact = await theirs.add_contact()
    message = await theirs.speak(SOUND)
    upload = await theirs.told(
        "POST",
        f"{theirs.child}/uploads",
        json={"bytes": 5000, "sha256": "0" * 64},
        headers={"Idempotency-Key": "upload-1"},
    )
    invited = {"phone": new_phone(), "relation": "aunt"}
    invitation = await theirs.told("POST", f"{theirs.family}/invitations", json=invited)
    second = await theirs.invite()
    for parent in (mine, theirs):
        await may_look(parent)
        await parent.consent("sos_places")
    zone = await theirs.told("POST", f"{theirs.child}/zones", json={"name": "Home", "shape": circle()})
    command = await theirs.told("POST", f"{theirs.child}/commands", json={"kind": "ring"})
    hook = {"kind": "webhook", "address": "https://push.example.org/theirs"}
    endpoint = await theirs.told("POST", "/v1/push-endpoints", json=hook)
    async with database.begin() as work:
        raised = NewAlert(uuid.UUID(theirs.child_id), uuid.UUID(str(theirs.family_id)), "sos")
        alert_id = (await raise_alert(work, raised)).alert_id
    contested = {"guardian_id": second.guardian_id, "right": "message"}
    export = await theirs.told("POST", f"{theirs.family}/exports")
    contest = await theirs.told("POST", f"{theirs.family}/contests", json=contested)
    await second.new_device().log_in()
    (waiting,) = (await theirs.told("GET", "/v1/me/log-ins"))["log_ins"]
    (session,) = (await theirs.told("GET", "/v1/me/sessions"))["sessions"]
    ids = {
        "family_id": str(theirs.family_id), "child_id": theirs.child_id, "contact_id": contact["contact_id"],
        "message_id": message["message_id"], "invitation_id": invitation["invitation_id"],
        "guardian_id": second.guardian_id, "upload_id": upload["upload_id"],
        "zone_id": zone["zone_id"],
        "command_id": command["command_id"], "alert_id": str(alert_id),
        "endpoint_id": endpoint["endpoint_id"],
        "contest_id": contest["contest_id"],
        "session_id": session["session_id"], "log_in_id": waiting["log_in_id"],
        "recovery_id": await waiting_recovery(client, theirs, place),
        "export_id": export["export_id"],
    }  # fmt: skip
    return World(place, mine, theirs, ids)


async def _ask(parent: Parent, route: Declared, ids: dict[str, str]) -> tuple[int, dict[str, Any]]:
    answer = await parent.ask(route.method, route.path.format(**ids), **request_of(route))
    is_json = answer.headers.get("content-type", "").endswith("json")
    body = answer.json() if answer.content and is_json else {}
    return answer.status_code, {name: value for name, value in body.items() if name != "request_id"}


def _random(ids: dict[str, str]) -> dict[str, str]:
    return {name: str(uuid.uuid4()) for name in ids}


async def test_another_familys_thing_is_not_reached_through_ones_own_family(world: World) -> None:
    mixed = world.their_ids | world.my_ids
    wrong = {}
    for route in (route for route in WITH_IDS if route.path.count("{") > 1):
        foreign = await _ask(world.mine, route, mixed)
        unknown = await _ask(world.mine, route, _random(mixed) | world.my_ids)
        if foreign != unknown or (foreign[0], foreign[1]["code"]) != (404, "not_found"):
            wrong[str(route)] = (foreign, unknown)
    assert wrong == {}


@pytest.mark.parametrize("word", ["0", "null", "..", "a" * 300, "%00", "%F0%9F%8C%99", "%ED%A0%80", "'--"])
async def test_what_is_no_id_is_refused_and_never_fails(world: World, word: str) -> None:
    for route in WITH_IDS:
        path = route.path
        for name in world.their_ids:
            path = path.replace(f"{{{name}}}", word)
        answer = await world.mine.ask(route.method, path, **request_of(route))
        if word == ".." and answer.url.path == "/v1/checkins/latest":
            continue  # the client itself asked for another address, which exists and is the caller's own
        # "..": such an address may want another kind of body.
        expected = {404, 405, 415, 422} if word == ".." else {404, 405, 422}
        assert answer.status_code in expected, (str(route), answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json", str(route)
