"""Places for tests: a family that agreed to them, and fixes as a watch sends them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from services.core.devices.contacts.guardians import give_consent
from services.core.devices.watches.queries import settings_of_child
from services.core.location.checkins.actions import ReceivedFix
from services.core.location.geometry import Plane, Point
from services.core.people.consents.rules import Part, Proof, consent_texts
from services.core.people.households.queries import membership_in
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database, UnitOfWork
from tests.support.http import Parent
from tests.support.world import Home

# Dongguan, where many factories are.
HOME = Point(23.0200, 113.7500)


def away(east_m: float, north_m: float, origin: Point = HOME) -> Point:
    """Return the point so far from home."""
    return Plane(origin).point(east_m, north_m)


async def agree(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, part: Part = Part.LOCATION) -> None:
    """Have a guardian agree to places, or to those in an SOS."""
    membership = await membership_in(work, family_id, guardian_id)
    assert membership is not None
    text = consent_texts()[part, "en"]
    await give_consent(work, membership, part=part, text_version=text.text_version, locale="en", proof=Proof())


async def turn_location(work: UnitOfWork, child_id: uuid.UUID, *, on: bool) -> None:
    """Turn location of a child's watch on or off."""
    settings = await settings_of_child(work, child_id)
    settings.location = on
    work.add(settings)


async def allow_places(database: Database, home: Home) -> None:
    """Agree to places, and turn them on."""
    async with database.begin() as work:
        await agree(work, home.family_id, home.guardian_id)
        await turn_location(work, home.child_id, on=True)


def sent(username: str, at: datetime, point: Point = HOME, **fields: Any) -> ReceivedFix:
    """Return a good fix with an id of its own; its fingerprint follows from what differs."""
    given: dict[str, Any] = {
        "username": username, "ref": new_ref(), "point": point, "accuracy_m": 10.0, "altitude_m": None,
        "source": "gps", "tst": int(at.timestamp()), "boot": None, "mono_s": None, **fields,
    }  # fmt: skip
    place = f"{given['point'].lat},{given['point'].lon}"
    return ReceivedFix(**{"fingerprint": f"{place}|{sorted((k, str(v)) for k, v in given.items())}", **given})


def on_wire(at: datetime, point: Point = HOME, **fields: Any) -> dict[str, Any]:
    """Return a fix as a watch writes it."""
    return {
        "_type": "location", "lat": point.lat, "lon": point.lon, "acc": 10, "tst": int(at.timestamp()),
        "id": new_ref(), "source": "gps", **fields,
    }  # fmt: skip


async def may_look(parent: Parent) -> None:
    """Give a family's first guardian the right to locate, and have it agree to places; turn them on."""
    await parent.told("PATCH", f"{parent.family}/guardians/{parent.guardian_id}", json={"may_locate": True})
    await parent.consent("location")
    await parent.told("PATCH", f"{parent.child}/watch-settings", json={"location": True})


def circle(point: Point = HOME, radius_m: float = 150) -> dict[str, Any]:
    """Return a circle as an app draws it."""
    return {"kind": "circle", "lat": point.lat, "lon": point.lon, "radius_m": radius_m}


def outline(*corners_m: tuple[float, float]) -> dict[str, Any]:
    """Return an outline as an app draws it, from corners in metres east and north of home."""
    points = [away(*corner) for corner in corners_m]
    return {"kind": "outline", "corners": [{"lat": point.lat, "lon": point.lon} for point in points]}
