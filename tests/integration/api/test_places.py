"""Places over HTTP: the latest, a day, exports; who may look, and that every look is written down."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.location.checkins.actions import ReceivedFix
from services.core.location.geometry import Point
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.places import HOME, away, circle, may_look, outline, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO


class Watched:
    """A parent who may look, and the watch of the child."""

    def __init__(self, parent: Parent, username: str) -> None:
        self.parent = parent
        self.username = username

    async def was(self, *fixes: ReceivedFix) -> None:
        async with self.parent.database.begin() as work:
            answers = await receive_fixes(work, fixes)
        assert {answer.code for answer in answers} == {"stored"}

    async def later(self, clock: FakeClock, **span: float) -> datetime:
        """Let time pass; the phone logs in again, as its token has ended."""
        now = clock.advance(**span)
        await self.parent.log_in()
        return now

    async def until_monday(self, clock: FakeClock, hour: int) -> datetime:
        """Let time pass until the next Monday, an hour of the day in UTC."""
        then = (clock.now + timedelta(days=7 - clock.now.weekday())).replace(hour=hour, minute=0, second=0)
        return await self.later(clock, seconds=(then - clock.now).total_seconds())

    async def day(self, **query: Any) -> dict[str, Any]:
        day_view: dict[str, Any] = await self.parent.told("GET", f"{self.parent.child}/checkins/day", params=query)
        return day_view

    async def latest(self) -> dict[str, Any]:
        latest: dict[str, Any] = await self.parent.told("GET", f"{self.parent.child}/checkins/latest")
        return latest


@pytest_asyncio.fixture(loop_scope="session")
async def watched(client: httpx.AsyncClient, database: Database) -> Watched:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await may_look(parent)
    identity = await pair(parent, place, since=LONG_AGO)
    return Watched(parent, identity.username)


async def looks(database: Database, parent: Parent) -> list[tuple[str, str, str]]:
    async with database.begin() as work:
        entries = await work.session.exec(
            select(AuditEntry)
            .where(col(AuditEntry.family_id) == parent.family_id, col(AuditEntry.action).in_(("place", "access")))
            .order_by(col(AuditEntry.at))
        )
        return [(entry.action, entry.reason, entry.subject_id) for entry in entries]


async def test_the_latest_place_says_how_old_and_how_well_and_which_of_the_familys_places(
    clock: FakeClock, watched: Watched
) -> None:
    assert (await watched.latest())["seen"] is None
    await watched.parent.told("POST", f"{watched.parent.child}/zones", json={"name": "Home", "shape": circle()})
    await watched.was(sent(watched.username, clock.now - timedelta(minutes=12), accuracy_m=18.0, altitude_m=31.0))
    latest = await watched.latest()
    assert latest["location_on"] is True
    seen = latest["seen"]
    assert seen["place"] == {"lat": HOME.lat, "lon": HOME.lon, "altitude_m": 31.0}
    assert (seen["age_s"], seen["accuracy_m"], seen["source"], seen["zone"]["name"]) == (720, 18.0, "gps", "Home")
    of_all = await watched.parent.told("GET", "/v1/checkins/latest")
    assert of_all == {"children": [latest]}


async def test_of_two_zones_around_a_place_the_nearer_one_is_named(clock: FakeClock, watched: Watched) -> None:
    for name, radius_m in (("Town", 5000), ("School", 100)):
        zone = {"name": name, "shape": circle(radius_m=radius_m)}
        await watched.parent.told("POST", f"{watched.parent.child}/zones", json=zone)
    await watched.was(sent(watched.username, clock.now))
    assert (await watched.latest())["seen"]["zone"]["name"] == "School"


async def test_right_and_consent_are_needed_each_and_both_refusals_and_looks_are_written_down(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    latest = f"{parent.child}/checkins/latest"
    assert await parent.refused("GET", latest) == (403, "right_missing")
    await parent.told("PATCH", f"{parent.family}/guardians/{parent.guardian_id}", json={"may_locate": True})
    clock.advance(seconds=1)
    assert await parent.refused("GET", latest) == (403, "consent_required")
    assert await parent.told("GET", "/v1/checkins/latest") == {"children": []}
    clock.advance(seconds=1)
    await parent.consent("location")
    paths = [latest, "/v1/checkins/latest", f"{parent.child}/zones"]
    paths += [f"{parent.child}/checkins/day{rest}" for rest in ("", "/fixes", ".geojson", ".gpx")]
    for path in paths:
        clock.advance(seconds=1)
        assert (await parent.ask("GET", path)).status_code == 200
    assert await looks(database, parent) == [
        ("access", "right_missing", parent.child_id), ("access", "consent_required", parent.child_id),
        *[("place", "", parent.child_id)] * len(paths),
    ]  # fmt: skip
    await parent.told("POST", f"{parent.family}/consents/withdraw", json={"part": "location"})
    for path in (latest, f"{parent.child}/checkins/day", f"{parent.child}/zones"):
        assert await parent.refused("GET", path) == (403, "consent_required")


async def test_a_second_guardian_without_the_right_sees_no_place(watched: Watched) -> None:
    other = await watched.parent.invite()
    for path in ("/checkins/latest", "/checkins/day", "/checkins/day/fixes", "/checkins/day.gpx", "/zones"):
        assert await other.refused("GET", f"{watched.parent.child}{path}") == (403, "right_missing")
    assert await other.told("GET", "/v1/checkins/latest") == {"children": []}


async def test_a_day_in_stays_a_line_and_numbers(clock: FakeClock, watched: Watched) -> None:
    monday = await watched.until_monday(clock, 9)  # 17:00 in Shanghai
    school = away(1500, 0)
    for name, point in (("Home", HOME), ("School", school)):
        zone = {"name": name, "shape": circle(point)}
        await watched.parent.told("POST", f"{watched.parent.child}/zones", json=zone)
    start = monday - timedelta(hours=10)
    fixes = [
        sent(watched.username, start + timedelta(minutes=minute), away(minute % 3, 0)) for minute in range(0, 50, 5)
    ]
    fixes += [
        sent(watched.username, start + timedelta(minutes=50 + minute), away(100 + minute * 140, 0))
        for minute in range(1, 10)
    ]
    fixes += [
        sent(watched.username, start + timedelta(minutes=minute), away(1500, minute % 4))
        for minute in range(62, 520, 10)
    ]
    fixes += [
        sent(watched.username, start + timedelta(minutes=100), away(4000, 0), accuracy_m=900.0),
        sent(watched.username, start + timedelta(minutes=101), Point(0, 0)),
    ]
    await watched.was(*fixes)
    day = await watched.day(day=str(monday.date()))
    assert (day["timezone"], day["starts_at"]) == ("Asia/Shanghai", _zulu(monday - timedelta(hours=17)))
    stays = [(stay["zone"]["name"], stay["from_at"][11:16], stay["until_at"][11:16]) for stay in day["stays"]]
    assert stays == [("Home", "23:00", "23:45"), ("School", "00:02", "07:32")]
    assert day["qualities"] == {"good": len(fixes) - 2, "poor": 1, "bad": 1, "late": 0}
    assert 2 <= len(day["track"]) <= 6
    assert await watched.day() == day
    assert (await watched.day(day=str(monday.date() - timedelta(days=1))))["stays"] == []


async def test_a_day_is_read_page_by_page_each_fix_once(clock: FakeClock, watched: Watched) -> None:
    now = await watched.later(clock, minutes=1)
    # Three of the same second: the order needs more than the time.
    fixes = [sent(watched.username, now - timedelta(seconds=number // 3), away(number, 0)) for number in range(25)]
    await watched.was(*fixes)
    path, listed, cursor = f"{watched.parent.child}/checkins/day/fixes", [], None
    for _ in range(7):
        query = {"limit": 4, **({"cursor": cursor} if cursor else {})}
        page = await watched.parent.told("GET", path, params=query)
        listed += page["checkins"]
        cursor = page["next_cursor"]
        # A late fix of a past moment does not shift the pages.
        await watched.was(sent(watched.username, now - timedelta(hours=1, seconds=len(listed))))
    assert cursor is None
    assert len(listed) == 25
    assert [checkin["happened_at"] for checkin in listed] == sorted(checkin["happened_at"] for checkin in listed)
    assert len({checkin["place"]["lon"] for checkin in listed}) == 25


async def test_a_cursor_that_is_none_of_ours_is_refused(watched: Watched) -> None:
    path = f"{watched.parent.child}/checkins/day/fixes"
    for cursor in ("!", "AAAA", "a" * 200, "_" * 44):
        assert await watched.parent.refused("GET", path, params={"cursor": cursor}) == (422, "cursor_invalid")


async def test_a_day_of_which_nothing_is_kept_is_refused(clock: FakeClock, watched: Watched) -> None:
    days = [str((clock.now + timedelta(days=days)).date()) for days in (-32, 2, 400, -20_000)]
    # The ends of the calendar, which no time zone can represent.
    for day in (*days, "0001-01-01", "9999-12-31"):
        for rest in ("", "/fixes", ".geojson", ".gpx"):
            path = f"{watched.parent.child}/checkins/day{rest}"
            assert await watched.parent.refused("GET", path, params={"day": day}) == (404, "day_not_kept")


async def test_what_is_older_than_it_may_be_kept_is_not_told_even_before_it_is_deleted(
    clock: FakeClock, watched: Watched
) -> None:
    day = str((clock.now + timedelta(hours=8)).date())
    await watched.was(sent(watched.username, clock.now))
    await watched.later(clock, days=30, minutes=-1)
    assert (await watched.latest())["seen"] is not None
    assert (await watched.day(day=day))["qualities"]["good"] == 1
    await watched.later(clock, minutes=2)
    assert (await watched.latest())["seen"] is None
    assert (await watched.day(day=day))["qualities"]["good"] == 0


async def test_a_day_is_exported_for_maps(clock: FakeClock, watched: Watched) -> None:
    now = await watched.later(clock, days=1)
    await watched.was(
        sent(watched.username, now - timedelta(minutes=2), altitude_m=12.5),
        sent(watched.username, now - timedelta(minutes=1), away(50, 50)),
        sent(watched.username, now, away(700, 0), accuracy_m=800.0),
    )
    answer = await watched.parent.ask("GET", f"{watched.parent.child}/checkins/day.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [feature["geometry"]["type"] for feature in features] == ["Point"] * 3 + ["LineString"]
    assert features[0]["geometry"]["coordinates"] == [HOME.lon, HOME.lat, 12.5]
    assert [feature["properties"].get("quality") for feature in features] == ["good", "good", "poor", None]
    assert len(features[3]["geometry"]["coordinates"]) == 2
    answer = await watched.parent.ask("GET", f"{watched.parent.child}/checkins/day.gpx")
    assert answer.headers["content-type"] == "application/gpx+xml"
    root = ET.fromstring(answer.content)  # noqa: S314 - ours
    points = root.findall(".//{http://www.topografix.com/GPX/1/1}trkpt")
    assert len(points) == 2
    assert (float(points[0].get("lat", "")), float(points[0].get("lon", ""))) == (HOME.lat, HOME.lon)


# ---------------------------------------------------------------- zones


async def draw(parent: Parent, **fields: Any) -> dict[str, Any]:
    zone: dict[str, Any] = await parent.told(
        "POST", f"{parent.child}/zones", json={"name": "School", "shape": circle(), **fields}
    )
    return zone


async def test_a_zone_is_drawn_read_changed_and_taken_away(watched: Watched) -> None:
    parent = watched.parent
    hours = [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "16:30"}]
    zone = await draw(parent, hours=hours)
    path = f"{parent.child}/zones/{zone['zone_id']}"
    assert (zone["name"], zone["hours"], zone["stand"]) == ("School", hours, "unknown")
    assert await parent.told("GET", path) == zone
    square = outline((0, 0), (300, 0), (300, 300), (0, 300))
    changed = await parent.told("PATCH", path, json={"name": "Yard", "shape": square})
    assert (changed["name"], changed["shape"], changed["hours"]) == ("Yard", square, hours)
    assert (await parent.told("PATCH", path, json={"hours": []}))["hours"] == []
    assert [zone["name"] for zone in (await parent.told("GET", f"{parent.child}/zones"))["zones"]] == ["Yard"]
    await parent.told("DELETE", path)
    assert await parent.refused("GET", path) == (404, "not_found")


CANNOT_BE: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "text_not_allowed"),
    ({"name": "a\u202eb"}, "text_not_allowed"),
    ({"shape": circle(radius_m=49)}, "zone_shape_invalid"),
    ({"shape": circle(radius_m=10_001)}, "zone_shape_invalid"),
    ({"shape": circle(Point(89, 0))}, "zone_shape_invalid"),
    ({"shape": {**circle(), "lat": 91}}, "invalid_request"),
    ({"shape": {"kind": "star"}}, "invalid_request"),
    ({"shape": outline((0, 0), (300, 0))}, "zone_shape_invalid"),
    ({"shape": outline((0, 0), (300, 0), (600, 0))}, "zone_shape_invalid"),
    ({"shape": outline((0, 0), (300, 300), (300, 0), (0, 300))}, "zone_shape_invalid"),
    ({"shape": outline((0, 0), (10, 0), (10, 10), (0, 10))}, "zone_shape_invalid"),
    ({"shape": outline((0, 0), (30_000, 0), (0, 30_000))}, "zone_shape_invalid"),
    ({"hours": [{"days": [], "from": "08:00", "to": "09:00"}]}, "invalid_request"),
    ({"hours": [{"days": [8], "from": "08:00", "to": "09:00"}]}, "invalid_request"),
    ({"hours": [{"days": [1], "from": "24:00", "to": "09:00"}]}, "invalid_request"),
    ({"child": "another"}, "invalid_request"),
]


async def test_what_cannot_be_a_zone_is_refused(watched: Watched) -> None:
    for fields, code in CANNOT_BE:
        body = {"name": "School", "shape": circle(), **fields}
        answer = await watched.parent.refused("POST", f"{watched.parent.child}/zones", json=body)
        assert answer == (422, code), fields


async def test_there_is_a_largest_number_of_zones(watched: Watched) -> None:
    for number in range(20):
        await draw(watched.parent, name=f"Zone {number}")
    body = {"name": "One more", "shape": circle()}
    path = f"{watched.parent.child}/zones"
    assert await watched.parent.refused("POST", path, json=body) == (409, "zones_full")


async def test_a_zone_knows_from_the_latest_place_where_the_child_is(clock: FakeClock, watched: Watched) -> None:
    await watched.was(sent(watched.username, clock.now))
    inside = await draw(watched.parent)
    outside = await draw(watched.parent, shape=circle(away(3000, 0)))
    assert (inside["stand"], outside["stand"]) == ("inside", "outside")
    path = f"{watched.parent.child}/zones/{inside['zone_id']}"
    moved = await watched.parent.told("PATCH", path, json={"shape": circle(away(3000, 0))})
    assert moved["stand"] == "outside"
    assert (await watched.day())["passages"] == []


async def test_leaving_and_coming_back_are_told_once_each_and_poor_or_late_fixes_tell_nothing(
    clock: FakeClock, database: Database, watched: Watched
) -> None:
    now = await watched.later(clock, days=2)
    await watched.was(sent(watched.username, now - timedelta(minutes=20)))
    zone = await draw(watched.parent, name="Home")
    steps = [
        (-19, away(900, 0), 400.0),  # poor
        (-18, away(230, 0), 20.0),  # outside for the first time
        (-17, away(230, 0), 20.0),  # and for the second
        (-16, away(300, 0), 20.0),
        (-30, HOME, 10.0),  # late
        (-15, away(100, 0), 90.0),  # its circle holds the edge
        (-14, HOME, 20.0),
        (-13, HOME, 10.0),
    ]
    for minutes, point, accuracy_m in steps:
        await watched.was(sent(watched.username, now + timedelta(minutes=minutes), point, accuracy_m=accuracy_m))
    day = str((now + timedelta(hours=8)).date())
    passages = (await watched.day(day=day))["passages"]
    shown = [
        (passage["kind"], passage["zone"]["name"], passage["happened_at"], passage["alarmed"]) for passage in passages
    ]
    assert shown == [
        ("left", "Home", _zulu(now - timedelta(minutes=17)), True),
        ("entered", "Home", _zulu(now - timedelta(minutes=14)), True),
    ]
    async with database.begin() as work:
        events = await work.session.exec(
            select(Event).where(col(Event.ref_id) == uuid.UUID(zone["zone_id"])).order_by(col(Event.seq))
        )
        assert [(event.kind, event.needs_right) for event in events] == [
            ("zone.drawn", "locate"), ("zone.left", "locate"), ("zone.entered", "locate"),
        ]  # fmt: skip


def _zulu(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def test_outside_a_zones_hours_and_long_after_nobody_is_alarmed(clock: FakeClock, watched: Watched) -> None:
    await watched.until_monday(clock, 3)  # 11:00 in Shanghai
    await watched.was(sent(watched.username, clock.now - timedelta(hours=3)))
    hours = {
        "at school time": [{"days": [1], "from": "08:00", "to": "16:30"}],
        "in the evening": [{"days": [1], "from": "18:00", "to": "06:00"}],
        "always": [],
    }
    for name, spans in hours.items():
        await draw(watched.parent, name=name, hours=spans)
    far = away(2000, 0)
    await watched.was(
        sent(watched.username, clock.now, far), sent(watched.username, clock.now - timedelta(hours=2), HOME)
    )
    assert {passage["zone"]["name"]: passage["alarmed"] for passage in (await watched.day())["passages"]} == {
        "at school time": True, "in the evening": False, "always": True,
    }  # fmt: skip
    await watched.later(clock, hours=2)
    await watched.was(sent(watched.username, clock.now - timedelta(hours=1), HOME))
    entered = [passage for passage in (await watched.day())["passages"] if passage["kind"] == "entered"]
    assert [passage["alarmed"] for passage in entered] == [False, False, False]
