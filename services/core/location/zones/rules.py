"""Safe zones: what one may be, and when a child entered or left it; pure.

A fix is a circle: the child is somewhere in it. Entering and leaving both ask for certainty, and between them lies a
strip of 20 m that belongs to neither: a child who stands still, wherever that is, and fixes whose circles hold it,
however they scatter, never make more than one passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Final

from services.core.location.checkins.errors import ZoneHoursError, ZoneShapeError
from services.core.location.checkins.rules import PRECISE_WITHIN_M
from services.core.location.geometry import Circle, Outline, Point, Shape, distance_m
from services.core.location.tracks.days import Hours

MAX_ZONES: Final = 20
MAX_HOURS: Final = 14
RADIUS_MIN_M: Final = 50.0
RADIUS_MAX_M: Final = 10_000.0
CORNERS_MIN: Final = 3
CORNERS_MAX: Final = 50
# A square of 100 m; less is smaller than the accuracy of the fixes that are to tell.
AREA_MIN_M2: Final = 7_500.0
# Where the plane is too wide a guess: nobody lives there.
LATITUDE_MAX_DEG: Final = 85.0

# Entered: the whole circle is inside the zone or at most this far beyond its edge, which is drawn by finger.
ENTER_SLACK_M: Final = 30.0
# Left: the whole circle is at least this far outside ...
LEAVE_MARGIN_M: Final = 50.0
# ... in two fixes one after the other, or in one that is exact and far away. A fix by networks that leaps (see rules)
# is neither sure nor does it confirm the one before: with tables that are wrong about every twentieth fix, 96 of 100
# recorded days told of a child who had not left. In a car every one of them leaps, so the third is believed.
FIXES_TO_LEAVE: Final = 2
LEAPS_TO_LEAVE: Final = 3
SURE_ACCURACY_M: Final = PRECISE_WITHIN_M
SURE_MARGIN_M: Final = 200.0


class Where(StrEnum):
    """Where the child is as seen from a zone."""

    UNKNOWN = "unknown"
    INSIDE = "inside"
    OUTSIDE = "outside"


class Passage(StrEnum):
    """What happened at a zone's edge."""

    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True)
class ZoneState:
    """What is believed of one zone, and how many fixes one after the other spoke for having left it."""

    where: Where = Where.UNKNOWN
    outside_fixes: int = 0


def pass_zone(
    stand: ZoneState, edge_m: float, accuracy_m: float, *, leaps: bool = False, repeats: bool = False
) -> tuple[ZoneState, Passage | None]:
    """Return the zone's state after a good fix that is the latest, and the passage that follows, if any.

    ``edge_m``: distance from the zone's edge, negative inside; ``leaps``: far from the fix before; ``repeats``: the
    network answer of the fix before, which is no second witness. Poor, bad and late fixes must not get here. The first
    known state of a zone is no passage.
    """
    if edge_m + accuracy_m <= ENTER_SLACK_M:
        return ZoneState(Where.INSIDE), Passage.ENTERED if stand.where is Where.OUTSIDE else None
    beyond_m = edge_m - accuracy_m
    if beyond_m < LEAVE_MARGIN_M:
        return ZoneState(stand.where), None
    if stand.where is Where.OUTSIDE or repeats:
        return stand, None
    fixes = stand.outside_fixes + 1
    # The first fix of all may be the wrong one: nothing before it says that it leaps.
    sure = stand.where is Where.INSIDE and not leaps and accuracy_m <= SURE_ACCURACY_M and beyond_m >= SURE_MARGIN_M
    if sure or fixes >= (LEAPS_TO_LEAVE if leaps else FIXES_TO_LEAVE):
        return ZoneState(Where.OUTSIDE), Passage.LEFT if stand.where is Where.INSIDE else None
    return ZoneState(stand.where, fixes), None


def check_circle(center: Point, radius_m: float) -> Circle:
    """Return the circle; raises ZoneShapeError unless it is a zone fixes can tell."""
    _check_place(center)
    if not RADIUS_MIN_M <= radius_m <= RADIUS_MAX_M:
        raise ZoneShapeError("radius")
    return Circle(center, radius_m)


def check_outline(corners: Sequence[Point]) -> Outline:
    """Return the outline; raises ZoneShapeError unless it is simple, wide enough and not too wide."""
    # A repeated first corner closes the line, as GeoJSON does; ours closes by itself.
    given = tuple(corners[:-1] if len(corners) > 1 and corners[0] == corners[-1] else corners)
    if not CORNERS_MIN <= len(given) <= CORNERS_MAX:
        raise ZoneShapeError("corners")
    for corner in given:
        _check_place(corner)
    if max(distance_m(given[0], corner) for corner in given) > 2 * RADIUS_MAX_M:
        raise ZoneShapeError("too_wide")
    outline = Outline(given)
    if not outline.polygon.is_valid:
        raise ZoneShapeError("crosses_itself")
    if outline.polygon.area < AREA_MIN_M2:
        raise ZoneShapeError("too_narrow")
    return outline


def _check_place(point: Point) -> None:
    if abs(point.lat) > LATITUDE_MAX_DEG:
        raise ZoneShapeError("latitude")


def check_hours(days: Sequence[int], starts: time, ends: time) -> Hours:
    """Return the hours; raises ZoneHoursError for no day or a day that is none."""
    if not days or not set(days) <= set(range(1, 8)):
        raise ZoneHoursError
    return Hours(frozenset(days), starts, ends)


@dataclass(frozen=True)
class Zone:
    """A zone as guardians drew it: its name, its shape, and when its edge is watched (no hours: always)."""

    name: str
    shape: Shape
    hours: tuple[Hours, ...] = ()
