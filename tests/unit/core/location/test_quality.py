"""Quality of a fix, case by case."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from services.core.devices.watches.timestamps import WatchClock
from services.core.location.checkins.rules import (
    ALARM_WITHIN,
    KEPT_FOR,
    Fix,
    FixTime,
    KnownPlaces,
    Month,
    assess,
    date_fix,
    is_over,
    may_alarm,
    months_wanted,
    update_known,
)
from services.core.location.geometry import Plane, Point, distance_m

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HERE = Point(23.02, 113.75)
NO_CLOCK = WatchClock(None, None, None, None)


def at(minutes: float) -> FixTime:
    return FixTime(NOW + timedelta(minutes=minutes))


def words(
    point: Point, accuracy_m: float | None = 10.0, known: KnownPlaces | None = None, dated: FixTime | None = None
) -> str:
    judged = assess(point, accuracy_m, dated or at(0), known or KnownPlaces())
    return " ".join([judged.quality, *judged.reasons])


@pytest.mark.parametrize(
    ("point", "accuracy_m", "expected"),
    [
        (HERE, 10, "good"),
        (HERE, 100, "good"),
        (HERE, 100.1, "poor accuracy_low"),
        (HERE, None, "poor accuracy_unknown"),
        (HERE, 0, "poor accuracy_unknown"),
        (HERE, 5001, "bad accuracy_bad"),
        (Point(0, 0), 10, "bad null_island"),
        (Point(0.009, -0.009), 10, "bad null_island"),
        (Point(0, 113.75), 10, "good"),
        (Point(90.1, 0), 10, "bad out_of_range"),
        (Point(0, -180.1), 10, "bad out_of_range"),
        (Point(math.nan, 1), 10, "bad out_of_range"),
        (Point(1, math.inf), 10, "bad out_of_range"),
        (Point(-90, 180), 10, "good"),
    ],
)
def test_place_and_accuracy_alone(point: Point, accuracy_m: float | None, expected: str) -> None:
    assert words(point, accuracy_m) == expected


def test_a_place_out_of_reach_is_bad_and_a_second_one_there_is_believed() -> None:
    far = Plane(HERE).point(60_000, 0)
    known = KnownPlaces(Fix(HERE, 10, NOW - timedelta(minutes=5)))
    first = assess(far, 10, at(0), known)
    assert first.reasons == ("speed",)
    known = update_known(known, first)
    assert known.latest is not None
    assert known.latest.point == HERE
    back = assess(HERE, 10, at(1), known)
    assert back.quality == "good"
    assert update_known(known, back).suspect is None
    second = assess(far, 10, at(5), known)
    assert second.quality == "good"
    assert update_known(known, second) == KnownPlaces(second.fix, witnessed_at=second.fix.happened_at)


def test_two_wrong_places_in_different_directions_are_not_believed() -> None:
    known = KnownPlaces(Fix(HERE, 10, NOW - timedelta(minutes=5)))
    for minutes, east_m in ((0, 60_000), (1, -60_000), (2, 60_000)):
        judged = assess(Plane(HERE).point(east_m, 0), 10, at(minutes), known)
        assert judged.reasons == ("speed",)
        known = update_known(known, judged)


def test_what_the_circles_allow_is_no_speed() -> None:
    known = KnownPlaces(Fix(HERE, 100, NOW - timedelta(seconds=1)))
    assert words(Plane(HERE).point(299, 0), 100, known) == "good"
    assert words(Plane(HERE).point(302, 0), 100, known) == "bad speed"


@pytest.mark.parametrize(("seconds", "expected"), [(1, "good late"), (0, "good late"), (-1, "good")])
def test_a_fix_is_late_when_something_as_new_is_known(seconds: int, expected: str) -> None:
    known = KnownPlaces(Fix(HERE, 10, NOW + timedelta(seconds=seconds)))
    assert words(HERE, 10, known) == expected


def test_a_late_or_poor_fix_teaches_nothing() -> None:
    known = KnownPlaces(Fix(HERE, 10, NOW))
    for judged in (assess(HERE, 10, at(-5), known), assess(HERE, 500, at(5), known), assess(HERE, None, at(5), known)):
        assert update_known(known, judged) == known


def test_alarms_are_for_what_happened_just_now() -> None:
    fix = assess(HERE, 10, at(0), KnownPlaces())
    assert may_alarm(fix, NOW + ALARM_WITHIN)
    assert not may_alarm(fix, NOW + ALARM_WITHIN + timedelta(seconds=1))
    assert not may_alarm(assess(HERE, 500, at(0), KnownPlaces()), NOW)


@pytest.mark.parametrize(
    ("tst", "skew_s", "reasons", "happened_at"),
    [
        (0, None, {"undated"}, NOW),
        (int(NOW.timestamp()) - 60, None, set(), NOW - timedelta(minutes=1)),
        (int(NOW.timestamp()) + 240, None, set(), NOW),
        (int(NOW.timestamp()) + 400, None, {"clock_ahead"}, NOW),
        (int(NOW.timestamp()) + 86_400 * 730, 86_400 * 730, {"clock_corrected"}, NOW),
        (3 * 86_400, 3 * 86_400 - int(NOW.timestamp()), {"clock_corrected"}, NOW),
        (3 * 86_400, None, {"undated"}, NOW),
        (int((NOW - timedelta(days=3_000)).timestamp()), None, {"too_old"}, NOW - timedelta(days=3_000)),
        (253_402_300_799, None, {"clock_ahead"}, NOW),
        (253_402_300_799, -400_000_000, {"undated"}, NOW),
        (int((NOW - KEPT_FOR).timestamp()), None, set(), NOW - KEPT_FOR),
    ],
)
def test_when_it_happened(tst: int, skew_s: int | None, reasons: set[str], happened_at: datetime) -> None:
    dated = date_fix(WatchClock(skew_s, NOW, 1, 0), NOW, tst=tst, boot=None, mono_s=None)
    assert (set(dated.reasons), dated.happened_at) == (reasons, happened_at)


def test_without_a_clock_seconds_since_the_same_boot_tell() -> None:
    clock = WatchClock(None, NOW - timedelta(hours=1), 7, 100)
    assert date_fix(clock, NOW, tst=0, boot=7, mono_s=160) == FixTime(NOW - timedelta(minutes=59))
    assert date_fix(clock, NOW, tst=0, boot=8, mono_s=160).reasons == {"undated"}
    assert date_fix(NO_CLOCK, NOW, tst=0, boot=7, mono_s=160).reasons == {"undated"}


def test_distances_agree_with_the_earth() -> None:
    # A degree of a great circle is 111.2 km; the long way round the date line is the short one.
    assert distance_m(Point(0, 0), Point(0, 1)) == pytest.approx(111_195, abs=1)
    assert distance_m(Point(10, 179.9), Point(10, -179.9)) == pytest.approx(21_900, abs=20)
    assert Plane(Point(10, 179.9)).metres(Point(10, -179.9))[0] == pytest.approx(21_900, abs=20)
    assert distance_m(Point(90, 0), Point(90, 90)) == pytest.approx(0, abs=0.001)


def test_months_reach_from_where_retention_starts_to_two_months_on() -> None:
    names = [month.name for month in months_wanted(datetime(2026, 1, 15, tzinfo=UTC))]
    assert names == ["checkin_2025_12", "checkin_2026_01", "checkin_2026_02", "checkin_2026_03"]
    assert Month.named("checkin_2025_12").next == Month(2026, 1)
    end = datetime(2026, 2, 1, tzinfo=UTC)
    assert not is_over(Month(2026, 1), end + KEPT_FOR - timedelta(seconds=1))
    assert is_over(Month(2026, 1), end + KEPT_FOR)
