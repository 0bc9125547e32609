"""A recorded track, read from a GPX file: where a watch would measure itself to be, and when."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import gpxpy
from gpxpy.gpx import GPXException, GPXTrackPoint

from services.device_sim.watch.body import Fix

FILE_MAX_BYTES: Final = 16 * 1024 * 1024
POINTS_MAX: Final = 100_000
_LAT_MAX, _LON_MAX = 90.0, 180.0
# GPX has no accuracy. The dilution of precision times 5 m is the usual estimate; without one the sky is open: 10 m.
_METRES_A_DILUTION: Final = 5.0
_ACCURACY_DEFAULT_M: Final = 10.0
_TIME: Final = re.compile(r"<time>\s*([^<\s]*)\s*</time>")


class TrackRefusedError(Exception):
    """The file is not a usable track; the message is for people."""


@dataclass(frozen=True)
class TrackPoint:
    """A fix and when it was taken; `at` is aware UTC."""

    at: datetime
    fix: Fix


def read_track(content: bytes | Path) -> list[TrackPoint]:
    """Return the points of all tracks of a GPX file in order of time.

    Accuracy is `accuracy_m` of its extensions (metres), else five times `hdop`, else 10 m; `source` is read from the
    extensions. Raises TrackRefusedError for a file that is not GPX, has a document type, a point without position or
    time, or is larger than 16 MiB or 100,000 points.
    """
    if isinstance(content, Path):
        content = _content_of(content)
    if b"<!DOCTYPE" in content:
        raise TrackRefusedError("a document type is not allowed: entities are not expanded")
    try:
        # XML Schema allows white space around a dateTime; the parser does not.
        parsed = gpxpy.parse(_TIME.sub(r"<time>\1</time>", content.decode("utf-8")))
    except (GPXException, UnicodeDecodeError, ValueError) as error:
        raise TrackRefusedError(f"not a GPX track: {error}") from None
    points = [point for track in parsed.tracks for segment in track.segments for point in segment.points]
    if not points:
        raise TrackRefusedError("there is no track point in it")
    if len(points) > POINTS_MAX:
        raise TrackRefusedError(f"at most {POINTS_MAX} points")
    return sorted((_track_point(point) for point in points), key=lambda point: point.at)


def _track_point(point: GPXTrackPoint) -> TrackPoint:
    if not (abs(point.latitude) <= _LAT_MAX and abs(point.longitude) <= _LON_MAX):
        raise TrackRefusedError("a point that is not on the earth")
    if point.time is None:
        raise TrackRefusedError("a point without its time")
    at = point.time.replace(tzinfo=UTC) if point.time.tzinfo is None else point.time.astimezone(UTC)
    extensions = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in point.extensions}
    fix = Fix(point.latitude, point.longitude, _accuracy_m(point, extensions), extensions.get("source"))
    return TrackPoint(at, fix)


def _accuracy_m(point: GPXTrackPoint, extensions: dict[str, str]) -> float:
    try:
        stated = float(extensions.get("accuracy_m", "nan"))
    except ValueError:
        stated = math.nan
    dilution = point.horizontal_dilution
    estimates = (stated, math.nan if dilution is None else dilution * _METRES_A_DILUTION)
    # A negative, infinite or unreadable accuracy counts as absent.
    return next((value for value in estimates if 0 < value < math.inf), _ACCURACY_DEFAULT_M)


def _content_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise TrackRefusedError(f"{path}: {error.strerror}") from None
    if len(content) > FILE_MAX_BYTES:
        raise TrackRefusedError(f"{path}: more than {FILE_MAX_BYTES // 2**20} MiB")
    return content
