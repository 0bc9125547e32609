"""The place in an SOS over HTTP: who may see it, how long it is kept, and that each look is written down."""

from __future__ import annotations

import uuid

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.escalation import purge_old_alerts
from services.core.location.checkins.sealing import Place
from services.core.location.checkins.sos_places import SosPosition, purge_unconsented_sos_places, store_sos_place
from services.core.location.checkins.tables import SosPlace
from services.core.location.geometry import Point
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family

POINT = Point(23.0277, 113.7533)


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    """A guardian who may locate and agreed to places in an SOS; to location nobody did."""
    parent = await make_family(client, database)
    await parent.told("PATCH", f"{parent.family}/guardians/{parent.guardian_id}", json={"may_locate": True})
    await parent.consent("sos_places")
    return parent


async def _call(parent: Parent, kind: str = "sos") -> str:
    """Have the child call; return the address of the alert."""
    async with parent.database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind)
        alert = await raise_alert(work, raised)
        await store_sos_place(work, alert, SosPosition(Place(POINT, 31.0), 18.0, "gps", work.now))
    return f"{parent.child}/alerts/{alert.alert_id}"


async def _rows(parent: Parent) -> int:
    async with parent.database.begin() as work:
        alert_ids = await work.session.exec(
            select(SosPlace.alert_id).where(col(SosPlace.child_id) == uuid.UUID(parent.child_id))
        )
        return len(alert_ids.all())


async def test_a_guardian_sees_where_an_sos_came_from_and_the_look_is_written_down(
    parent: Parent, clock: FakeClock
) -> None:
    alert = await _call(parent)
    place = await parent.told("GET", f"{alert}/place")
    assert place["alert_id"] == alert.rpartition("/")[2]
    seen = place["seen"]
    assert seen["place"] == {"lat": POINT.lat, "lon": POINT.lon, "altitude_m": 31.0}
    assert (seen["accuracy_m"], seen["source"]) == (18.0, "gps")
    assert seen["happened_at"] == seen["received_at"] == clock.now.isoformat().replace("+00:00", "Z")
    [look] = (await parent.told("GET", f"{parent.family}/audit", params={"limit": 1}))["entries"]
    assert (look["action"], look["guardian_id"], look["subject_id"]) == ("place", parent.guardian_id, parent.child_id)
    # Where location itself is concerned nothing was agreed to.
    assert await parent.refused("GET", f"{parent.child}/checkins/latest") == (403, "consent_required")


async def test_right_and_consent_are_both_needed_and_only_an_sos_has_a_place(parent: Parent) -> None:
    alert = await _call(parent)
    aunt = await parent.invite()
    assert await aunt.refused("GET", f"{alert}/place") == (403, "right_missing")
    await parent.told("PATCH", f"{parent.family}/guardians/{aunt.guardian_id}", json={"may_locate": True})
    await aunt.consent("location")
    assert await aunt.refused("GET", f"{alert}/place") == (403, "consent_required")
    await aunt.consent("sos_places")
    assert (await aunt.told("GET", f"{alert}/place"))["seen"] is not None
    fall = await _call(parent, "fall")
    assert await parent.refused("GET", f"{fall}/place") == (404, "not_found")


async def test_an_sos_of_before_the_consent_has_no_place(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    alert = await _call(parent)
    await parent.told("PATCH", f"{parent.family}/guardians/{parent.guardian_id}", json={"may_locate": True})
    await parent.consent("sos_places")
    assert (await parent.told("GET", f"{alert}/place"))["seen"] is None


async def test_the_last_consent_that_is_taken_back_takes_the_places_along(parent: Parent) -> None:
    aunt = await parent.invite()
    await aunt.consent("sos_places")
    await _call(parent)
    for guardian, left in ((parent, 1), (aunt, 0)):
        await guardian.told("POST", f"{guardian.family}/consents/withdraw", json={"part": "sos_places"})
        async with parent.database.begin() as work:
            await purge_unconsented_sos_places(work)
        assert await _rows(parent) == left
    await _call(parent)
    assert await _rows(parent) == 0


async def test_it_is_erased_with_the_child(parent: Parent) -> None:
    await _call(parent)
    assert await _rows(parent) == 1
    await parent.told("DELETE", parent.child, params={"confirm": "erase"})
    assert await _rows(parent) == 0


async def test_it_lives_as_long_as_its_alert(parent: Parent, clock: FakeClock) -> None:
    await _call(parent)
    clock.advance(days=179)
    async with parent.database.begin() as work:
        assert not await purge_old_alerts(work)
    assert await _rows(parent) == 1
    clock.advance(days=1)
    async with parent.database.begin() as work:
        assert await purge_old_alerts(work)
    assert await _rows(parent) == 0
