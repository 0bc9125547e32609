"""Alerts as guardians see them: page by page, by right, and answered for by a person."""

from __future__ import annotations

import uuid

import httpx
import pytest_asyncio

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.push.queries import readiness_of_family
from services.core.platform.db.database import Database
from tests.integration.api.conftest import Live
from tests.support.clock import FakeClock
from tests.support.http import Parent, enrol_family, make_family, new_phone
from tests.support.world import make_home


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    """A family with one child."""
    return await make_family(client, database)


async def _raise(parent: Parent, kind: str) -> str:
    async with parent.database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind, subject_id=uuid.uuid4())
        return str((await raise_alert(work, raised)).alert_id)


async def test_alerts_are_read_back_newest_first_page_by_page(parent: Parent, clock: FakeClock) -> None:
    raised = []
    for _ in range(7):
        raised.append(await _raise(parent, "sos"))
        # Two alerts of one moment keep one order.
        raised.append(await _raise(parent, "fall"))
        clock.advance(seconds=1)
    kinds: list[str] = []
    cursor = ""
    while True:
        page = await parent.told("GET", f"{parent.child}/alerts?limit=3{cursor}")
        kinds += [alert["alert_id"] for alert in page["alerts"]]
        if page["next_cursor"] is None:
            break
        assert len(page["alerts"]) == 3
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(kinds) == sorted(raised)
    assert len(kinds) == len(set(kinds))
    assert set(kinds[:2]) == set(raised[-2:])


async def test_a_cursor_of_another_family_is_one_that_does_not_exist(
    client: httpx.AsyncClient, database: Database, parent: Parent
) -> None:
    other = await make_family(client, database)
    theirs = await _raise(other, "fall")
    for cursor in (theirs, uuid.uuid4()):
        assert await parent.refused("GET", f"{parent.child}/alerts?cursor={cursor}") == (404, "not_found")


async def test_who_may_not_locate_is_told_nothing_of_zones(parent: Parent) -> None:
    zone, fall = await _raise(parent, "zone_left"), await _raise(parent, "fall")
    grandmother = await parent.invite()
    assert [alert["alert_id"] for alert in (await grandmother.told("GET", f"{parent.child}/alerts"))["alerts"]] == [
        fall
    ]
    for method, leaf in (("GET", ""), ("POST", "/acknowledge")):
        assert await grandmother.refused(method, f"{parent.child}/alerts/{zone}{leaf}") == (404, "not_found")
    father = await parent.invite(may_locate=True, relation="father")
    seen = (await father.told("GET", f"{parent.child}/alerts"))["alerts"]
    assert {alert["alert_id"] for alert in seen} == {zone, fall}


async def test_the_first_who_acknowledges_is_shown_to_everyone(parent: Parent, clock: FakeClock) -> None:
    alert_id = await _raise(parent, "sos")
    grandmother = await parent.invite()
    path = f"{parent.child}/alerts/{alert_id}"
    first = await grandmother.told("POST", f"{path}/acknowledge")
    clock.advance(seconds=10)
    assert await parent.told("POST", f"{path}/acknowledge") == first
    assert await parent.told("GET", path) == first
    assert first["acknowledged_by"] == grandmother.guardian_id


async def test_an_alert_is_on_the_guardians_streams_at_once(live: Live, parent: Parent) -> None:
    async with live.follow(parent) as stream:
        alert_id = await _raise(parent, "sos")
        event = (await stream.until("alert.raised"))[-1].body
        assert (event["ref_id"], event["child_id"], event["detail"]) == (alert_id, parent.child_id, {"kind": "sos"})
        await parent.told("POST", f"{parent.child}/alerts/{alert_id}/acknowledge")
        assert (await stream.until("alert.acknowledged"))[-1].body["ref_id"] == alert_id


async def test_readiness_shows_over_what_each_guardian_can_be_reached(parent: Parent) -> None:
    invited = {"phone": new_phone(), "relation": "aunt"}
    await parent.told("POST", f"{parent.family}/invitations", json=invited)
    readiness = await parent.told("GET", f"{parent.family}/readiness")
    assert readiness == {
        "ready": True, "invited": 1,
        "guardians": [
            {
                "guardian_id": parent.guardian_id, "live_session": True, "push": False, "phone_confirmed": True,
                "reachable": True,
            }
        ],
    }  # fmt: skip
    # The session is over: the phone, which was proved once, is what is left.
    grandmother = await parent.invite()
    await grandmother.told("POST", "/v1/auth/logout")
    guardians = (await parent.told("GET", f"{parent.family}/readiness"))["guardians"]
    (shown,) = [guardian for guardian in guardians if guardian["guardian_id"] == grandmother.guardian_id]
    assert (shown["live_session"], shown["phone_confirmed"], shown["reachable"]) == (False, True, True)


async def test_a_family_that_nobody_has_logged_in_for_is_not_ready(database: Database) -> None:
    family_id = await enrol_family(database, new_phone())
    home = await make_home(database)
    async with database.begin() as work:
        assert not (await readiness_of_family(work, family_id)).is_ready
        never_seen = await readiness_of_family(work, home.family_id)
    assert [guardian.is_reachable for guardian in never_seen.guardians] == [False]
    assert not never_seen.is_ready
