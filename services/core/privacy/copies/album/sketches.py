"""A day's places as a sketch without a map: a line between fixes and the safe zones near it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

WIDTH: Final = 320
HEIGHT: Final = 180
_MARGIN: Final = 16
# A child that stays in one house is not magnified to the noise of its fixes.
_LEAST_SPAN_M: Final = 300.0
_M_PER_DEGREE: Final = 111_195.0


@dataclass(frozen=True)
class TrackPoint:
    """A good fix."""

    at: datetime
    lat: float
    lon: float


@dataclass(frozen=True)
class Ring:
    """A safe zone in the sketch."""

    x: float
    y: float
    radius: float
    name: str


@dataclass(frozen=True)
class Sketch:
    """A drawing of ``WIDTH`` by ``HEIGHT``; ``line`` are SVG points."""

    line: str
    starts: tuple[float, float]
    ends: tuple[float, float]
    rings: tuple[Ring, ...]
    width_km: float


def sketch_of(points: Sequence[TrackPoint], zones: Sequence[dict[str, Any]]) -> Sketch | None:
    """Return the sketch of a day, or None with fewer than two fixes. ``zones`` are those of the export's document."""
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    first = points[0]
    narrowing = math.cos(math.radians(first.lat))

    def metres(lat: float, lon: float) -> tuple[float, float]:
        # Across the date line the shorter way.
        east = (lon - first.lon + 180) % 360 - 180
        return east * narrowing * _M_PER_DEGREE, (first.lat - lat) * _M_PER_DEGREE

    flat = [metres(point.lat, point.lon) for point in points]
    xs, ys = [x for x, _ in flat], [y for _, y in flat]
    inner_width, inner_height = WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN
    m_per_unit = max((max(xs) - min(xs)) / inner_width, (max(ys) - min(ys)) / inner_height, _LEAST_SPAN_M / inner_width)
    middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)

    def drawn(x: float, y: float) -> tuple[float, float]:
        return (
            round(WIDTH / 2 + (x - middle[0]) / m_per_unit, 1),
            round(HEIGHT / 2 + (y - middle[1]) / m_per_unit, 1),
        )

    line = [drawn(x, y) for x, y in flat]
    rings = tuple(
        Ring(*drawn(*metres(zone["shape"]["lat"], zone["shape"]["lon"])),
             round(zone["shape"]["radius_m"] / m_per_unit, 1), zone["name"])
        for zone in zones
        if zone["shape"]["kind"] == "circle"
    )  # fmt: skip
    return Sketch(
        line=" ".join(f"{x},{y}" for x, y in line), starts=line[0], ends=line[-1],
        rings=tuple(ring for ring in rings if 0 <= ring.x <= WIDTH and 0 <= ring.y <= HEIGHT),
        width_km=round(WIDTH * m_per_unit / 1000, 1),
    )  # fmt: skip
