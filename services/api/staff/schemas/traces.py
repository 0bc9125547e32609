"""Schemas of traces: what the backend saw of a watch, without content, places or addresses."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.staff.schemas.programme import Scan


class OpenTraceRequest(RequestBody):
    """The watch, by its label."""

    scan: Scan


class TraceResponse(ResponseBody):
    """A trace of a watch."""

    trace_id: uuid.UUID = Field(description="the trace, for reading it")
    serial: str
    opened_at: datetime
    closes_at: datetime = Field(description="24 hours after it was opened")


class TraceLine(ResponseBody):
    """One thing that the backend saw of the watch."""

    at: datetime
    identity: Literal["factory", "paired"] = Field(description="the identity under which the watch was connected")
    what: Literal["connected", "gone", "hello", "refused", "put_off"] = Field(
        description="`refused`: a message was answered `rejected`; `put_off`: answered `retry`"
    )
    detail: str = Field(
        description="gone: why; refused: the kind of message and the reason; put_off: the kind or the reason",
        examples=["location malformed"],
    )


class TraceLinesResponse(TraceResponse):
    """The newest 200 lines of the last 7 days, oldest first."""

    lines: list[TraceLine] = Field(description="what was seen, oldest first")
