"""Commands to a child's watch over HTTP."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class NewCommandRequest(RequestBody):
    """What the watch is to do. There is nothing that listens, calls unasked or uses a camera."""

    kind: Literal["locate", "ring", "restart", "lost", "found"]


class CommandResponse(ResponseBody):
    """A command and how far it has come; ``delivered`` and what follows are the watch's own words."""

    command_id: uuid.UUID
    child_id: uuid.UUID
    kind: Literal["locate", "ring", "restart", "lost", "found"]
    state: Literal["waiting", "sent", "delivered", "done", "failed", "expired"]
    detail: str | None = Field(description="why the watch could not", examples=["no_fix"])
    asked_by: uuid.UUID | None = Field(description="the guardian; empty: their account is gone")
    asked_at: datetime
    expires_at: datetime = Field(description="never carried out after this")
    changed_at: datetime


class CommandsResponse(ResponseBody):
    """What the child's watches were told to do, the newest first."""

    commands: list[CommandResponse]
