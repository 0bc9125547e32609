"""Summarise a day as stays: where the child stayed, from when to when. Pure.

A stay is a run of good fixes around one place. A gap without fixes (indoors) belongs to the stay if the next fix is at
the same place; otherwise the stay ends with its last fix before the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.core.location.checkins.rules import Fix
from services.core.location.geometry import Plane, Point, distance_m

# The size of a school with its yard, or of a market street.
STAY_WITHIN_M: Final = 120.0
STAY_LEAST: Final = timedelta(minutes=10)
# A single fix outside is noise; a second one shows that the child left.
_STRAYS_TO_LEAVE: Final = 2


@dataclass(frozen=True)
class Stay:
    """A place, and the first and last time the child was there."""

    center: Point
    from_at: datetime
    until_at: datetime
    fixes: int


class _Middle:
    """The centre of the fixes added so far, kept as sums, because a day may have thousands of fixes."""

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
    """Return the stays in good fixes that are sorted by time."""
    stays: list[Stay] = []
    start = 0
    while start < len(fixes):
        middle, last = _run_from(fixes, start)
        if fixes[last].happened_at - fixes[start].happened_at < STAY_LEAST:
            start += 1
            continue
        stays.append(Stay(middle.point, fixes[start].happened_at, fixes[last].happened_at, middle.fixes))
        start = last + 1
    return stays


def _run_from(fixes: Sequence[Fix], start: int) -> tuple[_Middle, int]:
    """Return the centre of the run that begins at ``start``, and the index of its last fix."""
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
