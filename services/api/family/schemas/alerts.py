"""HTTP bodies of alerts and readiness."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.family.schemas.checkins import Place
from services.api.schema_base import ResponseBody

AlertKind = Literal[
    "sos", "sos_cancelled", "low_battery", "taken_off", "fall", "tamper", "factory_reset", "zone_left", "zone_entered",
    "silent", "unreadable",
]  # fmt: skip


class AlertResponse(ResponseBody):
    """An alert of a child, without its place, which has a route and a right of its own."""

    alert_id: uuid.UUID
    child_id: uuid.UUID
    kind: AlertKind = Field(description="`unreadable`: the watch sent an alert whose content could not be parsed")
    subject_id: uuid.UUID | None = Field(description="the zone, for zone_left and zone_entered")
    happened_at: datetime | None = Field(description="by the watch's clock; null if it was not set")
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: uuid.UUID | None


class AlertsResponse(ResponseBody):
    """A page of alerts, newest first."""

    alerts: list[AlertResponse]
    next_cursor: str | None


class SosFix(ResponseBody):
    """Position of the watch at the SOS."""

    place: Place
    accuracy_m: float | None = Field(description="radius of the circle of uncertainty; null if unknown", examples=[18])
    source: str | None = Field(description="gps, wifi, cell, or a word of a later version", examples=["gps"])
    happened_at: datetime | None = Field(description="time of the fix by the watch's clock; null if it was not set")
    received_at: datetime


class SosPlaceResponse(ResponseBody):
    """Place of an SOS; `seen` is null when the watch sent none, or no guardian had consented."""

    alert_id: uuid.UUID
    seen: SosFix | None


class GuardianReach(ResponseBody):
    """Channels over which one guardian can be reached."""

    guardian_id: uuid.UUID
    live_session: bool
    push: bool
    phone_confirmed: bool
    reachable: bool


class ReadinessResponse(ResponseBody):
    """`ready`: every guardian of the family can be reached, so a watch can be handed out."""

    ready: bool
    guardians: list[GuardianReach]
    invited: int = Field(description="number of open invitations")
