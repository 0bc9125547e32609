"""Every staff route, asked by every role of staff, tells nothing of a family that is full of canaries."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.api.staff.access import PERMISSIONS
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.measurement.exports.rendering import render_one_file
from services.core.measurement.indicators.rules import INDICATORS
from services.core.people.programme.actions import name_outside
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.writing import Plan, simulate
from tests.support.api_routes import app_without_database, declared_routes
from tests.support.clock import FakeClock
from tests.support.colleague import Colleague, first_password_sent_to
from tests.support.documented import fault_of
from tests.support.http import Place, fill_buckets, new_phone
from tests.support.staff_canaries import CrawlWorld, texts_of
from tests.support.staff_crawl import ask_prepared
from tests.support.staff_http import make_staff

ROUTES = [route for route in declared_routes(app_without_database()) if route.is_for_staff]
# The one route that shows something of a guardian: two people agreed to it, for an hour, and the guardian is told.
# (Staff who change a number type both numbers from the paper themselves; they are told neither.)
SHOWN = {
    "GET /v1/staff/sites/{site_id}/break-glass/{break_glass_id}/guardian": {"the mother's name", "the mother's phone"},
}
# Anybody may ask these, and they need a password: a colleague goes through them below.
WITHOUT_SESSION = {route for route in ROUTES if route.rules == ("open",)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder, settings: Settings
) -> CrawlWorld:
    """The family lives at a site where many others do, so that there are numbers to tell."""
    await simulate(database, settings, Plan(sites=1, families=40, weeks=3, seed=7))
    async with database.begin() as work:
        site = (await work.session.exec(select(Site))).one()
        cohort = (await work.session.exec(select(Cohort).order_by(col(Cohort.name)))).first()
        # So that files for brands name it, as these tests want to see what is there.
        await name_outside(work, OPERATOR, site, named=True)
    assert cohort is not None
    place = Place(site, cohort)
    chief, second = [await make_staff(client, database, place, "admin", programme=True) for _ in range(2)]
    return await CrawlWorld(client, database, transcoder, place, chief, second).plant()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def walked(world: CrawlWorld) -> dict[str, dict[str, httpx.Response]]:
    """Ask every route as each role, once for all tests; return the answers by route and role."""
    answers: dict[str, dict[str, httpx.Response]] = defaultdict(dict)
    for role in PERMISSIONS:
        await fill_buckets(world.database)
        member = await make_staff(world.client, world.database, world.place, role, programme=True)
        for route in ROUTES:
            answers[str(route)][role] = await ask_prepared(world, member, route)
    return answers


async def test_no_answer_to_any_role_holds_a_canary(
    world: CrawlWorld, walked: dict[str, dict[str, httpx.Response]]
) -> None:
    leaks = {
        (route, role): leaked
        for route, by_role in walked.items()
        for role, answer in by_role.items()
        if (leaked := world.canaries.found_in(answer) - (SHOWN.get(route, set()) if answer.is_success else set()))
    }
    assert leaks == {}
    assert len(world.canaries.words) > 100


async def test_each_route_was_walked_to_its_end_by_somebody(walked: dict[str, dict[str, httpx.Response]]) -> None:
    """Otherwise the absence of canaries would prove nothing: a refusal tells nothing anyway."""
    succeeded = {route for route, by_role in walked.items() if any(answer.is_success for answer in by_role.values())}
    # The survey of this world has no answers, and an empty one is not published; surveys have tests of their own.
    publishing = "POST /v1/staff/programmes/{programme_id}/surveys/{survey_id}/publish"
    # This deployment has no DHIS2 system: tests/integration/worker/test_dhis2.py has one.
    importing = "POST /v1/staff/dhis2-imports"
    assert {str(route) for route in ROUTES} - succeeded == {
        publishing,
        importing,
        *(str(route) for route in WITHOUT_SESSION),
    }
    assert len(succeeded) > 50
    failed = {
        (route, role): answer.status_code
        for route, by_role in walked.items()
        for role, answer in by_role.items()
        if not answer.is_success and answer.json()["code"] not in {"permission_missing", "staff_log_in_refused"}
    }
    # Each permitted caller succeeded.
    assert {(route, status) for (route, _), status in failed.items()} <= {
        (publishing, 409), (importing, 409),
        ("POST /v1/staff/auth/refresh", 401), ("POST /v1/staff/sites/{site_id}/watch-hand-outs/undo", 409),
    }  # fmt: skip


async def test_every_answer_is_as_documented(walked: dict[str, dict[str, httpx.Response]]) -> None:
    named = {str(route): route for route in ROUTES}
    wrong = {
        (route, role): fault
        for route, by_role in walked.items()
        for role, answer in by_role.items()
        if (fault := fault_of(named[route], answer))
    }
    assert wrong == {}


async def test_what_the_answers_do_hold_is_found_by_the_same_eyes(
    world: CrawlWorld, walked: dict[str, dict[str, httpx.Response]]
) -> None:
    site = "/v1/staff/sites/{site_id}"
    seen = {route: " ".join(texts_of(by_role["admin"])) for route, by_role in walked.items()}
    assert world.serial in seen[f"GET {site}/watch-labels"]
    assert world.code in seen[f"GET {site}/hand-out-list"]
    assert world.code in seen[f"POST {site}/hand-outs/{{hand_out_id}}/slips"]
    assert world.code in seen[f"GET {site}/families"]
    assert world.code in seen[f"GET {site}/help"]
    shown = walked[f"GET {site}/break-glass/{{break_glass_id}}/guardian"]["manager"]
    assert world.canaries.found_in(shown) == {"the mother's name", "the mother's phone"}
    assert shown.json() == {"name": world.canaries.words["the mother's name"], "phone": shown.json()["phone"]}


@pytest.mark.parametrize("kind", ["csv", "xlsx", "report", "dhis2"])
@pytest.mark.parametrize("audience", ["staff", "brand", "factory"])
async def test_files_made_by_the_worker_hold_no_canary_and_no_code(world: CrawlWorld, kind: str, audience: str) -> None:
    site_id = str(world.place.site.site_id)
    body: dict[str, Any] = {"kind": kind, "audience": audience, "site_id": site_id}
    if kind == "dhis2":
        elements = dict.fromkeys(INDICATORS, "fbfJHSPpUQD")
        body["dhis2"] = {"data_elements": elements, "org_units": {site_id: "DiszpKrYNg8"}}
    made = await world.chief.told("POST", "/v1/staff/exports", json=body)
    assert await render_one_file(world.database)
    answer = await world.chief.ask("GET", f"/v1/staff/exports/{made['usage_export_id']}/file")
    assert answer.status_code == 200
    assert world.canaries.found_in(answer) == set()
    text = " ".join(texts_of(answer))
    assert world.code not in text
    assert ("DiszpKrYNg8" if kind == "dhis2" else world.place.site.name) in text


async def test_a_colleague_who_logs_in_is_told_of_nobody(
    world: CrawlWorld, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    await fill_buckets(world.database)
    phone = new_phone()
    body: dict[str, object] = {"email": "log-in@wecare.example", "display_name": "Lan", "role": "staff", "phone": phone}
    body |= {"site_id": str(world.place.site.site_id), "employed_by_factory": False}
    request = await world.chief.told("POST", "/v1/staff/accounts", json=body)
    await world.second.told("POST", f"/v1/staff/account-requests/{request['request_id']}/approve")
    lan = await Colleague(client, clock, request["email"], await first_password_sent_to(world.database, phone)).set_up()
    answers = [await lan.say("tokens", code=lan.shown(1)), await lan.refresh()]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [world.canaries.found_in(answer) for answer in answers] == [set(), set()]


def test_a_canary_is_found_wherever_it_sits(world: CrawlWorld) -> None:
    number = world.canaries.words["the mother's phone"]
    spaced = f"+86 {number[:3]} {number[3:7]}-{number[7:]}"
    run = world.canaries.sounds["what the child said"][190:260]
    for canary, content, media in (
        ("the mother's phone", spaced.encode(), "text/plain"),
        ("the mother's name", world.canaries.words["the mother's name"].upper().encode(), "text/csv"),
        ("where the child was, latitude", b'{"lat": 23.0318}', "application/json"),
        ("what the child said", run, "application/octet-stream"),
    ):
        answer = httpx.Response(200, content=content, headers={"content-type": media})
        assert canary in world.canaries.found_in(answer), canary
    hidden = httpx.Response(204, headers={"x-note": world.canaries.words["the zone's name"]})
    assert world.canaries.found_in(hidden) == {"the zone's name"}
