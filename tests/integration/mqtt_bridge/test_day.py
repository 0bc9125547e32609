"""A recorded day, home - school - home, played through the broker and read back by a parent: docs/places.md."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.core.location.geometry import Point
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place
from tests.support.places import circle, may_look, on_wire
from tests.support.watch import Stand
from tests.support.world import Home, Worn, make_watch, wear
from tests.vectors.tracks.make_tracks import DAY, FOLDER, SCHOOL, SHANGHAI, TRUTH, Seen, point, read_gpx
from tests.vectors.tracks.make_tracks import clock as moment

PAGE = Path(__file__).parents[3] / "docs" / "places.md"
# Where the child truly was, by the generator.
TRUE_STAYS = [("Home", "00:00", "07:15"), ("School", "07:40", "16:05"), ("Home", "16:32", "22:00")]
# A fix each ten minutes at a place, and the last one or two of a stay may be poor.
SEEN_WITHIN = timedelta(minutes=25)
SAID_WITHIN = timedelta(minutes=5)


def local(instant: str) -> str:
    """Return hour and minute of a time in the child's time zone."""
    return f"{datetime.fromisoformat(instant).astimezone(SHANGHAI):%H:%M}"


def reports(track: list[Seen]) -> list[list[Seen]]:
    """Return the fixes as a watch sends them: one by one on the way, up to six together at a place."""
    groups: list[list[Seen]] = []
    for fix in track:
        at_a_place = bool(groups) and fix.at - groups[-1][-1].at == timedelta(minutes=10)
        if at_a_place and len(groups[-1]) < 6:
            groups[-1].append(fix)
        else:
            groups.append([fix])
    return groups


def near(shown: str, happened: str, within: timedelta) -> bool:
    """Tell whether two clock times of the day are near."""
    return abs(moment(shown) - moment(happened)) <= within


def rows_of(day: dict[str, Any]) -> list[str]:
    """Return what a parent reads of the day as rows of the page's tables."""
    stays = [
        f"| {stay['zone']['name']} | {starts} - {ends} | {local(stay['from_at'])} - {local(stay['until_at'])} |"
        f" {stay['fixes']} |"
        for stay, (_, starts, ends) in zip(day["stays"], TRUE_STAYS, strict=True)
    ]
    passages = [
        f"| {passage['kind']} {passage['zone']['name']} | {happened} | {local(passage['happened_at'])} |"
        f" {'yes' if passage['alarmed'] else 'no'} |"
        for passage, (_, _, happened) in zip(day["passages"], TRUTH["home_school_home"], strict=True)
    ]
    return stays + passages


async def family_with_watch(stand: Stand, client: httpx.AsyncClient) -> tuple[Parent, Worn]:
    """Make a family whose guardian is logged in and whose watch may log in."""
    place = await make_place(stand.database)
    parent = await make_family(client, stand.database, place)
    assert parent.family_id is not None
    async with stand.database.begin() as work:
        watch, secret = await make_watch(work, place.site.site_id, parent.family_id)
    home = Home(
        parent.family_id, uuid.UUID(parent.guardian_id), parent.phone, uuid.UUID(parent.child_id),
        place.site.site_id, watch.serial, secret,
    )  # fmt: skip
    worn = await wear(stand.database, home)
    await stand.install()
    return parent, worn


async def test_a_recorded_day_is_read_back_as_it_truly_was(
    stand: Stand, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    clock.now = DAY.astimezone(UTC)
    parent, worn = await family_with_watch(stand, client)
    await may_look(parent)
    for name, place in (("Home", (0.0, 0.0)), ("School", SCHOOL)):
        zone = {"name": name, "shape": circle(Point(*point(*place)))}
        await parent.told("POST", f"{parent.child}/zones", json=zone)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for together in reports(read_gpx((FOLDER / "home_school_home.gpx").read_text())):
            clock.now = together[-1].at + timedelta(seconds=2)
            await watch.say(
                "location",
                [on_wire(fix.at, Point(fix.lat, fix.lon), acc=fix.accuracy_m, source=fix.source) for fix in together],
            )
            answer = await watch.hears("receipt")
            assert (answer["code"], len(answer["refs"])) == ("stored", len(together))
    await parent.log_in()
    day = await parent.told("GET", f"{parent.child}/checkins/day", params={"day": str(DAY.date())})

    assert [stay["zone"]["name"] for stay in day["stays"]] == [name for name, _, _ in TRUE_STAYS]
    for stay, (_, starts, ends) in zip(day["stays"], TRUE_STAYS, strict=True):
        assert near(local(stay["from_at"]), starts, SEEN_WITHIN)
        assert near(local(stay["until_at"]), ends, SEEN_WITHIN)
    truth = TRUTH["home_school_home"]
    assert [(passage["kind"], passage["zone"]["name"]) for passage in day["passages"]] == [
        (kind, zone) for kind, zone, _ in truth
    ]
    for passage, (_, _, happened) in zip(day["passages"], truth, strict=True):
        assert near(local(passage["happened_at"]), happened, SAID_WITHIN)
    alerts = await parent.told("GET", f"{parent.child}/alerts")
    assert sorted(alert["kind"] for alert in alerts["alerts"]) == ["zone_entered"] * 2 + ["zone_left"] * 2

    fixes: list[dict[str, Any]] = []
    cursor: str | None = None
    while cursor or not fixes:
        query = {"day": str(DAY.date()), "limit": 60, **({"cursor": cursor} if cursor else {})}
        page = await parent.told("GET", f"{parent.child}/checkins/day/fixes", params=query)
        fixes += page["checkins"]
        cursor = page["next_cursor"]
    table = {}
    for source in ("gps", "wifi", "cell"):
        of_source = [fix["quality"] for fix in fixes if fix["source"] == source]
        table[source] = [of_source.count(quality) for quality in ("good", "poor", "bad")]
    assert (
        sum(sum(counts) for counts in table.values())
        == len(fixes)
        == sum(day["qualities"][quality] for quality in ("good", "poor", "bad"))
    )
    # A position from a mast is never precise enough for an alarm.
    assert table["cell"][0] == 0
    qualities = [f"| {source} | {good} | {poor} | {bad} |" for source, (good, poor, bad) in table.items()]
    # The page shows this very day.
    rows = rows_of(day) + qualities
    print("\n".join(rows))  # noqa: T201 - to be copied into the page when the recording changes
    missing = [row for row in rows if row not in PAGE.read_text().splitlines()]
    assert missing == []
