"""Safe zones over HTTP."""

import uuid
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody

Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, examples=[23.02])]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, examples=[113.75])]
ZoneNameText = Annotated[str, Field(min_length=1, max_length=200, examples=["School"])]
WallClock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]


class Corner(RequestBody):
    """A point of a shape."""

    lat: Lat
    lon: Lon


class CircleShape(RequestBody):
    """Everything within a radius, 50 m to 10 km."""

    kind: Literal["circle"]
    lat: Lat
    lon: Lon
    radius_m: Annotated[float, Field(allow_inf_nan=False, examples=[150])]


class OutlineShape(RequestBody):
    """Everything within 3 to 50 corners; the line closes by itself and must not cross itself."""

    kind: Literal["outline"]
    corners: Annotated[list[Corner], Field(max_length=51)]


Shape = Annotated[CircleShape | OutlineShape, Field(discriminator="kind")]


class ZoneHours(RequestBody):
    """Days (1 is Monday) and hours in the child's time zone; ``to`` before ``from`` reaches into the next morning."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7, examples=[[1, 2, 3]])]
    starts: WallClock = Field(alias="from")
    ends: WallClock = Field(alias="to")

    @property
    def starts_at(self) -> time:
        """The wall clock's time at which they begin."""
        return time.fromisoformat(self.starts)

    @property
    def ends_at(self) -> time:
        """The wall clock's time at which they end."""
        return time.fromisoformat(self.ends)


class NewZoneRequest(RequestBody):
    """A zone to draw. Without hours its edge is watched always."""

    name: ZoneNameText
    shape: Shape
    hours: Annotated[list[ZoneHours], Field(max_length=14, default_factory=list)]


class ChangeZoneRequest(RequestBody):
    """What changes; what is left out stays."""

    name: ZoneNameText | None = None
    shape: Shape | None = None
    hours: Annotated[list[ZoneHours], Field(max_length=14)] | None = None


class ZoneResponse(ResponseBody):
    """A safe zone, and where the child is as seen from it."""

    zone_id: uuid.UUID
    name: str
    shape: Shape
    hours: list[ZoneHours]
    stand: Literal["unknown", "inside", "outside"]
    since_at: datetime | None = Field(description="the fix that showed it")
    created_at: datetime
    changed_at: datetime


class ZonesResponse(ResponseBody):
    """The child's safe zones, the oldest first."""

    zones: list[ZoneResponse]
