"""HTTP bodies of conversation prompts and reminders."""

from datetime import date

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class Prompt(ResponseBody):
    """A conversation prompt: a question that a parent could ask."""

    starter: str = Field(examples=["sky"])
    ages: str = Field(examples=["5-7"])
    text: str


class PromptsResponse(ResponseBody):
    """The prompts of this week, in the guardian's language."""

    week_starts_on: date
    starters: list[Prompt]


class ReminderRequest(RequestBody):
    """Whether the guardian wants reminders after a day without messages."""

    wanted: bool


class ReminderResponse(ResponseBody):
    """The current setting."""

    wanted: bool
