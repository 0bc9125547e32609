"""HTTP bodies of places. Degrees are WGS-84, times aware UTC, accuracy is the radius of a circle in metres."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import ResponseBody

Lat = Annotated[float, Field(examples=[23.02])]
Lon = Annotated[float, Field(examples=[113.75])]


class Place(ResponseBody):
    """A position on the earth."""

    lat: Lat
    lon: Lon
    altitude_m: float | None = None


class ZoneName(ResponseBody):
    """A safe zone by its name."""

    zone_id: uuid.UUID
    name: str = Field(examples=["School"])


class LatestFix(ResponseBody):
    """The latest good fix of the child."""

    place: Place
    accuracy_m: float = Field(examples=[18])
    source: str | None = Field(description="gps, wifi, cell, or a word of a later version", examples=["gps"])
    happened_at: datetime
    received_at: datetime
    age_s: int = Field(description="age of the fix", examples=[720])
    zone: ZoneName | None


class LatestPlaceResponse(ResponseBody):
    """The latest place of a child; `seen` is null when no good fix of the last 30 days is stored."""

    child_id: uuid.UUID
    location_on: bool = Field(description="whether location is turned on for the watch")
    seen: LatestFix | None


class LatestPlacesResponse(ResponseBody):
    """One entry for each child that the caller may locate."""

    children: list[LatestPlaceResponse]


class Checkin(ResponseBody):
    """A stored fix of any quality; `place` is null when the watch sent no valid coordinates."""

    happened_at: datetime
    received_at: datetime
    place: Place | None
    accuracy_m: float | None
    source: str | None
    quality: Literal["good", "poor", "bad"]
    reasons: list[str] = Field(examples=[["accuracy_low", "late"]])


class CheckinsResponse(ResponseBody):
    """A page of a day's check-ins, in order of time."""

    checkins: list[Checkin]
    next_cursor: str | None


class Stay(ResponseBody):
    """A place, and the first and last time the child was there."""

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
    alarmed: bool = Field(
        description="whether guardians were alerted: within the zone's hours, and soon after the passage"
    )


class Qualities(ResponseBody):
    """Number of the day's check-ins by quality; `late`: those that arrived after a newer one."""

    good: int
    poor: int
    bad: int
    late: int


class DayResponse(ResponseBody):
    """A local day of the child; it has 23 or 25 hours when clocks change."""

    child_id: uuid.UUID
    day: date
    timezone: str = Field(examples=["Asia/Shanghai"])
    starts_at: datetime
    ends_at: datetime
    qualities: Qualities
    stays: list[Stay]
    passages: list[Passage]
    track: list[Place] = Field(description="line through the good fixes, simplified to 15 m")
