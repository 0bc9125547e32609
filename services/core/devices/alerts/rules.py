"""Decisions about alerts: kinds, repeats, who is notified, escalation. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.core.devices.alerts.errors import AlertKindUnknownError
from services.core.devices.presence.battery_levels import LOW_PCT


class AlertKind(StrEnum):
    """Kinds of alert: those of the watch protocol (a test compares the words) and those that the backend raises."""

    SOS = "sos"
    SOS_CANCELLED = "sos_cancelled"
    LOW_BATTERY = "low_battery"
    TAKEN_OFF = "taken_off"
    FALL = "fall"
    TAMPER = "tamper"
    FACTORY_RESET = "factory_reset"
    # Raised by the backend.
    ZONE_LEFT = "zone_left"
    ZONE_ENTERED = "zone_entered"
    SILENT = "silent"
    # The watch called, and its message could not be read.
    UNREADABLE = "unreadable"


BACKEND_KINDS: Final = frozenset({AlertKind.ZONE_LEFT, AlertKind.ZONE_ENTERED, AlertKind.SILENT, AlertKind.UNREADABLE})
# Kinds that escalate by text message until a guardian acknowledges. An unreadable call may be an SOS.
ESCALATING_KINDS: Final = frozenset({AlertKind.SOS, AlertKind.UNREADABLE})
# Kinds that reveal where the child is or is not.
_PLACE_KINDS: Final = frozenset({AlertKind.ZONE_LEFT, AlertKind.ZONE_ENTERED})

# A second alert of the same kind and subject within the window counts as a repeat of the first. An SOS and its
# cancellation are never merged: each press is recorded.
_WINDOWS: Final = {
    AlertKind.SOS: timedelta(0),
    AlertKind.SOS_CANCELLED: timedelta(0),
    AlertKind.LOW_BATTERY: timedelta(hours=6),
    AlertKind.TAKEN_OFF: timedelta(minutes=10),
    AlertKind.FALL: timedelta(minutes=1),
    AlertKind.TAMPER: timedelta(minutes=10),
    AlertKind.FACTORY_RESET: timedelta(minutes=1),
    AlertKind.ZONE_LEFT: timedelta(minutes=2),
    AlertKind.ZONE_ENTERED: timedelta(minutes=2),
    # One per silence: the sweep compares with the time of the watch's last message.
    AlertKind.SILENT: timedelta(hours=24),
    # A faulty watch must not cause a text message a second; a child that presses again later raises a new alert.
    AlertKind.UNREADABLE: timedelta(minutes=1),
}

# Time from the answer to one press of the button until guardians are called about another one that has no answer.
NEXT_PRESS_AFTER: Final = timedelta(seconds=60)
# How long a watch is told what became of its call: at once, and again at each hello.
SEEN_NOTICE_PERIOD: Final = timedelta(hours=24)
# A child takes the watch off at night, so that only a silence of a whole day raises an alert.
SILENT_AFTER: Final = timedelta(hours=24)


def parse_alert_kind(word: str) -> AlertKind:
    """Return the kind that a word names; raises AlertKindUnknownError."""
    try:
        return AlertKind(word)
    except ValueError:
        raise AlertKindUnknownError from None


def window_of(kind: AlertKind) -> timedelta:
    """Return the time within which a second alert of the kind counts as a repeat; zero: never."""
    return _WINDOWS[kind]


def right_required(kind: AlertKind) -> str:
    """Return the right that a guardian needs to see alerts of the kind: ``locate`` for those that reveal a place."""
    return "locate" if kind in _PLACE_KINDS else "message"


def kinds_visible_with(rights: frozenset[str]) -> list[str]:
    """Return the kinds of alert that a guardian with these rights sees."""
    return [kind.value for kind in AlertKind if right_required(kind) in rights]


def is_escalated(kind: AlertKind) -> bool:
    """Return whether guardians are called about an alert of this kind until one answers."""
    return kind in ESCALATING_KINDS


def time_of_call(called_at: datetime, timezone: str, now: datetime) -> str:
    """Return when a watch called, as a text message says it: the child's wall clock, with the date of another day."""
    zone = ZoneInfo(timezone)
    at = called_at.astimezone(zone)
    return f"{at:%H:%M}" if at.date() == now.astimezone(zone).date() else f"{at:%Y-%m-%d %H:%M}"


def is_new_low_battery(before_pct: int | None, level_pct: int) -> bool:
    """Return whether a battery level raises an alert: it is low, and the level before was not."""
    return level_pct <= LOW_PCT and (before_pct is None or before_pct > LOW_PCT)
