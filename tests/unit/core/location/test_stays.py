"""Stays as a family would tell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.location.checkins.rules import Fix
from services.core.location.geometry import Plane, Point, distance_m, simplified
from services.core.location.tracks.stays import find_stays

MORNING = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
HOME = Point(23.02, 113.75)
PLANE = Plane(HOME)


def fix(minutes: float, east_m: float = 0, north_m: float = 0) -> Fix:
    return Fix(PLANE.point(east_m, north_m), 10.0, MORNING + timedelta(minutes=minutes))


def spans(fixes: list[Fix]) -> list[tuple[int, int]]:
    return [
        (int((stay.from_at - MORNING).total_seconds() // 60), int((stay.until_at - MORNING).total_seconds() // 60))
        for stay in find_stays(fixes)
    ]


def test_home_way_school_is_two_stays() -> None:
    home = [fix(minute, minute % 3 * 20) for minute in range(0, 30, 5)]
    way = [fix(30 + minute, 150 + minute * 100) for minute in range(12)]
    school = [fix(45 + minute, 1500, minute % 4 * 15) for minute in range(0, 60, 5)]
    assert spans(home + way + school) == [(0, 25), (45, 100)]


def test_a_gap_indoors_belongs_to_the_stay_when_the_child_is_found_there_again() -> None:
    assert spans([fix(0), fix(5), fix(300, 30), fix(310)]) == [(0, 310)]


def test_found_elsewhere_the_stay_ends_with_the_last_fix_that_saw_it() -> None:
    assert spans([fix(0), fix(15), fix(300, 2000), fix(305, 2000), fix(330, 2000)]) == [(0, 15), (300, 330)]


def test_one_stray_fix_ends_no_stay() -> None:
    assert spans([fix(0), fix(5), fix(10, 600), fix(15), fix(40)]) == [(0, 40)]


def test_passing_through_is_no_stay() -> None:
    assert spans([fix(minute, minute * 80) for minute in range(60)]) == []


@pytest.mark.parametrize("fixes", [[], [fix(0)]])
def test_nothing_makes_no_stay(fixes: list[Fix]) -> None:
    assert find_stays(fixes) == []


def test_a_long_day_takes_no_time() -> None:
    # A fix every ten seconds all day: with the middle computed anew for each it took minutes.
    fixes = [fix(second / 6, second % 7 * 5) for second in range(8640)]
    assert spans(fixes) == [(0, 1439)]


def test_a_simplified_line_keeps_its_corner_and_its_distance() -> None:
    line = [PLANE.point(east_m, (east_m * 7) % 5) for east_m in range(0, 1000, 10)]
    line += [PLANE.point(1000, north_m) for north_m in range(0, 1000, 10)]
    short = simplified(line, 15)
    assert len(short) == 3
    assert distance_m(short[1], PLANE.point(1000, 0)) < 16
    assert simplified(line[:2], 15) == line[:2]
