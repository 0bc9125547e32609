"""HTTP bodies of alerts and readiness."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.family.schemas.checkins import Place
from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import WrittenTime

CallState = Literal["calling", "seen", "unanswered"]
Answer = Literal["take_care", "cannot_help"]
AlertKind = Literal[
    "sos", "sos_cancelled", "low_battery", "taken_off", "fall", "tamper", "factory_reset", "zone_left", "zone_entered",
    "silent", "unreadable",
]  # fmt: skip


class AlertCall(ResponseBody):
    """A text message about an alert, to a guardian or to a contact who lives with the child."""

    round_no: int = Field(description="number of the round, from 1; it begins anew when calling is resumed")
    guardian_id: uuid.UUID | None
    contact_id: uuid.UUID | None
    called_at: datetime


class AlertAnswer(ResponseBody):
    """An answer of a guardian."""

    guardian_id: uuid.UUID | None
    answer: Answer
    tapped_at: datetime = Field(description="by the guardian's phone")
    answered_at: datetime = Field(description="when the answer arrived")


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
    state: CallState | None = Field(description="what the child's watch shows of its call; null for other kinds")
    calling_round: int = Field(description="rounds of calls so far; 0: none has begun")
    next_calls_at: datetime | None = Field(description="when the next step of calling is due; null: nobody is called")
    calls: list[AlertCall]
    answers: list[AlertAnswer]
    check_asked_at: datetime | None = Field(description="when it was asked whether the child is all right")
    all_right_at: datetime | None
    all_right_by: uuid.UUID | None
    emergency_number: str = Field(description="number that brings help in the family's country", examples=["110"])
    watch_number: str | None = Field(description="number of the watch; null if unknown", examples=["+8613900139000"])


class AcknowledgeRequest(RequestBody):
    """The answer to an alert."""

    answer: Answer = Field(
        default="take_care", description="`cannot_help`: seen, but the others are called all the same"
    )
    tapped_at: WrittenTime | None = Field(
        default=None,
        description="when it was tapped; null, before the alert or in the future: now. More than a minute ago: the "
        "child is not shown it as new",
    )


class AllRightRequest(RequestBody):
    """Whether the child is all right; `false`: guardians are called again."""

    all_right: bool


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
