"""HTTP bodies of the logs, erasures, contested rights and exports."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class AuditEntry(ResponseBody):
    """An action or refusal in the audit log: ids only; the app knows the names of the guardians."""

    seq: int = Field(description="position in the family's log, from 1 without gaps")
    at: datetime
    by: Literal["guardian", "staff", "watch", "operator", "system", "stranger"]
    guardian_id: uuid.UUID | None = Field(description="the acting guardian; null for other actors")
    action: str = Field(description="a word of services/core/platform/audit/words.json; apps translate it")
    outcome: Literal["done", "refused"]
    reason: str = Field(description="error code of a refusal, else empty")
    subject_id: str = Field(description="id of the guardian, child, contact, message ... concerned, or empty")
    asked: str = Field(description="refused route without ids, else empty")
    times: int = Field(description="number of equal refusals that this entry stands for, else 1")


class AuditLogResponse(ResponseBody):
    """A page of the audit log, newest first."""

    entries: list[AuditEntry]
    next_before: int | None = Field(description="value of `before` for the next page; null: last page")


class AccessLogEntry(ResponseBody):
    """An access to a child's place or to a recording."""

    seq: int = Field(description="position in the family's log")
    at: datetime
    what: Literal["place", "asked_the_watch", "recording"]
    by: Literal["guardian", "staff", "watch", "operator", "system"]
    guardian_id: uuid.UUID | None = Field(
        description="the acting guardian, also after leaving the family; null for other actors"
    )
    message_id: uuid.UUID | None = Field(description="the message of the recording; null for other accesses")


class AccessLogResponse(ResponseBody):
    """A page of the access log, newest first."""

    looks: list[AccessLogEntry]
    next_before: int | None = Field(description="value of `before` for the next page; null: last page")


class ErasureResponse(ResponseBody):
    """An erasure. Its data is unreadable from the time of the response."""

    erasure_id: uuid.UUID
    what: Literal["child", "family"]
    subject_id: uuid.UUID
    asked_at: datetime
    rows_gone_at: datetime | None = Field(
        description="time at which the last row was deleted; recordings follow within the hour"
    )
    watch_copy: Literal["none", "not_confirmed", "confirmed"] = Field(
        description="whether the watch has confirmed the wipe of its copy; the order is repeated until then"
    )


class ErasuresResponse(ResponseBody):
    """The family's erasures, newest first."""

    erasures: list[ErasureResponse]


class HideNumberRequest(RequestBody):
    """Whether the caller's own number is hidden from the watches and from other guardians."""

    hidden: bool


class NewContestRequest(RequestBody):
    """The contested right, and the guardian who has it."""

    guardian_id: uuid.UUID
    right: Literal["message", "locate", "manage"]


class ContestResponse(ResponseBody):
    """A contested right."""

    contest_id: uuid.UUID
    raised_by: uuid.UUID
    about_id: uuid.UUID
    right: Literal["message", "locate", "manage"]
    state: Literal["open", "withdrawn", "upheld", "dismissed"]
    raised_at: datetime
    ended_at: datetime | None


class ContestsResponse(ResponseBody):
    """The family's contests, open and ended, newest first."""

    contests: list[ContestResponse]


class ExportResponse(ResponseBody):
    """A copy of the caller's data."""

    export_id: uuid.UUID
    state: Literal["waiting", "running", "ready", "expired", "failed"]
    percent: int = Field(ge=0, le=100)
    size_bytes: int = Field(description="size of the file once ready")
    asked_at: datetime
    expires_at: datetime | None = Field(description="time of the file's deletion; null until ready")
    watch_copy: Literal["none", "not_confirmed", "confirmed"] = Field(
        description="whether watches formerly paired in this family have confirmed their wipe"
    )


class ExportsResponse(ResponseBody):
    """The caller's own exports, newest first."""

    exports: list[ExportResponse]
    places_with: list[uuid.UUID] = Field(
        description="guardians whose own copies hold a child's places, which this guardian's copy does not"
    )
    places_offered: bool = Field(
        description="only copies such as this guardian's hold a child's places: the first guardian may not see them"
    )


class ExportLinkResponse(ResponseBody):
    """A link that opens the file without headers while the caller's session is valid."""

    url: str
    expires_at: datetime
