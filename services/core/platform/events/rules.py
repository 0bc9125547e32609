"""Which events wake a phone, and how urgently. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.core.platform.outbox.rules import Urgency


def wakes_phones(kind: str, detail: Mapping[str, Any]) -> bool:
    """Return whether guardians are notified although none of their apps is open: for a child's message, an alert."""
    if kind == "message.created":
        return detail.get("direction") == "to_family"
    return kind == "alert.raised"


def urgency_of(kind: str, detail: Mapping[str, Any]) -> Urgency:
    """Return how urgent the notes of an event are."""
    return Urgency.SOS if kind == "alert.raised" and detail.get("kind") == "sos" else Urgency.NORMAL
