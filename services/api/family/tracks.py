"""A day of places as GeoJSON (RFC 7946) and GPX 1.1, both WGS-84."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment

from services.core.location.checkins.queries import CheckinView, DayView
from services.core.location.checkins.sealing import Place

# A line needs two points.
_LINE_LEAST = 2


def geojson_of(view: DayView) -> bytes:
    """Return a FeatureCollection: a point for every check-in with a place, then the line of the good ones."""
    features = [_feature(checkin, checkin.place) for checkin in view.checkins if checkin.place is not None]
    line = [_position(checkin.place) for checkin in view.line if checkin.place is not None]
    if len(line) >= _LINE_LEAST:
        features.append({
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": line},
            "properties": {"day": view.day.isoformat(), "timezone": view.timezone},
        })  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}, allow_nan=False).encode()


def gpx_of(view: DayView) -> bytes:
    """Return the good check-ins as one track of GPX 1.1: latitude, longitude, height in metres if known, time in UTC.

    It contains no free text.
    """
    document = GPX()
    document.creator = "SmartWatch"
    points = [_track_point(checkin.place, checkin.happened_at) for checkin in view.line if checkin.place is not None]
    track = GPXTrack(name=view.day.isoformat())
    track.segments.append(GPXTrackSegment(points))
    document.tracks.append(track)
    xml: str = document.to_xml(version="1.1", prettyprint=False)
    return xml.encode()


def _track_point(place: Place, happened_at: datetime) -> GPXTrackPoint:
    # GPX times are written to the second, as in GeoJSON.
    at = happened_at.astimezone(UTC).replace(microsecond=0)
    return GPXTrackPoint(place.point.lat, place.point.lon, elevation=place.altitude_m, time=at)


def _feature(view: CheckinView, place: Place) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": _position(place)},
        "properties": {
            "happened_at": _zulu(view.happened_at),
            "accuracy_m": view.accuracy_m,
            "source": view.source,
            "quality": view.quality.value,
            "reasons": [reason.value for reason in view.reasons],
        },
    }


def _position(place: Place) -> list[float]:
    # Longitude first: RFC 7946, section 3.1.1.
    height = [] if place.altitude_m is None else [place.altitude_m]
    return [place.point.lon, place.point.lat, *height]


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
