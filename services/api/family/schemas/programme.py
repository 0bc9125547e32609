"""HTTP bodies of notices, help requests and the end of the programme."""

import uuid
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class Notice(ResponseBody):
    """A notice of the programme office; the text of `get_in_touch` is empty."""

    notice_id: uuid.UUID
    family_id: uuid.UUID
    kind: Literal["news", "get_in_touch"]
    text: str
    created_at: datetime


class NoticesResponse(ResponseBody):
    """Notices, newest first."""

    notices: list[Notice]


class AskForHelpRequest(RequestBody):
    """The kind of problem; free text is excluded, so that no family data reaches the office by accident."""

    kind: Literal["broken", "lost", "worried"]


class Helpline(ResponseBody):
    """A public helpline for children."""

    number: str
    name: str


class HelpResponse(ResponseBody):
    """The request for help, first advice, and a helpline to call."""

    help_id: uuid.UUID
    kind: Literal["broken", "lost", "worried"]
    asked_at: datetime
    text: str
    helpline: Helpline


class OpenHelp(ResponseBody):
    """A request for help that the office has not closed yet."""

    help_id: uuid.UUID
    kind: Literal["broken", "lost", "worried"]
    asked_at: datetime


class OpenHelpResponse(ResponseBody):
    """The open requests for help of a child, oldest first, and a helpline to call."""

    open: list[OpenHelp]
    helpline: Helpline


class ProgrammeEndResponse(ResponseBody):
    """The end of the programme for this family; all fields are null until it is announced."""

    ends_on: date | None
    told_at: datetime | None
    erased_from: datetime | None = Field(description="from this time on all data of the family is erased")
