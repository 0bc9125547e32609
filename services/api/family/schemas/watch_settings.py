"""HTTP bodies of watch settings and of guardians' availability."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.family.schemas.auth import Locale
from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import WrittenTime

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]
Interval = Annotated[int, Field(ge=60, le=86_400, examples=[1800])]


class QuietTime(RequestBody):
    """Messages arrive silently in this time; an SOS does not. Days: 1 is Monday; `ends` before `starts`: next day."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    starts: Clock
    ends: Clock


class WatchSettingsResponse(ResponseBody):
    """The configuration; `acked_version` is older than `version` until the watch acknowledges the change."""

    version: int
    acked_version: int | None = Field(description="version on the watch; null: no watch is paired")
    checkin_interval_s: int
    location: bool
    quiet: list[QuietTime]
    quiet_now: bool
    timezone: str
    utc_offset_s: int
    language: Literal["en", "zh-Hans", "vi", "tr"]
    volume_pct: int


class ChangeWatchSettingsRequest(RequestBody):
    """Fields to change; omitted fields stay unchanged. Location needs the caller's own consent to it."""

    checkin_interval_s: Interval | None = None
    location: bool | None = None
    quiet: Annotated[list[QuietTime], Field(max_length=20)] | None = None
    language: Locale | None = None
    volume_pct: Annotated[int, Field(ge=0, le=100)] | None = None


class AvailabilityRequest(RequestBody):
    """End of the caller's shift; null: not on shift."""

    busy_until: WrittenTime | None = Field(examples=["2026-03-02T18:00:00+08:00"])


class AvailabilityResponse(ResponseBody):
    """End of the caller's shift; null: not on shift."""

    busy_until: datetime | None
