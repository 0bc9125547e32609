"""A day in the words of a family: where the child stayed, from when to when; pure.

A stay is a run of good fixes around one place. A gap without fixes (indoors) belongs to the stay when the child is
found at the same place after it; found elsewhere, the stay ends with the last fix that saw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.core.location.checkins.rules import Fix
from services.core.location.geometry import Plane, Point, distance_m

# A school and its yard; a market street.
STAY_WITHIN_M: Final = 120.0
STAY_LEAST: Final = timedelta(minutes=10)
# One fix beside the place is noise; the second says that the child went.
_STRAYS_TO_LEAVE: Final = 2


@dataclass(frozen=True)
class Stay:
    """A place and when the child was first and last seen there."""

    center: Point
    from_at: datetime
    until_at: datetime
    fixes: int


class _Middle:
    """The middle of the fixes taken so far, kept as sums: a day may have thousands."""

    def __init__(self, first: Fix) -> None:
        self._plane = Plane(first.point)
        self._east_m = self._north_m = 0.0
        self.fixes = 1

    @property
    def point(self) -> Point:
        return self._plane.point(self._east_m / self.fixes, self._north_m / self.fixes)

    def holds(self, fix: Fix) -> bool:
        return distance_m(self.point, fix.point) <= STAY_WITHIN_M + (fix.accuracy_m or 0) / 2

    def take(self, fix: Fix) -> None:
        east_m, north_m = self._plane.metres(fix.point)
        self._east_m += east_m
        self._north_m += north_m
        self.fixes += 1


def find_stays(fixes: Sequence[Fix]) -> list[Stay]:
    """Return the stays in good fixes that are in order of time."""
    found: list[Stay] = []
    start = 0
    while start < len(fixes):
        middle, last = _run_from(fixes, start)
        if fixes[last].happened_at - fixes[start].happened_at < STAY_LEAST:
            start += 1
            continue
        found.append(Stay(middle.point, fixes[start].happened_at, fixes[last].happened_at, middle.fixes))
        start = last + 1
    return found


def _run_from(fixes: Sequence[Fix], start: int) -> tuple[_Middle, int]:
    """Return the middle of the run that begins here, and the index of its last fix."""
    middle, last, strays = _Middle(fixes[start]), start, 0
    for index in range(start + 1, len(fixes)):
        if middle.holds(fixes[index]):
            middle.take(fixes[index])
            last, strays = index, 0
        else:
            strays += 1
            if strays == _STRAYS_TO_LEAVE:
                break
    return middle, last
