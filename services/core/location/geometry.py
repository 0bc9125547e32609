"""Points on the earth and shapes around them. Pure. Coordinates are WGS-84 degrees, distances metres.

Distances are computed on a sphere (at most 0.5 % wrong, far below any watch's accuracy). Shapes are computed on a plane
tangent to the earth at the shape: within 50 km the relative error is below 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from shapely import Polygon

# Shapely is imported where a shape is computed: with NumPy it takes 0.1 s of the start of every process, and a process
# without outlines and tracks never needs it.
_EARTH_RADIUS_M: Final = 6_371_008.8
# Beyond this distance the plane is inaccurate, and the distance to the centre decides.
_PLANE_REACH_M: Final = 50_000.0


class Point(NamedTuple):
    """A position in degrees, WGS-84. Its repr shows no coordinates, to keep them out of logs."""

    lat: float
    lon: float

    def __repr__(self) -> str:
        return "Point(...)"


def distance_m(point: Point, other: Point) -> float:
    """Return the great-circle distance of two points in metres."""
    lat_1, lat_2 = math.radians(point.lat), math.radians(other.lat)
    half_lat = (lat_2 - lat_1) / 2
    half_lon = math.radians(other.lon - point.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))


@dataclass(frozen=True)
class Plane:
    """A plane tangent to the earth at ``origin``."""

    origin: Point

    def metres(self, point: Point) -> tuple[float, float]:
        """Return a point's offset east and north of the origin in metres, the shorter way across the date line."""
        east_deg = (point.lon - self.origin.lon + 540) % 360 - 180
        metres_per_degree = math.radians(_EARTH_RADIUS_M)
        return (
            east_deg * metres_per_degree * math.cos(math.radians(self.origin.lat)),
            (point.lat - self.origin.lat) * metres_per_degree,
        )

    def point(self, east_m: float, north_m: float) -> Point:
        """Return the point at this offset from the origin."""
        metres_per_degree = math.radians(_EARTH_RADIUS_M)
        lon = self.origin.lon + east_m / (metres_per_degree * math.cos(math.radians(self.origin.lat)))
        return Point(self.origin.lat + north_m / metres_per_degree, (lon + 540) % 360 - 180)


@dataclass(frozen=True)
class Circle:
    """All points within ``radius_m`` of a centre."""

    center: Point
    radius_m: float

    def edge_m(self, point: Point) -> float:
        """Return the signed distance of the point from the edge in metres; negative inside."""
        return distance_m(self.center, point) - self.radius_m


@dataclass(frozen=True)
class Outline:
    """All points inside a closed line through corners; the last corner connects to the first."""

    corners: tuple[Point, ...]

    @cached_property
    def plane(self) -> Plane:
        """The plane of the outline's computations."""
        return Plane(self.corners[0])

    @cached_property
    def polygon(self) -> Polygon:
        """The outline on its plane, in metres."""
        from shapely import Polygon  # noqa: PLC0415

        return Polygon([self.plane.metres(corner) for corner in self.corners])

    @cached_property
    def reach_m(self) -> float:
        """Distance from the first corner to the furthest corner, in metres."""
        return max(distance_m(self.corners[0], corner) for corner in self.corners)

    def edge_m(self, point: Point) -> float:
        """Return the signed distance of the point from the edge in metres; negative inside."""
        away_m = distance_m(self.corners[0], point)
        if away_m > _PLANE_REACH_M + self.reach_m:
            return away_m - self.reach_m
        from shapely import Point as PlanePoint  # noqa: PLC0415

        place = PlanePoint(self.plane.metres(point))
        edge_m: float = self.polygon.exterior.distance(place)
        return -edge_m if self.polygon.contains(place) else edge_m


Shape = Circle | Outline


def simplified(points: Sequence[Point], tolerance_m: float) -> list[Point]:
    """Return the subset of points whose line stays within ``tolerance_m`` of the original (Douglas-Peucker)."""
    if len(points) < 3:  # noqa: PLR2004 - a line of two points is as simple as it gets
        return list(points)
    from shapely import LineString  # noqa: PLC0415

    plane = Plane(points[0])
    line = LineString([plane.metres(point) for point in points]).simplify(tolerance_m, preserve_topology=False)
    return [plane.point(east_m, north_m) for east_m, north_m in line.coords]
