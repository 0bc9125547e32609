"""Which events send a push notification, and how urgently. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.core.platform.outbox.rules import Urgency


def wakes_phones(kind: str, detail: Mapping[str, Any]) -> bool:
    """Return whether guardians get a push notification.

    For what a child or a phone wants answered, each told step, and the end of the programme with its reminders.
    """
    if kind == "message.created":
        return detail.get("direction") == "to_family"
    if kind == "log_in.changed":
        return detail.get("state") == "waiting"
    # The first round of calls begins with the push note about the alert itself.
    if kind == "alert.calling":
        return bool(detail.get("round", 1) > 1)
    return kind in {"alert.raised", "alert.check_asked", "guardian.acted", "programme.ends"}


def urgency_of(kind: str, detail: Mapping[str, Any]) -> Urgency:
    """Return the urgency of the notifications of an event."""
    is_call = kind == "alert.raised" and detail.get("kind") in {"sos", "unreadable"}
    return Urgency.SOS if is_call or kind in {"alert.calling", "alert.check_asked"} else Urgency.NORMAL
