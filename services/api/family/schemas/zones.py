"""HTTP bodies of safe zones."""

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
    """A corner of a shape."""

    lat: Lat
    lon: Lon


class CircleShape(RequestBody):
    """A circle with a radius of 50 m to 10 km."""

    kind: Literal["circle"]
    lat: Lat
    lon: Lon
    radius_m: Annotated[float, Field(allow_inf_nan=False, examples=[150])]


class OutlineShape(RequestBody):
    """An area with 3 to 50 corners; the line closes implicitly and must not cross itself."""

    kind: Literal["outline"]
    corners: Annotated[list[Corner], Field(max_length=51)]


Shape = Annotated[CircleShape | OutlineShape, Field(discriminator="kind")]


class ZoneHours(RequestBody):
    """Days (1 is Monday) and local hours of the child; `to` before `from` extends into the next morning."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7, examples=[[1, 2, 3]])]
    starts: WallClock = Field(alias="from")
    ends: WallClock = Field(alias="to")

    @property
    def starts_at(self) -> time:
        """Local time at which the hours begin."""
        return time.fromisoformat(self.starts)

    @property
    def ends_at(self) -> time:
        """Local time at which the hours end."""
        return time.fromisoformat(self.ends)


class NewZoneRequest(RequestBody):
    """A zone to create; without hours it alerts at all times."""

    name: ZoneNameText
    shape: Shape
    hours: Annotated[list[ZoneHours], Field(max_length=14, default_factory=list)]


class ChangeZoneRequest(RequestBody):
    """Fields to change; omitted fields stay unchanged."""

    name: ZoneNameText | None = None
    shape: Shape | None = None
    hours: Annotated[list[ZoneHours], Field(max_length=14)] | None = None


class ZoneResponse(ResponseBody):
    """A safe zone, and the child's position relative to it."""

    zone_id: uuid.UUID
    name: str
    shape: Shape
    hours: list[ZoneHours]
    stand: Literal["unknown", "inside", "outside"]
    since_at: datetime | None = Field(description="time of the fix that caused the current state")
    created_at: datetime
    changed_at: datetime


class ZonesResponse(ResponseBody):
    """The child's safe zones, oldest first."""

    zones: list[ZoneResponse]
