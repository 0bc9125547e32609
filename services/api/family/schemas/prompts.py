"""Prompts for a talk over HTTP."""

from datetime import date

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class Prompt(ResponseBody):
    """What a parent could ask."""

    starter: str = Field(examples=["sky"])
    ages: str = Field(examples=["5-7"])
    text: str


class PromptsResponse(ResponseBody):
    """Prompts of this week, in the guardian's language."""

    week_starts_on: date
    starters: list[Prompt]


class ReminderRequest(RequestBody):
    """Whether the guardian wants to be reminded after a silent day."""

    wanted: bool


class ReminderResponse(ResponseBody):
    """The setting as it is."""

    wanted: bool
