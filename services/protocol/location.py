"""`up/location`: objects of OwnTracks with additional fields.

Units inside OwnTracks objects are OwnTracks' own (acc, alt, vac in metres, vel in km/h, cog in degrees, batt in %):
https://owntracks.org/booklet/tech/json/
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from services.protocol import limits
from services.protocol.fields import (
    ADVISORY,
    AdvisoryDbm,
    AdvisoryPercent,
    Count,
    Dated,
    Label,
    Lenient,
    LenientEntries,
    OpenWord,
    Ref,
    WatchId,
    WireMessage,
    refuse,
)
from services.protocol.words import Detail, LocationSource

# OwnTracks apps send -1 and -100 for unknown values, which must not cost the fix.
Metres = Annotated[Annotated[float, Field(ge=0, le=100_000_000)] | None, Lenient, ADVISORY]
Altitude = Annotated[Annotated[float, Field(ge=-100_000, le=100_000_000)] | None, Lenient, ADVISORY]
SpeedKmh = Annotated[Annotated[float, Field(ge=0, le=100_000)] | None, Lenient, ADVISORY]
CourseDegrees = Annotated[Annotated[float, Field(ge=0, le=360)] | None, Lenient, ADVISORY]
ShortText = Annotated[Label | None, Lenient, ADVISORY]


class WifiSeen(WireMessage):
    bssid: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){5}$", repr=False)]
    rssi: AdvisoryDbm = None


class CellSeen(WireMessage):
    mcc: Annotated[int, Field(ge=0, le=999)]
    mnc: Annotated[int, Field(ge=0, le=999)]
    lac: Count
    cid: Annotated[int, Field(ge=0, le=2**36 - 1)]  # NR cell identities have 36 bits
    rssi: AdvisoryDbm = None


class Place(Dated):
    """A position and its accuracy. `tst` is the time of the fix."""

    lat: Annotated[float, Field(ge=-90, le=90)] = Field(repr=False)
    lon: Annotated[float, Field(ge=-180, le=180)] = Field(repr=False)
    acc: Metres = None
    alt: Altitude = None
    vac: Metres = None
    vel: SpeedKmh = None
    cog: CourseDegrees = None
    batt: AdvisoryPercent = None
    source: Annotated[Annotated[LocationSource | str, OpenWord(LocationSource)] | None, Lenient, ADVISORY] = None
    # A default that is a list would be copied by Python for each fix: a third of what reading one costs.
    wifi: Annotated[list[WifiSeen], Field(max_length=limits.ARRAY_MAX_ITEMS), LenientEntries] = Field(
        default_factory=list, repr=False, json_schema_extra={"x-advisory": True, "default": []}
    )
    cells: Annotated[list[CellSeen], Field(max_length=limits.ARRAY_MAX_ITEMS), LenientEntries] = Field(
        default_factory=list, repr=False, json_schema_extra={"x-advisory": True, "default": []}
    )


class Location(Place):
    """One fix. With an `id` it gets a receipt; without one (the OwnTracks app) it is stored once per instant.

    `reply_to` names the `locate` command it answers.
    """

    wire_kind: ClassVar[str] = "location"

    type: Literal["location"] = Field(alias="_type", default="location")
    id: WatchId | None = None
    reply_to: Ref | None = None
    tid: ShortText = None
    t: ShortText = None


class OwnTracksOther(WireMessage):
    """Other objects of the OwnTracks app (lwt, transition, waypoint ...): accepted and discarded."""

    type: Annotated[str, Field(alias="_type", pattern=r"^[a-z]{1,32}$")]

    @model_validator(mode="before")
    @classmethod
    def _not_a_location(cls, given: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(given, dict) and given.get("_type") == "location":
            raise refuse(Detail.MALFORMED, "a location is read as Location")
        return given
