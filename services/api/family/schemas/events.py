"""Events over HTTP."""

import uuid
from datetime import datetime

from pydantic import Field

from services.api.schema_base import ResponseBody


class Event(ResponseBody):
    """Something happened; read the thing itself where ``ref_id`` says."""

    family_id: uuid.UUID
    seq: int
    kind: str = Field(examples=["message.created"])
    child_id: uuid.UUID | None
    ref_id: uuid.UUID | None
    detail: dict[str, str | int | bool]
    created_at: datetime


class EventsResponse(ResponseBody):
    """Events after a cursor, and the cursor after them."""

    events: list[Event]
    cursor: str
    more: bool = Field(description="ask again at once")
    reset: list[uuid.UUID] = Field(
        description="families restored from a backup, which no longer hold what the cursor was of: read them anew"
    )
