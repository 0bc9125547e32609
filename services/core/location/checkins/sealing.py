"""Seal places under the child's own key, so that erasing the key erases every place.

The plaintext of a place is 24 bytes: latitude, longitude, altitude as doubles, NaN where unknown. It is bound to its
row, so that it does not decrypt in another row.
"""

from __future__ import annotations

import hmac
import json
import math
import struct
import uuid
from typing import Any, Final, NamedTuple

from services.core.location.geometry import Circle, Outline, Point, Shape
from services.core.platform.crypto.vault import seal, unseal

_PLACE: Final = struct.Struct(">ddd")
_MARK_BYTES: Final = 16


class Place(NamedTuple):
    """A point, and its altitude above sea level in metres if known."""

    point: Point
    altitude_m: float | None = None


def seal_place(key: bytes, place: Place, context: str) -> bytes:
    """Return a place sealed with a child's data key, bound to ``context``."""
    altitude_m = math.nan if place.altitude_m is None else place.altitude_m
    return seal(key, _PLACE.pack(place.point.lat, place.point.lon, altitude_m), context)


def open_place(key: bytes, sealed: bytes, context: str) -> Place:
    """Return the place sealed by :func:`seal_place`; raises SealBrokenError."""
    lat, lon, altitude_m = _PLACE.unpack(unseal(key, sealed, context))
    return Place(Point(lat, lon), None if math.isnan(altitude_m) else altitude_m)


def checkin_context(child_id: uuid.UUID | str, username: str, ref: str, tst: int) -> str:
    """Return the context that binds a check-in's place; the id of a child as text saves writing it for each."""
    return f"checkin/{child_id}/{username}/{ref}/{tst}"


def latest_context(child_id: uuid.UUID) -> str:
    """Return the context that binds a child's latest place."""
    return f"latest/{child_id}"


def suspect_context(child_id: uuid.UUID) -> str:
    """Return the context that binds a child's suspect place."""
    return f"suspect/{child_id}"


def sos_context(alert_id: uuid.UUID) -> str:
    """Return the context that binds the place of an SOS."""
    return f"sos/{alert_id}"


def content_mark(key: bytes, fingerprint: str) -> bytes:
    """Return the 16 bytes that identify a retry; without the child's key they reveal nothing of the content."""
    return hmac.digest(key, f"checkin/{fingerprint}".encode(), "sha256")[:_MARK_BYTES]


def seal_zone(key: bytes, zone_id: uuid.UUID, name: str, shape: Shape) -> bytes:
    """Return a zone's name and shape sealed with a child's data key."""
    body = {"name": name, **_plain(shape)}
    return seal(key, json.dumps(body, ensure_ascii=False).encode(), f"zone/{zone_id}")


def open_zone(key: bytes, zone_id: uuid.UUID, sealed: bytes) -> tuple[str, Shape]:
    """Return the name and shape sealed by :func:`seal_zone`; raises SealBrokenError."""
    body = json.loads(unseal(key, sealed, f"zone/{zone_id}"))
    if "radius_m" in body:
        return body["name"], Circle(Point(*body["center"]), body["radius_m"])
    return body["name"], Outline(tuple(Point(*corner) for corner in body["corners"]))


def _plain(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Circle):
        return {"center": [shape.center.lat, shape.center.lon], "radius_m": shape.radius_m}
    return {"corners": [[corner.lat, corner.lon] for corner in shape.corners]}
