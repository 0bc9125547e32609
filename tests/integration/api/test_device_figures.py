"""Battery, silence and last seen: guardians, triage, site health, indicators and lists read the same figures."""

from __future__ import annotations

from typing import Any

import httpx
import pytest_asyncio

from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.presence.actions import record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.measurement.publishing.queries import device_counts
from services.core.office.hand_outs.roster import roster
from services.core.office.registration.inventory import list_watches
from services.core.office.triage.queries import record_low_batteries
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, code_on, fill_buckets, make_family, make_place, pair
from tests.support.staff_http import StaffMember, make_staff, renewed
from tests.support.world import arrive, make_watch


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


async def _carries(database: Database, identity: WatchIdentity, level_pct: int) -> None:
    """Let a message arrive that carries a battery level."""
    async with database.begin() as work:
        locked = await standing_identity(work, identity.username, lock=True)
        assert locked is not None
        await record_seen(work, locked)
        await record_battery(work, locked, level_pct)


async def _triage(staff: StaffMember, place: Place, kind: str) -> list[str]:
    path = f"/v1/staff/sites/{place.site.site_id}/triage"
    return [entry["serial"] for entry in (await staff.told("GET", path, params={"kind": kind}))["entries"]]


async def _rows_of_staff(staff: StaffMember, place: Place) -> list[dict[str, Any]]:
    """Return the one watch of the site as each list of staff shows it."""
    site = f"/v1/staff/sites/{place.site.site_id}"
    (watch,) = (await staff.told("GET", f"{site}/watches"))["watches"]
    (family,) = (await staff.told("GET", f"{site}/families"))["families"]
    return [watch, *family["watches"]]


async def _counts(database: Database, place: Place) -> set[str]:
    async with database.begin() as work:
        return set(await device_counts(work, place.site.site_id))


async def _shown_to_guardians(parent: Parent) -> dict[str, Any]:
    watch: dict[str, Any] = (await parent.told("GET", f"/v1/children/{parent.child_id}"))["watch"]
    return watch


async def test_everybody_sees_the_battery_of_the_last_message_and_not_that_of_the_last_hello(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff, parent = await make_staff(client, database, place), await make_family(client, database, place)
    identity = await pair(parent, place)
    await arrive(database, identity.username)
    clock.advance(minutes=2)
    await _carries(database, identity, 7)
    assert (await _shown_to_guardians(parent))["battery_pct"] == 7
    assert [row["battery_pct"] for row in await _rows_of_staff(staff, place)] == [7, 7]
    assert "low_battery" in await _counts(database, place)
    async with database.begin() as work:
        assert await record_low_batteries(work)
    clock.advance(days=3)
    staff = await renewed(staff, database)
    assert len(await _triage(staff, place, "low_battery")) == 1
    await _carries(database, identity, 90)
    assert "low_battery" not in await _counts(database, place)


async def test_a_watch_that_arrived_a_minute_ago_is_silent_nowhere_and_one_never_seen_is_after_two_days(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff, parent = await make_staff(client, database, place), await make_family(client, database, place)
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    body = {"code": await code_on(database, watch)}
    await parent.told("POST", f"/v1/children/{parent.child_id}/pairing", json=body)
    await parent.told("POST", f"/v1/children/{parent.child_id}/pairing/arrived")
    clock.advance(minutes=1)
    assert await _triage(staff, place, "silent") == []
    assert "silent_48_hours" not in await _counts(database, place)
    clock.advance(hours=48)
    staff = await renewed(staff, database)
    assert await _triage(staff, place, "silent") == [watch.serial]
    assert "silent_48_hours" in await _counts(database, place)


async def test_every_list_shows_the_same_time_of_the_last_message(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff, parent = await make_staff(client, database, place), await make_family(client, database, place)
    identity = await pair(parent, place)
    seen_at = clock.advance(minutes=2)
    await _carries(database, identity, 50)
    clock.advance(minutes=2)
    written = (await _shown_to_guardians(parent))["last_seen_at"]
    assert [row["last_seen_at"] for row in await _rows_of_staff(staff, place)] == [written, written]
    async with database.begin() as work:
        (shelf,) = await list_watches(work, site=place.site)
        (entry,) = await roster(work, place.site)
    assert shelf.last_seen_at == entry.last_seen_at == seen_at
