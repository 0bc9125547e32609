"""Places over HTTP. Degrees are WGS-84 everywhere, times aware UTC, accuracy the radius of a circle in metres."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import ResponseBody

Lat = Annotated[float, Field(examples=[23.02])]
Lon = Annotated[float, Field(examples=[113.75])]


class Place(ResponseBody):
    """A point on the earth."""

    lat: Lat
    lon: Lon
    altitude_m: float | None = None


class ZoneName(ResponseBody):
    """The family's own name for a place."""

    zone_id: uuid.UUID
    name: str = Field(examples=["School"])


class LatestFix(ResponseBody):
    """Where the child was last seen by a good fix."""

    place: Place
    accuracy_m: float = Field(examples=[18])
    source: str | None = Field(description="gps, wifi, cell, or a word of a later version", examples=["gps"])
    happened_at: datetime
    received_at: datetime
    age_s: int = Field(description="how long ago it happened", examples=[720])
    zone: ZoneName | None


class LatestPlaceResponse(ResponseBody):
    """The latest place of a child; ``seen`` is null when nothing good is known of the last 30 days."""

    child_id: uuid.UUID
    location_on: bool = Field(description="whether the watch is to tell places at all")
    seen: LatestFix | None


class LatestPlacesResponse(ResponseBody):
    """A row for each child whose place the caller may see."""

    children: list[LatestPlaceResponse]


class Checkin(ResponseBody):
    """A fix that was stored, whatever it is worth. ``place`` is null where the watch named none on the earth."""

    happened_at: datetime
    received_at: datetime
    place: Place | None
    accuracy_m: float | None
    source: str | None
    quality: Literal["good", "poor", "bad"]
    reasons: list[str] = Field(examples=[["accuracy_low", "late"]])


class CheckinsResponse(ResponseBody):
    """A page of a day's check-ins in order of time."""

    checkins: list[Checkin]
    next_cursor: str | None


class Stay(ResponseBody):
    """A place, and when the child was first and last seen there."""

    from_at: datetime
    until_at: datetime
    place: Place
    zone: ZoneName | None
    fixes: int


class Passage(ResponseBody):
    """The child entered or left a safe zone."""

    happened_at: datetime
    kind: Literal["entered", "left"]
    zone: ZoneName
    alarmed: bool = Field(description="whether guardians were alarmed: within the zone's hours, and just then")


class Qualities(ResponseBody):
    """How many of the day's check-ins are of which quality, and how many came after something newer was known."""

    good: int
    poor: int
    bad: int
    late: int


class DayResponse(ResponseBody):
    """A day as the child's place counts it, 23 or 25 hours long where clocks change."""

    child_id: uuid.UUID
    day: date
    timezone: str = Field(examples=["Asia/Shanghai"])
    starts_at: datetime
    ends_at: datetime
    qualities: Qualities
    stays: list[Stay]
    passages: list[Passage]
    track: list[Place] = Field(description="the way through the good fixes, simplified to 15 m")
