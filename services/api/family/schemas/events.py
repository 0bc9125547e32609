"""HTTP bodies of events."""

import uuid
from datetime import datetime

from pydantic import Field

from services.api.schema_base import ResponseBody


class Event(ResponseBody):
    """An event; read the object itself by `ref_id`."""

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
    more: bool = Field(description="more events are available: request again at once")
    reset: list[uuid.UUID] = Field(
        description="families restored from a backup that lacks the cursor's event: reload their data"
    )
