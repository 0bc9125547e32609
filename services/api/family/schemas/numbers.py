"""HTTP bodies of a guardian's change of number."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import SECRET_PATTERN, Country, Phone, TypedCode


class NewNumberRequest(RequestBody):
    """The number to which a code is sent."""

    phone: Phone
    country: Country | None = None


class NumberChangeRequest(NewNumberRequest):
    """The code that came to the new number, with its challenge."""

    challenge_id: uuid.UUID
    challenge_secret: Annotated[str, Field(min_length=1, max_length=100, pattern=SECRET_PATTERN)]
    code: Annotated[str, TypedCode, Field(min_length=1, max_length=12, examples=["482913"])]


class NumberChange(ResponseBody):
    """A change of a guardian's number; until `due_at` the account keeps the old one."""

    change_id: uuid.UUID = Field(description="in `ref_id` of the event `number_change.changed`")
    guardian_id: uuid.UUID = Field(description="whose number changes")
    state: Literal["waiting", "done", "contested", "withdrawn", "failed"] = Field(
        description="contested: stopped from another session than the one that asked; failed: the number has an account"
    )
    asked_at: datetime = Field(description="when it was asked for")
    due_at: datetime = Field(description="when the account moves, unless it is stopped before")


class NumberChangesResponse(ResponseBody):
    """Changes that wait, oldest first."""

    changes: list[NumberChange] = Field(description="changes that wait")
