"""Valid safe zones, and when a child enters or leaves one. Pure.

A fix is a circle that contains the child. Entering and leaving both require certainty, and a strip of 20 m between
their thresholds belongs to neither. A child who stands still therefore causes at most one passage, however its fixes
scatter, as long as their circles contain the child.
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
# A square of 100 m per side or a circle as small; smaller areas are below the accuracy of the fixes.
AREA_MIN_M2: Final = 7_500.0
# Beyond this latitude the plane is inaccurate, and the area is uninhabited.
LATITUDE_MAX_DEG: Final = 85.0

# Entered: the whole circle is inside the zone, or at most this far beyond its edge, which is drawn by finger.
ENTER_SLACK_M: Final = 30.0
# Left: the whole circle is at least this far outside ...
LEAVE_MARGIN_M: Final = 50.0
# ... in two consecutive fixes, or in one that is precise and far away. A network fix that leaps (see checkins.rules)
# is not certain and does not confirm the previous one: with a wrong table entry in one of twenty fixes, 96 of 100
# recorded days raised a false departure. In a car every network fix leaps, so the third one is accepted.
FIXES_TO_LEAVE: Final = 2
LEAPS_TO_LEAVE: Final = 3
SURE_ACCURACY_M: Final = PRECISE_WITHIN_M
SURE_MARGIN_M: Final = 200.0


class Where(StrEnum):
    """The child's position relative to a zone."""

    UNKNOWN = "unknown"
    INSIDE = "inside"
    OUTSIDE = "outside"


class Passage(StrEnum):
    """A transition at a zone's edge."""

    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True)
class ZoneState:
    """State of one zone, and the number of consecutive fixes that indicate a departure."""

    where: Where = Where.UNKNOWN
    outside_fixes: int = 0


def pass_zone(
    stand: ZoneState, edge_m: float, accuracy_m: float, *, leaps: bool = False, repeats: bool = False
) -> tuple[ZoneState, Passage | None]:
    """Return the zone's state after a good fix that is the latest place, and the passage that follows, if any.

    ``edge_m``: distance from the zone's edge, negative inside; ``leaps``: far from the previous fix; ``repeats``: the
    network answer of the previous fix, which is no independent evidence. Poor, bad and late fixes must not be passed.
    The first known state of a zone is no passage.
    """
    if edge_m + accuracy_m <= ENTER_SLACK_M:
        return ZoneState(Where.INSIDE), Passage.ENTERED if stand.where is Where.OUTSIDE else None
    beyond_m = edge_m - accuracy_m
    if beyond_m < LEAVE_MARGIN_M:
        return ZoneState(stand.where), None
    if stand.where is Where.OUTSIDE or repeats:
        return stand, None
    fixes = stand.outside_fixes + 1
    # The first fix may be wrong, and without a previous fix it cannot be recognised as a leap.
    sure = stand.where is Where.INSIDE and not leaps and accuracy_m <= SURE_ACCURACY_M and beyond_m >= SURE_MARGIN_M
    if sure or fixes >= (LEAPS_TO_LEAVE if leaps else FIXES_TO_LEAVE):
        return ZoneState(Where.OUTSIDE), Passage.LEFT if stand.where is Where.INSIDE else None
    return ZoneState(stand.where, fixes), None


def check_circle(center: Point, radius_m: float) -> Circle:
    """Return the circle; raises ZoneShapeError unless fixes can decide about it."""
    _check_place(center)
    if not RADIUS_MIN_M <= radius_m <= RADIUS_MAX_M:
        raise ZoneShapeError("radius")
    return Circle(center, radius_m)


def check_outline(corners: Sequence[Point]) -> Outline:
    """Return the outline; raises ZoneShapeError unless it is simple and within the bounds of area and width."""
    # GeoJSON closes a line by repeating the first corner; an Outline closes implicitly.
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
    """Return the hours; raises ZoneHoursError for an empty list of days or an invalid day."""
    if not days or not set(days) <= set(range(1, 8)):
        raise ZoneHoursError
    return Hours(frozenset(days), starts, ends)


@dataclass(frozen=True)
class Zone:
    """A zone as drawn by guardians: name, shape, and hours of its alarms (empty: always)."""

    name: str
    shape: Shape
    hours: tuple[Hours, ...] = ()
