"""HTTP body of the first screen."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.family.schemas.alerts import AlertResponse
from services.api.family.schemas.auth import WaitingLogIn
from services.api.family.schemas.families import ChildResponse, MeResponse, Rights
from services.api.family.schemas.messages import EndingRecordingsResponse, MessageResponse
from services.api.family.schemas.programme import Helpline, Notice, OpenHelp, ProgrammeEndResponse
from services.api.schema_base import ResponseBody


class HomeChild(Rights):
    """A child with what its card shows; no place, which has a route of its own that is logged."""

    child: ChildResponse
    location_on: bool
    watch_number: str | None = Field(
        description="number of the watch; null if unknown and without the right to message", examples=["+8613900139000"]
    )
    last_message: MessageResponse | None = Field(description="of the caller; null without the right to message")
    unread: int
    unplayed: int
    ending_recordings: EndingRecordingsResponse | None = Field(
        description="keep them all with `POST .../voice-messages/keep`; null: none ends within ten days"
    )
    alerts: list[AlertResponse] = Field(description="of the last day that nobody has acknowledged, newest first")
    checks: list[AlertResponse] = Field(
        description="of which the caller took care and is now asked: is the child all right? "
        "Answer with `POST .../all-right`"
    )
    help: list[OpenHelp]


class HomeFamily(ResponseBody):
    """A family of the caller, with what its country and site decide."""

    family_id: uuid.UUID
    country: str | None = Field(description="ISO 3166-1; null after the family has left its site", examples=["CN"])
    timezone: str | None = Field(examples=["Asia/Shanghai"])
    helpline: Helpline
    emergency_number: str = Field(description="number that brings help in the family's country", examples=["110"])
    map: Literal["amap", "geo"] = Field(description="which map application the phones of the country open")
    programme_end: ProgrammeEndResponse


class HomeResponse(ResponseBody):
    """Everything that the first screen shows, in one answer."""

    me: MeResponse
    families: list[HomeFamily]
    children: list[HomeChild]
    waiting_log_ins: list[WaitingLogIn]
    notice: Notice | None = Field(description="the newest notice of the office")
    busy_until: datetime | None
    pin_is_set: bool
    cursor: str = Field(description="of `GET /v1/sync` and `GET /v1/events`; events after it are not in this answer")
