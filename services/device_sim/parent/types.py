"""Types of the simulated parent beside the API's own records, which are in records.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.device_sim.parent.records import Family, Message


class ProblemError(Exception):
    """The backend refused (RFC 9457): a stable ``code``, a sentence ``detail``, and further ``fields``."""

    def __init__(self, code: str, status: int, detail: str, fields: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} ({status}): {detail}")
        self.code = code
        self.status = status
        self.detail = detail
        self.fields = fields or {}


class ServerAwayError(Exception):
    """The backend was not reached or failed; the request may or may not have arrived."""


@dataclass(frozen=True)
class StoredSession:
    """The part of a session that the phone keeps."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    guardian_id: str


@dataclass(frozen=True)
class FamilyEvent:
    """An event in one of the parent's families; ``cursor`` is the position after it."""

    kind: str
    cursor: str
    family_id: str | None = None
    child_id: str | None = None
    ref_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """A message in the parent's own outbox, without a 201 so far; ``media_type`` only of a recording."""

    key: str
    child_id: str
    body: dict[str, str]
    media_type: str | None = None
    in_parts: bool = False


def has_consent(family: Family, part: str = "messages") -> bool:
    """Return whether the parent's consent to this part is in force."""
    return any(consent.part == part and consent.withdrawn_at is None for consent in family.consents)


def state_at_child(message: Message) -> str | None:
    """Return the state of a message at the child; None for the child's own messages."""
    return next((recipient.state for recipient in message.recipients if recipient.kind == "child"), None)
