"""HTTP bodies of commands to a child's watch."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class NewCommandRequest(RequestBody):
    """A command. No command makes the watch listen, start a call or use a camera."""

    kind: Literal["locate", "ring", "restart", "lost", "found"]


class CommandResponse(ResponseBody):
    """A command and its state; `delivered` and later states are reported by the watch."""

    command_id: uuid.UUID
    child_id: uuid.UUID
    kind: Literal["locate", "ring", "restart", "lost", "found"]
    state: Literal["waiting", "sent", "delivered", "done", "failed", "expired"]
    detail: str | None = Field(description="reason of a failure", examples=["no_fix"])
    asked_by: uuid.UUID | None = Field(description="the guardian; null: the account was deleted")
    asked_at: datetime
    expires_at: datetime = Field(description="the watch never executes it after this time")
    changed_at: datetime


class CommandsResponse(ResponseBody):
    """Commands to the child's watches, newest first."""

    commands: list[CommandResponse]
