"""Errors of fixes: open sky, indoors, none at all, Wi-Fi tables that name the same wrong town each time. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.device_sim.watch.body import Fix

_METRES_A_DEGREE: Final = 111_320.0
_LAT_MAX: Final = 85.0
# A table that places an access point wrongly places it where it was before it moved: towns away.
_WRONG_AWAY_M: Final = (3_000.0, 40_000.0)
_WRONG_STATED_M: Final = 35.0


@dataclass(frozen=True)
class Spot:
    """A true position. `name`: the building, whose Wi-Fi is the same at every visit; empty outdoors."""

    lat: float
    lon: float
    name: str = ""


@dataclass(frozen=True)
class FixErrors:
    """Standard deviations in metres, and shares of the fixes from 0 to 1."""

    outdoor_m: float = 6.0
    indoor_m: float = 40.0
    none_outdoors: float = 0.02
    none_indoors: float = 0.25
    wrong_wifi: float = 0.0

    def measured(self, spot: Spot, source: random.Random, seed: int = 0) -> Fix | None:
        """Return what the watch measures; None: no fix. The same building is wrong in the same way each time."""
        indoors = bool(spot.name)
        if source.random() < (self.none_indoors if indoors else self.none_outdoors):
            return None
        if indoors and source.random() < self.wrong_wifi:
            of_building = random.Random(f"{seed}/{spot.name}")  # noqa: S311 - it draws a place, not a secret
            away_m, course = of_building.uniform(*_WRONG_AWAY_M), of_building.uniform(0, 2 * math.pi)
            lat, lon = moved(spot.lat, spot.lon, away_m, course)
            return Fix(lat, lon, _WRONG_STATED_M, "wifi")
        deviation_m = self.indoor_m if indoors else self.outdoor_m
        away_m = abs(source.gauss(0, deviation_m))
        lat, lon = moved(spot.lat, spot.lon, away_m, source.uniform(0, 2 * math.pi))
        # Receivers state about the deviation, not the error of this fix.
        stated_m = round(deviation_m * source.uniform(0.8, 1.6), 1)
        return Fix(lat, lon, max(3.0, stated_m), "wifi" if indoors else "gps")


ERRORS: Final[Mapping[str, FixErrors]] = {
    "none": FixErrors(outdoor_m=0.0, indoor_m=0.0, none_outdoors=0.0, none_indoors=0.0),
    "city": FixErrors(),
    "canyon": FixErrors(outdoor_m=45.0, indoor_m=120.0, none_outdoors=0.2, none_indoors=0.5),
    "wrong-wifi": FixErrors(wrong_wifi=0.4),
}


def moved(lat: float, lon: float, metres: float, course: float) -> tuple[float, float]:
    """Return the position this far away; `course` in radians from north."""
    north_m, east_m = metres * math.cos(course), metres * math.sin(course)
    degree_m = _METRES_A_DEGREE * math.cos(math.radians(max(-_LAT_MAX, min(_LAT_MAX, lat))))
    return round(lat + north_m / _METRES_A_DEGREE, 6), round(lon + east_m / degree_m, 6)
