"""The programme over HTTP: hand-out by scan, triage, help, notices; and nothing of the people in any of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio

from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import Watch
from services.core.office.triage.queries import record_low_batteries
from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family, make_place, new_phone, pair, sms_to
from tests.support.staff_http import at_hand_out, make_staff, renewed
from tests.support.world import arrive, make_watch


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


async def code_of(database: Database, parent: Parent) -> str:
    async with database.begin() as work:
        return (await work.session.get_one(Family, parent.family_id)).family_code


async def new_watch(database: Database, site_id: Any) -> str:
    async with database.begin() as work:
        return (await make_watch(work, site_id, None))[0].serial


async def test_hand_out_by_scan_undo_return_and_replacement(client: httpx.AsyncClient, database: Database) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    parent, other = await make_family(client, database, place), await make_family(client, database, elsewhere)
    code, foreign_code = await code_of(database, parent), await code_of(database, other)
    first, second = [await new_watch(database, place.site.site_id) for _ in range(2)]
    foreign = await new_watch(database, elsewhere.site.site_id)
    site = f"/v1/staff/sites/{place.site.site_id}"

    async def scan(serial: str, family_code: str) -> Any:
        body = {"scan": f"smartwatch:serial:{serial}", "family_code": family_code}
        return (await coordinator.ask("POST", f"{site}/watch-hand-outs", json=body)).json()

    assert await scan(first, code) == {
        "serial": first, "family_code": code, "is_new": True, "no_working_channel": False
    }  # fmt: skip
    assert (await scan(first, code))["is_new"] is False
    # Another site's watch and family answer as those that do not exist.
    assert (await scan(foreign, code))["code"] == (await scan("NONE0001", code))["code"] == "watch_unknown"
    assert (await scan(second, foreign_code))["code"] == (await scan(second, "F-NONE1"))["code"] == "family_unknown"

    assert (await coordinator.told("POST", f"{site}/watch-hand-outs/undo"))["serial"] == first
    assert await coordinator.refused("POST", f"{site}/watch-hand-outs/undo") == (409, "nothing_to_undo")
    await scan(first, code)
    replaced = {"scan": first, "state": "broken", "replacement": second}
    assert (await coordinator.told("POST", f"{site}/watch-replacements", json=replaced))["changed"]
    assert not (await coordinator.told("POST", f"{site}/watch-replacements", json=replaced))["changed"]
    for serial in (foreign, "NONE0001"):
        lost = {"scan": serial, "state": "lost"}
        assert await coordinator.refused("POST", f"{site}/watch-withdrawals", json=lost) == (404, "watch_unknown")
    back = {"scan": second, "state": "returned"}
    assert (await coordinator.told("POST", f"{site}/watch-withdrawals", json=back))["changed"]
    for leaf in ("watch-labels", "hand-out-list"):
        assert (await coordinator.told("GET", f"{site}/{leaf}")).startswith(b"%PDF-")


async def test_triage_names_what_to_do_in_the_language_asked_for_page_by_page(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)
    await arrive(database, identity.username)
    async with database.begin() as work:
        row = await work.session.get_one(Watch, identity.watch_id)
        row.sim_expires_on = (clock.now + timedelta(days=10)).date()
        paired = row.serial
        work.add(row)
        waiting, _ = await make_watch(work, place.site.site_id, parent.family_id)
    site = f"/v1/staff/sites/{place.site.site_id}/triage"

    entries = (await staff.told("GET", site))["entries"]
    assert {(finding["serial"], finding["kind"]) for finding in entries} == {
        (paired, "sim_expiring"), (waiting.serial, "never_paired"),
    }  # fmt: skip
    clock.advance(hours=49)
    staff = await renewed(staff, database)
    entries = (await staff.told("GET", site, params={"kind": "silent", "locale": "tr"}))["entries"]
    assert [(finding["serial"], finding["family_code"]) for finding in entries] == [
        (paired, await code_of(database, parent))
    ]
    assert "İki gündür" in entries[0]["advice"]

    page = await staff.told("GET", site, params={"limit": 1})
    rest = await staff.told("GET", site, params={"limit": 1, "after": page["next"]})
    assert {entry["serial"] for entry in page["entries"] + rest["entries"]} == {paired, waiting.serial}
    assert rest["next"] is None


async def test_a_battery_that_is_low_for_three_days_is_told_and_forgotten_once_it_is_charged(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    identity = await pair(await make_family(client, database, place), place)
    await arrive(database, identity.username)
    path = f"/v1/staff/sites/{place.site.site_id}/triage?kind=low_battery"

    async def says(battery_pct: int | None) -> list[bool]:
        async with database.begin() as work:
            locked = await standing_identity(work, identity.username, lock=True)
            assert locked is not None
            if battery_pct is not None:
                await record_battery(work, locked, battery_pct)
        changes = []
        for _ in range(2):
            async with database.begin() as work:
                changes.append(await record_low_batteries(work))
        return changes

    assert await says(20) == [True, False]
    clock.advance(days=3)
    assert await says(12) == [False, False]
    staff = await renewed(staff, database)
    assert len((await staff.told("GET", path))["entries"]) == 1
    assert await says(21) == [True, False]
    assert (await staff.told("GET", path))["entries"] == []
    assert await says(None) == [False, False]


async def test_help_reaches_the_office_as_a_word_and_the_guardian_gets_a_number(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    staff, coordinator = (
        await make_staff(client, database, place),
        await make_staff(client, database, place, "coordinator"),
    )
    parent = await make_family(client, database, place)
    help_call = await parent.told("POST", f"{parent.child}/help", json={"kind": "worried"})
    assert help_call["helpline"] == {"number": "12355", "name": "12355 youth service line"}
    again = await parent.told("POST", f"{parent.child}/help", json={"kind": "worried"})
    assert again["help_id"] == help_call["help_id"]
    assert await parent.refused("POST", f"{parent.child}/help", json={"kind": "worried", "text": "he cries"}) == (
        422, "invalid_request",
    )  # fmt: skip
    site = f"/v1/staff/sites/{place.site.site_id}/help"
    assert await coordinator.refused("GET", site) == (403, "permission_missing")
    (call,) = (await staff.told("GET", site))["calls"]
    assert set(call) == {"help_id", "family_code", "kind", "asked_at"}
    assert (call["family_code"], call["kind"]) == (await code_of(database, parent), "worried")
    for _ in range(2):
        await staff.told("POST", f"{site}/{call['help_id']}/done")
    assert (await staff.told("GET", site))["calls"] == []


async def test_notices_reach_the_cohort_and_a_word_to_get_in_touch_says_nothing_and_comes_once_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    parent, stranger = await make_family(client, database, place), await make_family(client, database)
    site = f"/v1/staff/sites/{place.site.site_id}"
    news = {"text": "Family day on Sunday"}
    await staff.told("POST", f"{site}/cohorts/{place.cohort.cohort_id}/notices", json=news)
    code = await code_of(database, parent)
    asks = {"family_code": code}
    assert (await staff.told("POST", f"{site}/contact-requests", json=asks))["asked_now"]
    assert not (await staff.told("POST", f"{site}/contact-requests", json=asks))["asked_now"]

    texts = [text for text in await sms_to(database, parent.phone) if "get in touch" in text]
    assert len(texts) == 1
    assert code not in texts[0]
    notices = (await parent.told("GET", "/v1/notices"))["notices"]
    assert {(prompt["kind"], prompt["text"]) for prompt in notices} == {
        ("news", "Family day on Sunday"),
        ("get_in_touch", ""),
    }
    assert (await stranger.told("GET", "/v1/notices"))["notices"] == []
    foreign = {"family_code": await code_of(database, stranger)}
    assert await staff.refused("POST", f"{site}/contact-requests", json=foreign) == (404, "family_unknown")
    # A family that joins later does not get earlier notices.
    clock.advance(minutes=1)
    late = await make_family(client, database, place)
    assert (await late.told("GET", "/v1/notices"))["notices"] == []


async def test_structure_and_the_end_are_set_by_those_who_serve_the_whole_programme(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    admin = await make_staff(client, database, place, "admin", programme=True)
    parent = await make_family(client, database, place)
    programme = f"/v1/staff/programmes/{place.site.programme_id}"
    north = {"name": "North", "country": "VN", "timezone": "Asia/Ho_Chi_Minh", "locale": "vi", "kind": "school"}
    made = await admin.told("POST", f"{programme}/sites", json=north)
    assert made["is_new"]
    assert not (await admin.told("POST", f"{programme}/sites", json=north))["is_new"]
    assert (await admin.told("POST", f"/v1/staff/sites/{made['id']}/cohorts", json={"name": "2026A"}))["is_new"]
    last_day = (clock.now + timedelta(days=60)).date().isoformat()
    end = {"ends_on": last_day}
    assert (await admin.told("PUT", f"{programme}/end", json=end))["changed"]
    assert (await parent.told("GET", f"{parent.family}/programme-end"))["ends_on"] == last_day
    soon = {"ends_on": (clock.now + timedelta(days=3)).date().isoformat()}
    assert await admin.refused("PUT", f"{programme}/end", json=soon) == (422, "end_too_soon")
    await admin.told("PUT", f"{programme}/end", json={"ends_on": None})
    assert (await parent.told("GET", f"{parent.family}/programme-end"))["ends_on"] is None


async def test_a_list_of_families_is_taken_whole_or_not_at_all_and_a_dry_run_changes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    stranger = await make_family(client, database, elsewhere)
    serial = await new_watch(database, place.site.site_id)
    path = f"/v1/staff/sites/{place.site.site_id}/family-lists"
    families: list[dict[str, Any]] = [
        {"family_code": "ls-001", "phone": new_phone(), "cohort": "Spring", "watch_serial": serial},
        {"family_code": "LS-002", "phone": new_phone(), "cohort": "Spring"},
    ]

    async def send(*lines: dict[str, Any], dry_run: bool = False) -> Any:
        return await coordinator.told("POST", path, json={"families": list(lines), "dry_run": dry_run})

    outcome = {"enrolled": 2, "unchanged": 0, "watches_handed_out": 1, "faults": []}
    assert await send(*families, dry_run=True) == {"taken": False, **outcome}
    assert await send(*families) == {"taken": True, **outcome}
    assert await send(*families) == {
        "taken": True,
        "enrolled": 0,
        "unchanged": 2,
        "watches_handed_out": 0,
        "faults": [],
    }

    outcome = await send(
        {"family_code": "LS-003", "phone": new_phone(), "cohort": "Autumn"},
        {"family_code": "LS-004", "phone": stranger.phone, "cohort": "Spring"},
        {"family_code": "LS-005", "phone": "123", "cohort": "Spring"},
    )
    assert [(fault["row"], fault["column"], fault["code"]) for fault in outcome["faults"]] == [
        (1, "cohort", "cohort_unknown"), (2, "phone", "phone_enrolled"), (3, "phone", "phone_invalid"),
    ]  # fmt: skip
    assert await code_of(database, stranger) not in json.dumps(outcome)
    outcome = await send(families[1], families[1])
    assert [fault["code"] for fault in outcome["faults"]] == ["family_code_repeated", "phone_repeated"]
    listed = await coordinator.told("GET", f"/v1/staff/sites/{place.site.site_id}/families")
    assert [family["family_code"] for family in listed["families"]] == ["LS-001", "LS-002"]
