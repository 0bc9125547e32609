"""A day's track as GPX 1.1: every value as the schema allows it, and nothing but the good check-ins."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import gpxpy
import pytest

from services.api.family.tracks import gpx_of
from services.core.location.checkins.queries import CheckinView, DayView
from services.core.location.checkins.rules import Quality
from services.core.location.checkins.sealing import Place
from services.core.location.geometry import Point
from services.core.location.tracks.days import day_span

NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
NAMESPACE = "{http://www.topografix.com/GPX/1/1}"
# xsd:decimal, the type of lat, lon and ele, has no exponent.
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def checkin(minute: int, place: Place | None, quality: Quality = Quality.GOOD) -> CheckinView:
    at = NOON + timedelta(minutes=minute)
    return CheckinView(
        "w-1", f"r{minute}", 0, at, at, quality, reasons=(), accuracy_m=10.0, source="gnss", place=place
    )  # fmt: skip


def exported(*checkins: CheckinView) -> ET.Element:
    day = date(2026, 3, 2)
    content = gpx_of(DayView(day, "Asia/Shanghai", day_span(day, ZoneInfo("Asia/Shanghai")), [*checkins], [], []))
    return ET.fromstring(content)  # noqa: S314 - ours


def test_a_track_holds_the_good_checkins_with_height_and_time_and_nothing_else() -> None:
    root = exported(
        checkin(0, Place(Point(31.25, 121.5), 12.5)),
        checkin(1, Place(Point(31.26, 121.51)), Quality.POOR),
        checkin(2, Place(Point(31.27, 121.52))),
        checkin(3, None),
    )
    assert (root.tag, root.get("version"), root.get("creator")) == (f"{NAMESPACE}gpx", "1.1", "SmartWatch")
    assert root.findtext(f"{NAMESPACE}trk/{NAMESPACE}name") == "2026-03-02"
    points = root.findall(f"{NAMESPACE}trk/{NAMESPACE}trkseg/{NAMESPACE}trkpt")
    read = [(p.attrib, {child.tag.removeprefix(NAMESPACE): child.text for child in p}) for p in points]
    assert read == [
        ({"lat": "31.25", "lon": "121.5"}, {"ele": "12.5", "time": "2026-03-02T04:00:00Z"}),
        ({"lat": "31.27", "lon": "121.52"}, {"time": "2026-03-02T04:02:00Z"}),
    ]


@pytest.mark.parametrize("small", [0.0, 0.00001, -0.00001, 1.5e-7, 1e-12])
def test_values_close_to_zero_are_written_as_decimals(small: float) -> None:
    (point,) = exported(checkin(0, Place(Point(small, small), small))).iter(f"{NAMESPACE}trkpt")
    for text in (point.get("lat", ""), point.get("lon", ""), point.findtext(f"{NAMESPACE}ele", "")):
        assert DECIMAL.fullmatch(text), text
        assert float(text) == pytest.approx(small, abs=1e-10)


def test_a_day_without_good_checkins_is_an_empty_track() -> None:
    root = exported(checkin(0, Place(Point(1, 2)), Quality.POOR))
    assert gpxpy.parse(ET.tostring(root)).get_points_no() == 0
    assert root.find(f"{NAMESPACE}trk/{NAMESPACE}trkseg") is not None
