"""Settings of a watch: versioned, by right and consent, and sent to the watch until it acknowledges them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio

from services.core.devices.contacts.queries import wire_contacts
from services.core.devices.watch_settings.actions import repair_one_offset
from services.core.devices.watches.tables import WatchSettings
from services.core.platform.db.database import Database
from tests.integration.api.test_commands import LOCATION
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair

SCHOOL = {"days": [1, 2, 3, 4, 5], "starts": "08:00", "ends": "16:30"}
NIGHT = {"days": [1, 2, 3, 4, 5, 6, 7], "starts": "21:00", "ends": "06:30"}


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    """A family whose child wears a watch."""
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await pair(parent, place)
    return parent


async def _settings(parent: Parent) -> dict[str, Any]:
    settings: dict[str, Any] = await parent.told("GET", f"{parent.child}/watch-settings")
    return settings


async def _change(parent: Parent, **news: object) -> dict[str, Any]:
    settings: dict[str, Any] = await parent.told("PATCH", f"{parent.child}/watch-settings", json=news)
    return settings


async def test_each_change_is_a_version_and_no_change_is_none(parent: Parent) -> None:
    before = await _settings(parent)
    changed = await _change(parent, volume_pct=30, checkin_interval_s=3600, quiet=[SCHOOL, NIGHT], language="vi-VN")
    assert changed["version"] == before["version"] + 1
    assert (changed["volume_pct"], changed["checkin_interval_s"], changed["language"]) == (30, 3600, "vi")
    assert changed["quiet"] == [SCHOOL, NIGHT]
    assert await _change(parent, volume_pct=30, quiet=[SCHOOL, NIGHT]) == changed
    assert (await _change(parent, quiet=[]))["quiet"] == []


async def test_quiet_now_is_judged_by_the_clock_on_the_sites_wall(parent: Parent, clock: FakeClock) -> None:
    local = clock.now.astimezone(ZoneInfo("Asia/Shanghai"))
    begins, ends = f"{local - timedelta(hours=1):%H:%M}", f"{local + timedelta(hours=1):%H:%M}"
    everyday = list(range(1, 8))
    assert (await _change(parent, quiet=[{"days": everyday, "starts": begins, "ends": ends}]))["quiet_now"] is True
    assert (await _change(parent, quiet=[{"days": everyday, "starts": ends, "ends": begins}]))["quiet_now"] is False


@pytest.mark.parametrize(
    "bad",
    [
        {"quiet": [SCHOOL | {"starts": "16:30"}]},
        {"quiet": [SCHOOL | {"days": [1, 1]}]},
    ],
)
async def test_quiet_times_that_make_no_sense_are_refused(parent: Parent, bad: dict[str, Any]) -> None:
    refused = await parent.refused("PATCH", f"{parent.child}/watch-settings", json=bad)
    assert refused == (422, "quiet_times_invalid")


async def test_location_is_turned_on_by_consent_and_off_with_it(parent: Parent) -> None:
    path = f"{parent.child}/watch-settings"
    assert await parent.refused("PATCH", path, json={"location": True}) == (403, "consent_required")
    await parent.told("POST", f"{parent.family}/consents", json=LOCATION)
    on = await _change(parent, location=True)
    assert on["location"] is True
    await parent.told("POST", f"{parent.family}/consents/withdraw", json={"part": "location"})
    off = await _settings(parent)
    assert (off["location"], off["version"]) == (False, on["version"] + 1)


async def test_only_who_may_manage_changes_settings(parent: Parent) -> None:
    grandmother = await parent.invite()
    assert await grandmother.told("GET", f"{parent.child}/watch-settings") == await _settings(parent)
    refused = await grandmother.refused("PATCH", f"{parent.child}/watch-settings", json={"volume_pct": 5})
    assert refused == (403, "right_missing")


async def test_the_watch_is_told_when_the_clocks_change(parent: Parent, database: Database, clock: FakeClock) -> None:
    async def repaired() -> tuple[int, int]:
        async with database.begin() as work:
            settings = await work.session.get_one(WatchSettings, uuid.UUID(parent.child_id))
            settings.timezone = "Europe/Berlin"
            work.add(settings)
        repaired = True
        while repaired:
            async with database.begin() as work:
                repaired = await repair_one_offset(work)
        async with database.begin() as work:
            settings = await work.session.get_one(WatchSettings, uuid.UUID(parent.child_id))
            return settings.version, settings.utc_offset_s or 0

    clock.now = datetime(2028, 3, 26, 0, 59, tzinfo=UTC)
    winter = await repaired()
    assert winter[1] == 3600
    assert await repaired() == winter
    clock.now = datetime(2028, 3, 26, 1, 0, tzinfo=UTC)
    assert await repaired() == (winter[0] + 1, 7200)
    clock.now = datetime(2028, 10, 29, 1, 0, tzinfo=UTC)
    assert await repaired() == (winter[0] + 2, 3600)


async def test_on_shift_until_six_is_shown_on_the_watch_until_then(
    parent: Parent, database: Database, clock: FakeClock
) -> None:
    async def on_the_watch() -> tuple[int, datetime | None]:
        async with database.begin() as work:
            version, contacts = await wire_contacts(work, uuid.UUID(parent.child_id))
            return version, contacts[0].busy_until_at

    version, _ = await on_the_watch()
    until = clock.now + timedelta(hours=3)
    await parent.told("PUT", "/v1/me/availability", json={"busy_until": until.isoformat()})
    assert await on_the_watch() == (version + 1, until)
    clock.advance(hours=3)
    await parent.log_in()
    assert await on_the_watch() == (version + 1, None), "it ends by itself, without a new version"
    assert await parent.told("GET", "/v1/me/availability") == {"busy_until": None}
    assert await parent.told("PUT", "/v1/me/availability", json={"busy_until": None}) == {"busy_until": None}


@pytest.mark.parametrize("bad", ["5", "1700000000", "2026-03-02T18:00:00", "never"])
async def test_a_shift_without_offset_or_as_a_number_is_refused(parent: Parent, bad: str) -> None:
    refused = await parent.refused("PUT", "/v1/me/availability", json={"busy_until": bad})
    assert refused == (422, "invalid_request")


async def test_nobody_works_for_more_than_a_day(parent: Parent, clock: FakeClock) -> None:
    until = (clock.now + timedelta(hours=25)).isoformat()
    assert await parent.refused("PUT", "/v1/me/availability", json={"busy_until": until}) == (422, "busy_too_long")
