"""Invariants of the latest place and of passages, for any sequence of fixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.core.location.checkins.rules import (
    GOOD_WITHIN_M,
    MAX_SPEED_M_S,
    NEW_SCAN_AFTER,
    PRECISE_WITHIN_M,
    SAME_ANSWER_WITHIN_M,
    SOURCE_GPS,
    AssessedFix,
    Fix,
    FixTime,
    KnownPlaces,
    assess,
    update_known,
)
from services.core.location.geometry import Circle, Plane, Point, distance_m
from services.core.location.zones.rules import Passage, Where, ZoneState, pass_zone

HOME = Point(23.02, 113.75)
PLANE = Plane(HOME)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ZONE = Circle(HOME, 200)
NETWORKS = st.sampled_from(["wifi", "cell", None])
SOURCES = st.sampled_from([SOURCE_GPS, "wifi", "cell", None])
ACCURACIES_M = st.floats(1, GOOD_WITHIN_M)
ANYWHERE = st.builds(PLANE.point, *(st.floats(-90_000, 90_000),) * 2)
FAR = ANYWHERE.filter(lambda point: distance_m(HOME, point) > 1_000)
GAPS_S = st.integers(1, 1_200)


@dataclass
class Track:
    """A child's fixes, assessed one by one as they are when they arrive."""

    known: KnownPlaces = field(default_factory=KnownPlaces)
    zone: ZoneState = field(default_factory=ZoneState)
    passages: list[Passage] = field(default_factory=list)
    now: datetime = NOON

    def add(self, point: Point, accuracy_m: float, source: str | None, gap_s: int) -> AssessedFix:
        """Add a fix that was taken so long after the one before."""
        self.now += timedelta(seconds=gap_s)
        assessed = assess(point, accuracy_m, FixTime(self.now), self.known, source)
        self.known = update_known(self.known, assessed)
        if assessed.moves:
            self.zone, passage = pass_zone(
                self.zone, ZONE.edge_m(point), accuracy_m, leaps=assessed.leaps, repeats=assessed.repeats
            )
            if passage is not None:
                self.passages.append(passage)
        return assessed

    @property
    def latest(self) -> Fix:
        """The latest place."""
        assert self.known.latest is not None
        return self.known.latest


def at_home() -> Track:
    """Return the track of a child that two good fixes saw in its zone."""
    track = Track()
    for _ in range(2):
        track.add(HOME, 12, SOURCE_GPS, 60)
    assert track.zone.where is Where.INSIDE
    return track


@given(
    wrong=FAR,
    accuracy_m=ACCURACIES_M,
    source=NETWORKS,
    gaps_s=st.lists(GAPS_S, min_size=1, max_size=30),
    jitter_m=st.lists(st.floats(-3, 3), min_size=30, max_size=30),
)
def test_copies_of_one_network_answer_move_nothing_before_the_way_is_possible(
    wrong: Point, accuracy_m: float, source: str | None, gaps_s: list[int], jitter_m: list[float]
) -> None:
    track = at_home()
    began_at = track.now
    plane = Plane(wrong)
    apart_m = distance_m(HOME, wrong) - accuracy_m - 12 - SAME_ANSWER_WITHIN_M
    for gap_s, off_m in zip(gaps_s, jitter_m, strict=False):
        # Rounded differently, but one answer.
        track.add(plane.point(off_m, 0), accuracy_m, source, gap_s)
        if (track.now - began_at).total_seconds() * MAX_SPEED_M_S >= apart_m:
            return
        assert track.latest.point == HOME
        assert track.passages == []
        assert track.zone == ZoneState(Where.INSIDE)


@given(
    wrong=FAR,
    accuracy_m=ACCURACIES_M,
    source=NETWORKS,
    wait_s=st.integers(1, 5_000),
    gaps=st.lists(st.integers(1, 30), max_size=9),
)
def test_copies_within_five_minutes_are_one_witness_of_a_passage(
    wrong: Point, accuracy_m: float, source: str | None, wait_s: int, gaps: list[int]
) -> None:
    track = at_home()
    track.add(wrong, accuracy_m, source, wait_s)
    for gap_s in gaps:
        track.add(wrong, accuracy_m, source, gap_s)
    assert sum(gaps) < NEW_SCAN_AFTER.total_seconds()
    fixes = at_home()
    fixes.add(wrong, accuracy_m, source, wait_s)
    if wait_s * MAX_SPEED_M_S >= distance_m(HOME, wrong):
        assert (track.passages, track.zone) == (fixes.passages, fixes.zone)


FIXES = st.lists(st.tuples(ANYWHERE, ACCURACIES_M, SOURCES, GAPS_S), max_size=25)


@given(fixes=FIXES, here=ANYWHERE, accuracy_m=st.floats(1, PRECISE_WITHIN_M))
def test_a_precise_gps_fix_wins_against_networks_at_once(
    fixes: list[tuple[Point, float, str | None, int]], here: Point, accuracy_m: float
) -> None:
    track = Track()
    for point, given_m, source, gap_s in fixes:
        track.add(point, given_m, source, gap_s)
    if track.known.latest is not None and track.latest.source == SOURCE_GPS:
        return
    assessed = track.add(here, accuracy_m, SOURCE_GPS, 1)
    assert assessed.moves
    assert track.latest.point == here


@given(fixes=FIXES, place=FAR, accuracy_m=ACCURACIES_M, source=NETWORKS)
def test_a_child_that_is_elsewhere_is_found_there(
    fixes: list[tuple[Point, float, str | None, int]], place: Point, accuracy_m: float, source: str | None
) -> None:
    track = at_home()
    for point, given_m, given_source, gap_s in fixes:
        track.add(point, given_m, given_source, gap_s)
    # Two answers that differ by more than a copy does, one after the other.
    track.add(place, accuracy_m, source, 60)
    moved = Plane(place).point(2 * SAME_ANSWER_WITHIN_M, 0)
    track.add(moved, accuracy_m, source, 60)
    assert distance_m(track.latest.point, moved) <= 3 * SAME_ANSWER_WITHIN_M
    # Whatever was believed of the zone, an hour of scans there says that the child left it.
    for _ in range(12):
        track.add(moved, accuracy_m, source, 300)
    assert track.zone.where is Where.OUTSIDE


@given(fixes=FIXES)
def test_only_what_moves_the_latest_place_changes_a_zone(fixes: list[tuple[Point, float, str | None, int]]) -> None:
    track = at_home()
    for point, accuracy_m, source, gap_s in fixes:
        before = track.zone
        assessed = track.add(point, accuracy_m, source, gap_s)
        assert assessed.moves or track.zone == before
        assert (track.latest.point == point) or not assessed.moves
    assert all(passage != other for passage, other in zip(track.passages, track.passages[1:], strict=False))
