"""The log, erasures and contested rights over HTTP."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody


class AuditEntry(ResponseBody):
    """Who did or was refused what, and when. Names are known to the app by the guardians' ids; there are none here."""

    seq: int = Field(description="the place in the family's log, from 1 without gaps")
    at: datetime
    by: Literal["guardian", "staff", "watch", "operator", "system", "stranger"]
    guardian_id: uuid.UUID | None = Field(description="which guardian, where it was one")
    action: str = Field(description="a word of services/core/platform/audit/words.json, which screens translate")
    outcome: Literal["done", "refused"]
    reason: str = Field(description="the code of the refusal, else empty")
    subject_id: str = Field(description="the guardian, child, contact, message ... it was about, or empty")
    asked: str = Field(description="the route that was refused, without ids, else empty")
    times: int = Field(description="how many refusals, all alike, this entry stands for; else 1")


class AuditLogResponse(ResponseBody):
    """A page of the log, newest first."""

    entries: list[AuditEntry]
    next_before: int | None = Field(description="ask for `before` this for the next page; empty: there is none")


class AccessLogEntry(ResponseBody):
    """Somebody saw or asked where a child is or was, or heard a recording."""

    seq: int = Field(description="the place in the family's log")
    at: datetime
    what: Literal["place", "asked_the_watch", "recording"]
    by: Literal["guardian", "staff", "watch", "operator", "system"]
    guardian_id: uuid.UUID | None = Field(description="which guardian, where it was one; one who left is still named")
    message_id: uuid.UUID | None = Field(description="which recording, where it was one")


class AccessLogResponse(ResponseBody):
    """A page of looks, newest first."""

    looks: list[AccessLogEntry]
    next_before: int | None = Field(description="ask for `before` this for the next page; empty: there is none")


class ErasureResponse(ResponseBody):
    """An erasure. From the moment it is told of nothing of it opens any more."""

    erasure_id: uuid.UUID
    what: Literal["child", "family"]
    subject_id: uuid.UUID
    asked_at: datetime
    rows_gone_at: datetime | None = Field(description="when the last row was gone; recordings follow within the hour")
    watch_copy: Literal["none", "not_confirmed", "confirmed"] = Field(
        description="whether the watch has shown that it wiped its own copy; it is told whenever it asks"
    )


class ErasuresResponse(ResponseBody):
    """What was erased in this family, the newest first."""

    erasures: list[ErasureResponse]


class HideNumberRequest(RequestBody):
    """Whether the caller's own number is hidden from the watches and from other guardians."""

    hidden: bool


class NewContestRequest(RequestBody):
    """Which right of which guardian should not be."""

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
    """What is or was contested in this family, the newest first."""

    contests: list[ContestResponse]


class ExportResponse(ResponseBody):
    """A copy of the caller's data."""

    export_id: uuid.UUID
    state: Literal["waiting", "running", "ready", "expired", "failed"]
    percent: int = Field(ge=0, le=100)
    size_bytes: int = Field(description="of the file, once it is ready")
    asked_at: datetime
    expires_at: datetime | None = Field(description="when the file is deleted, once it is ready")
    watch_copy: Literal["none", "not_confirmed", "confirmed"] = Field(
        description="whether watches that were paired in this family and are no longer have shown that they are wiped"
    )


class ExportsResponse(ResponseBody):
    """The caller's own exports, the newest first."""

    exports: list[ExportResponse]


class ExportLinkResponse(ResponseBody):
    """An address that opens the file without a header, while the caller's session stands."""

    url: str
    expires_at: datetime
