"""The audit log over HTTP."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.api.schemas.base import Told


class AuditEntry(Told):
    """Who did or was refused what, and when. Names are known to the app by the guardians' ids; there are none here."""

    seq: int = Field(description="the place in the family's log, from 1 without gaps")
    at: datetime
    by: Literal["guardian", "staff", "watch", "operator", "system"]
    guardian_id: uuid.UUID | None = Field(description="which guardian, where it was one")
    action: str = Field(description="a word of services/core/audit/words.json, which screens translate")
    outcome: Literal["done", "refused"]
    reason: str = Field(description="the code of the refusal, else empty")
    subject_id: str = Field(description="the guardian, child, contact, message ... it was about, or empty")


class AuditPage(Told):
    """A page of the log, newest first."""

    entries: list[AuditEntry]
    next_before: int | None = Field(description="ask for `before` this for the next page; empty: there is none")
