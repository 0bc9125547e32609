"""Where a child is at any minute, and whether the watch is worn: a school day, or a recorded route. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.device_sim.watch.fix_errors import Spot
from services.device_sim.watch.gpx import TrackPoint

_SATURDAY: Final = 6
_HOME, _SCHOOL = "home", "school"


class DayPlan(Protocol):
    """The life of a child by the wall clock at its place."""

    def spot(self, wall: datetime) -> Spot:
        """Return where the child is."""

    def is_worn(self, wall: datetime) -> bool:
        """Return whether the watch is on the wrist."""

    def is_charged(self, wall: datetime) -> bool:
        """Return whether the watch lies on its charger."""


def _minute(wall: datetime) -> float:
    return wall.hour * 60 + wall.minute + wall.second / 60


@dataclass(frozen=True)
class SchoolDay:
    """Monday to Friday: leaves at 7:30, is at school from 8:00 to 16:00, is at home at 16:30; on other days at home.

    The watch is worn from 7:00 to 20:30 and charged at night.
    """

    home: tuple[float, float] = (23.0207, 113.7518)
    school: tuple[float, float] = (23.0254, 113.7646)

    def spot(self, wall: datetime) -> Spot:
        """Return where the child is; on the way on a straight line."""
        leaves, arrives, ends, back = 450, 480, 960, 990
        now = _minute(wall)
        if wall.isoweekday() >= _SATURDAY or now < leaves or now >= back:
            return Spot(*self.home, _HOME)
        if now < arrives:
            return _between(self.home, self.school, (now - leaves) / (arrives - leaves))
        if now < ends:
            return Spot(*self.school, _SCHOOL)
        return _between(self.school, self.home, (now - ends) / (back - ends))

    def is_worn(self, wall: datetime) -> bool:
        """Return whether it is day."""
        worn_from, worn_until = 420, 1230
        return worn_from <= _minute(wall) < worn_until

    def is_charged(self, wall: datetime) -> bool:
        """Return whether it is night."""
        return not self.is_worn(wall)


@dataclass(frozen=True)
class RecordedRoute:
    """A track that began at a moment; afterwards the child stays where it ended. Worn all the time."""

    track: Sequence[TrackPoint]
    began: datetime

    def spot(self, wall: datetime) -> Spot:
        """Return the position on the track, between its points on straight lines."""
        since = wall - self.began
        points = self.track
        first = points[0].at
        for before, after in itertools.pairwise(points):
            if since < after.at - first:
                length = (after.at - before.at) / timedelta(seconds=1)
                share = ((since - (before.at - first)) / timedelta(seconds=1)) / length if length else 0.0
                return _between((before.fix.lat, before.fix.lon), (after.fix.lat, after.fix.lon), max(0.0, share))
        return Spot(points[-1].fix.lat, points[-1].fix.lon)

    def is_worn(self, wall: datetime) -> bool:
        """Return True."""
        del wall
        return True

    def is_charged(self, wall: datetime) -> bool:
        """Return False."""
        del wall
        return False


def _between(begin: tuple[float, float], end: tuple[float, float], share: float) -> Spot:
    return Spot(begin[0] + (end[0] - begin[0]) * share, begin[1] + (end[1] - begin[1]) * share)
