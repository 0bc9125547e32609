"""Schemas for usage metrics: published numbers of groups, never data of one family.

The exception is the list of silent families for a site's support staff: family code and watch health.
"""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.api.schema_base import RequestBody, ResponseBody
from services.core.measurement.exports.actions import FileKind, Recipient

Locale = Literal["en", "zh-Hans", "vi", "tr"]
# The format of DHIS2 identifiers.
Dhis2Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{10}$", examples=["fbfJHSPpUQD"])]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,30}$", examples=["active_use"])]


class UsageCell(ResponseBody):
    """One indicator of one week; a suppressed one has no numbers and does not state the reason."""

    indicator: str
    version: int
    suppressed: bool
    n: int | None = Field(description="families, rounded to 5")
    count: int | None = Field(description="families counted in a share of n, rounded to 5; null for other indicators")
    value: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    bound: Literal["at_most", "at_least"] | None = Field(
        description="the value stands for all below or above it; null: for itself"
    )


class UsageWeek(ResponseBody):
    """One published week, identified by its Monday. It never changes."""

    week: date
    cells: list[UsageCell]


class UsageResponse(ResponseBody):
    """A page of weeks, oldest first; ``next`` is the next page's ``first_week``."""

    programme_id: uuid.UUID
    site_id: uuid.UUID | None
    cohort_id: uuid.UUID | None
    least_families: int = Field(
        description="numbers over fewer families are suppressed, and numbers that would reveal those"
    )
    weeks: list[UsageWeek]
    next: date | None


class IndicatorText(ResponseBody):
    """An indicator in one language."""

    name: str
    definition: str


class Indicator(ResponseBody):
    """One version of a definition; a changed formula is a new version."""

    code: str
    version: int
    kind: Literal["share_of_families", "ratio", "quartiles", "median", "survival"]
    of_the_whole: bool = Field(description="published for the whole programme only, not for a site or cohort")
    words: dict[Locale, IndicatorText]


class IndicatorsResponse(ResponseBody):
    """Every indicator, in the order of reports. Usage is an output, not an impact."""

    indicators: list[Indicator]
    reading: dict[Locale, str]
    unit: dict[Locale, str]


class SilentFamily(ResponseBody):
    """A family whose watch has not been heard for 7 days: its code and the watch's health."""

    family_code: str
    serial: str
    states: list[str]
    battery_pct: int | None
    last_seen_at: datetime | None


class SilentFamiliesResponse(ResponseBody):
    """A page of families by code and serial; ``next`` is the next page's ``after``."""

    families: list[SilentFamily]
    next: str | None


class DeviceStatesResponse(ResponseBody):
    """The number of the site's watches in each state; a watch can be in several."""

    states: dict[str, int]


class Dhis2Mapping(RequestBody):
    """DHIS2 identifiers of indicators and of sites, cohorts or the programme; unmapped ones are left out."""

    data_elements: Annotated[dict[Code, Dhis2Id], Field(min_length=1, max_length=50)]
    org_units: Annotated[dict[uuid.UUID, Dhis2Id], Field(min_length=1, max_length=500)]
    dry_run: Annotated[bool, Field(description="DHIS2 validates the import without storing it")] = True


class NewUsageExportRequest(RequestBody):
    """An export of published numbers of a site or of a whole programme."""

    kind: Annotated[FileKind, Field(description="report: one HTML page for reading or printing")]
    audience: Annotated[Recipient, Field(description="the recipient; brand is external and receives fewer groups")]
    site_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    locale: Locale = "en"
    dhis2: Dhis2Mapping | None = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.site_id is None) is (self.programme_id is None):
            raise ValueError("name a site or a programme, and one alone")
        return self


class UsageExportResponse(ResponseBody):
    """The state of an export; it can be downloaded while ``state`` is ready, until ``expires_at``."""

    usage_export_id: uuid.UUID
    programme_id: uuid.UUID
    site_id: uuid.UUID | None
    kind: FileKind
    audience: Recipient
    locale: str
    state: Literal["waiting", "running", "ready", "expired", "failed"]
    percent: int
    size_bytes: int
    asked_at: datetime
    expires_at: datetime | None


class UsageExportsResponse(ResponseBody):
    """The caller's own exports, newest first."""

    exports: list[UsageExportResponse]
