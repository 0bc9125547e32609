"""Which events send a push notification, and how urgently. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.core.platform.outbox.rules import Urgency


def wakes_phones(kind: str, detail: Mapping[str, Any]) -> bool:
    """Return whether guardians get a push notification: for a child's message and for an alert."""
    if kind == "message.created":
        return detail.get("direction") == "to_family"
    return kind == "alert.raised"


def urgency_of(kind: str, detail: Mapping[str, Any]) -> Urgency:
    """Return the urgency of the notifications of an event."""
    return Urgency.SOS if kind == "alert.raised" and detail.get("kind") == "sos" else Urgency.NORMAL
