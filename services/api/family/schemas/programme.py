"""What the programme tells guardians: notices, help, its end."""

import uuid
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class Notice(ResponseBody):
    """A word of the programme office; ``get_in_touch`` has no text."""

    notice_id: uuid.UUID
    family_id: uuid.UUID
    kind: Literal["news", "get_in_touch"]
    text: str
    created_at: datetime


class NoticesResponse(ResponseBody):
    """The newest first."""

    notices: list[Notice]


class AskForHelpRequest(RequestBody):
    """What the matter is; no words of one's own, so that nothing of the family gets to the office by accident."""

    kind: Literal["broken", "lost", "worried"]


class Helpline(ResponseBody):
    """A public number that listens to children."""

    number: str
    name: str


class HelpResponse(ResponseBody):
    """The call for help, what can be done at once, and whom else to call."""

    help_id: uuid.UUID
    kind: Literal["broken", "lost", "worried"]
    asked_at: datetime
    text: str
    helpline: Helpline


class ProgrammeEndResponse(ResponseBody):
    """When the programme ends for this family; all null while it runs on."""

    ends_on: date | None
    told_at: datetime | None
    erased_from: datetime | None = Field(description="from then on everything of the family is erased")
