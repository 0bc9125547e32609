"""Alerts and readiness over HTTP."""

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
    """One call for the guardians' attention; where it was is asked for elsewhere, with a right of its own."""

    alert_id: uuid.UUID
    child_id: uuid.UUID
    kind: AlertKind = Field(description="`unreadable`: the watch called, and its message could not be read")
    subject_id: uuid.UUID | None = Field(description="the zone, for zone_left and zone_entered")
    happened_at: datetime | None = Field(description="by the watch's own time, if it knew it")
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: uuid.UUID | None


class AlertsResponse(ResponseBody):
    """A page of alerts, the newest first."""

    alerts: list[AlertResponse]
    next_cursor: str | None


class SosFix(ResponseBody):
    """Where the watch was when the child called."""

    place: Place
    accuracy_m: float | None = Field(description="radius of the circle it lies in, if the watch knew it", examples=[18])
    source: str | None = Field(description="gps, wifi, cell, or a word of a later version", examples=["gps"])
    happened_at: datetime | None = Field(description="when the place was taken, if the watch knew the time")
    received_at: datetime


class SosPlaceResponse(ResponseBody):
    """The place in an SOS; ``seen`` is null where the watch sent none, or nobody had agreed to it."""

    alert_id: uuid.UUID
    seen: SosFix | None


class GuardianReach(ResponseBody):
    """How one guardian can be reached."""

    guardian_id: uuid.UUID
    live_session: bool
    push: bool
    phone_confirmed: bool
    reachable: bool


class ReadinessResponse(ResponseBody):
    """Whether a watch can be handed out: every guardian who is there can be reached."""

    ready: bool
    guardians: list[GuardianReach]
    invited: int = Field(description="invitations that nobody has accepted yet")
