"""Noisy recordings against what truly happened: the files beside the generator, and many more of its kind."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from services.core.location.checkins.rules import FixTime, KnownPlaces, assess, update_known
from services.core.location.geometry import Circle, Point
from services.core.location.zones.rules import ZoneState, pass_zone
from tests.vectors.tracks.make_tracks import (
    FOLDER,
    SCHOOL,
    SEED,
    SHANGHAI,
    TRACKS,
    TRUTH,
    Seen,
    clock,
    files,
    point,
    read_gpx,
)

ZONES = {"Home": Circle(Point(*point(0, 0)), 150), "School": Circle(Point(*point(*SCHOOL)), 150)}
# A fix a minute on the way, and two of them to be sure.
SAID_WITHIN = timedelta(minutes=5)


def passages(seen: list[Seen]) -> list[tuple[str, str, str]]:
    """Return what the rules make of fixes: kind, zone, hour and minute."""
    known, stands = KnownPlaces(), dict.fromkeys(ZONES, ZoneState())
    passed = []
    for fix in seen:
        judged = assess(Point(fix.lat, fix.lon), fix.accuracy_m, FixTime(fix.at), known, fix.source)
        known = update_known(known, judged)
        if not judged.moves:
            continue
        for name, zone in ZONES.items():
            edge_m = zone.edge_m(judged.fix.point)
            stands[name], passage = pass_zone(stands[name], edge_m, fix.accuracy_m, leaps=judged.leaps)
            if passage is not None:
                passed.append((passage.value, name, f"{fix.at.astimezone(SHANGHAI):%H:%M}"))
    return passed


def assert_true(seen: list[tuple[str, str, str]], truth: list[tuple[str, str, str]]) -> None:
    assert [passage[:2] for passage in seen] == [passage[:2] for passage in truth]
    for (_, _, shown), (_, _, happened) in zip(seen, truth, strict=True):
        assert timedelta() <= clock(shown) - clock(happened) <= SAID_WITHIN


@pytest.mark.parametrize("name", TRACKS)
def test_the_files_are_what_their_generator_makes(name: str) -> None:
    assert (FOLDER / f"{name}.gpx").read_text() == files()[f"{name}.gpx"]
    made = [fix.at.astimezone(UTC) for fix in TRACKS[name](SEED)]
    assert [fix.at for fix in read_gpx((FOLDER / f"{name}.gpx").read_text())] == made


@pytest.mark.parametrize("name", TRACKS)
def test_a_recording_tells_what_truly_happened_and_nothing_else(name: str) -> None:
    assert_true(passages(read_gpx((FOLDER / f"{name}.gpx").read_text())), TRUTH[name])


@pytest.mark.parametrize("name", TRACKS)
def test_a_hundred_others_of_its_kind_tell_it_too(name: str) -> None:
    wrong = {}
    for seed in range(100):
        passed = passages(list(TRACKS[name](seed)))
        if [passage[:2] for passage in passed] != [passage[:2] for passage in TRUTH[name]]:
            wrong[seed] = passed
    # Errors have no bound, zones have: one recording in a hundred may be told wrong.
    assert len(wrong) <= 1, wrong
