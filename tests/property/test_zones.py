"""Invariants at the edge of a safe zone, for any fixes."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.core.location.checkins.rules import (
    GOOD_WITHIN_M,
    AssessedFix,
    FixTime,
    KnownPlaces,
    Quality,
    assess,
    update_known,
)
from services.core.location.geometry import Circle, Outline, Plane, Point
from services.core.location.zones.rules import (
    ENTER_SLACK_M,
    FIXES_TO_LEAVE,
    LEAVE_MARGIN_M,
    Passage,
    Where,
    ZoneState,
    pass_zone,
)

CENTER = Point(23.02, 113.75)
PLANE = Plane(CENTER)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
SHAPES = st.one_of(
    st.floats(50, 2_000).map(lambda radius_m: Circle(CENTER, radius_m)),
    st.floats(100, 2_000).map(
        lambda side_m: Outline(
            (PLANE.point(0, 0), PLANE.point(side_m, 0), PLANE.point(side_m, side_m), PLANE.point(0, side_m))
        )
    ),
)
ACCURACIES_M = st.floats(1, GOOD_WITHIN_M)
SOMEWHERE_M = st.floats(-4_000, 4_000)
EDGES = st.lists(st.tuples(st.floats(-3_000, 3_000), ACCURACIES_M), max_size=40)


def passages(edges: list[tuple[float, float]]) -> list[Passage]:
    stand, passages_found = ZoneState(), []
    for edge_m, accuracy_m in edges:
        stand, passage = pass_zone(stand, edge_m, accuracy_m)
        if passage is not None:
            passages_found.append(passage)
    return passages_found


@given(
    shape=SHAPES,
    east_m=SOMEWHERE_M,
    north_m=SOMEWHERE_M,
    noise=st.lists(st.tuples(ACCURACIES_M, st.floats(0, 0.99), st.floats(0, 2 * math.pi)), max_size=40),
    before=st.sampled_from([ZoneState(Where.INSIDE), ZoneState(Where.OUTSIDE), ZoneState()]),
)
def test_a_child_who_stands_still_makes_at_most_one_passage(
    shape: Circle | Outline,
    east_m: float,
    north_m: float,
    noise: list[tuple[float, float, float]],
    before: ZoneState,
) -> None:
    stand, count = before, 0
    for accuracy_m, part, angle in noise:
        off_m = accuracy_m * part
        seen = PLANE.point(east_m + off_m * math.cos(angle), north_m + off_m * math.sin(angle))
        stand, passage = pass_zone(stand, shape.edge_m(seen), accuracy_m)
        count += passage is not None
    assert count <= 1


@given(EDGES)
def test_entering_and_leaving_alternate(edges: list[tuple[float, float]]) -> None:
    crossings = passages(edges)
    assert all(passage is not other for passage, other in itertools.pairwise(crossings))


@given(EDGES)
def test_a_child_is_said_to_have_left_only_when_the_whole_circle_is_outside(edges: list[tuple[float, float]]) -> None:
    stand = ZoneState(Where.INSIDE)
    for edge_m, accuracy_m in edges:
        stand, passage = pass_zone(stand, edge_m, accuracy_m)
        if passage is Passage.LEFT:
            assert edge_m - accuracy_m >= LEAVE_MARGIN_M
        if passage is Passage.ENTERED:
            assert edge_m + accuracy_m <= ENTER_SLACK_M


@given(
    st.lists(st.tuples(st.floats(LEAVE_MARGIN_M, 180), st.floats(31, GOOD_WITHIN_M)), min_size=1, max_size=10),
)
def test_an_inexact_fix_needs_a_second_one_right_after_it(outside: list[tuple[float, float]]) -> None:
    stand = ZoneState(Where.INSIDE)
    for beyond_m, accuracy_m in outside:
        stand, passage = pass_zone(stand, accuracy_m + beyond_m + 0.001, accuracy_m)
        assert passage is None
        stand, passage = pass_zone(stand, 0, accuracy_m)  # neither in nor out: begins anew
        assert passage is None
    for number in range(FIXES_TO_LEAVE):
        stand, passage = pass_zone(stand, 200, 50)
        assert (passage is Passage.LEFT) == (number == FIXES_TO_LEAVE - 1)


@given(st.lists(st.tuples(st.floats(1_500, 9_000), st.floats(1, 50)), min_size=4, max_size=8))
def test_a_child_in_a_car_has_left_with_the_third_fix_and_not_before(
    outside: list[tuple[float, float]],
) -> None:
    stand = ZoneState(Where.INSIDE)
    crossings = []
    for edge_m, accuracy_m in outside:
        stand, passage = pass_zone(stand, edge_m, accuracy_m, leaps=True)
        crossings.append(passage)
    assert crossings == [None, None, Passage.LEFT, *[None] * (len(outside) - 3)]


FIXES = st.lists(
    st.tuples(
        st.integers(0, 600),  # minutes
        st.floats(-1_500, 1_500),
        st.one_of(st.none(), st.floats(1, 400)),
    ),
    max_size=25,
)
ZONE = Circle(CENTER, 200)


def arrive(fixes: list[tuple[int, float, float | None]]) -> tuple[list[tuple[Passage, datetime]], list[AssessedFix]]:
    """Take fixes in the order of their arrival through judgement and zone."""
    known, stand = KnownPlaces(), ZoneState()
    crossings: list[tuple[Passage, datetime]] = []
    judged: list[AssessedFix] = []
    for minutes, east_m, accuracy_m in fixes:
        assessed = assess(PLANE.point(east_m, 0), accuracy_m, FixTime(NOON + timedelta(minutes=minutes)), known)
        known = update_known(known, assessed)
        judged.append(assessed)
        if assessed.moves:
            assert assessed.fix.accuracy_m is not None
            stand, passage = pass_zone(
                stand, ZONE.edge_m(assessed.fix.point), assessed.fix.accuracy_m, leaps=assessed.leaps
            )
            if passage is not None:
                crossings.append((passage, assessed.fix.happened_at))
    return crossings, judged


@given(FIXES)
def test_no_passage_comes_of_a_fix_that_is_poor_bad_or_late(fixes: list[tuple[int, float, float | None]]) -> None:
    crossings, judged = arrive(fixes)
    moving = {
        judgement.fix.happened_at for judgement in judged if judgement.quality is Quality.GOOD and not judgement.late
    }
    assert {at for _, at in crossings} <= moving
    times = [at for _, at in crossings]
    assert times == sorted(times)


@given(FIXES, FIXES, st.randoms(use_true_random=False))
def test_late_fixes_change_nothing_in_whatever_order_they_come(
    fixes: list[tuple[int, float, float | None]],
    late: list[tuple[int, float, float | None]],
    random: object,
) -> None:
    in_time = sorted((fix for fix in fixes if fix[2] is not None and fix[2] <= GOOD_WITHIN_M), key=lambda fix: fix[0])
    without, _ = arrive(in_time)
    # Each late one comes after something newer: behind the last fix in time they all are.
    shuffled = list(late) if in_time else []
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    newest = in_time[-1][0] if in_time else 0
    behind = [fix for fix in shuffled if fix[0] <= newest]
    with_late, judged = arrive([*in_time, *behind])
    assert with_late == without
    assert all(not judgement.moves for judgement in judged[len(in_time) :])
