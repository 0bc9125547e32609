"""Which events are worth waking a phone for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def wakes_phones(kind: str, detail: Mapping[str, Any]) -> bool:
    """Tell whether guardians are woken although no app of theirs is open: a child's message, an alert."""
    if kind == "message.created":
        return detail.get("direction") == "to_family"
    return kind == "alert.raised"
