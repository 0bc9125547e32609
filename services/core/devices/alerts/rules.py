"""Decisions about alerts: which kinds there are, when two are one, who is told, when nobody has answered. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.core.devices.alerts.errors import AlertKindUnknownError
from services.core.devices.presence.battery_levels import LOW_PCT


class AlertKind(StrEnum):
    """What can be raised: the watch's own kinds (the wire's words; a test holds them equal) and the backend's."""

    SOS = "sos"
    SOS_CANCELLED = "sos_cancelled"
    LOW_BATTERY = "low_battery"
    TAKEN_OFF = "taken_off"
    FALL = "fall"
    TAMPER = "tamper"
    FACTORY_RESET = "factory_reset"
    # Raised by the backend itself.
    ZONE_LEFT = "zone_left"
    ZONE_ENTERED = "zone_entered"
    SILENT = "silent"
    # The watch called, and its message could not be read.
    UNREADABLE = "unreadable"


BACKEND_KINDS: Final = frozenset({AlertKind.ZONE_LEFT, AlertKind.ZONE_ENTERED, AlertKind.SILENT, AlertKind.UNREADABLE})
# Nobody acknowledges it: guardians get text messages. An unreadable call may be an SOS.
ESCALATING_KINDS: Final = frozenset({AlertKind.SOS, AlertKind.UNREADABLE})
# They say where the child is, or is not.
_PLACE_KINDS: Final = frozenset({AlertKind.ZONE_LEFT, AlertKind.ZONE_ENTERED})

# A second one of the same kind (and subject) within the window is the first one again. A cry for help and what takes
# it back are never merged: each press is kept.
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
    # One a silence: the sweep asks whether the watch was heard since.
    AlertKind.SILENT: timedelta(hours=24),
    # A watch that sends nonsense must not send a text message a second; a child that presses again is heard again.
    AlertKind.UNREADABLE: timedelta(minutes=1),
}

# An SOS that nobody has acknowledged for so long goes to the first guardian as a text message, then to the next.
ESCALATE_AFTER: Final = timedelta(seconds=60)
# A watch is told who saw its alert for so long: at once, and again at each hello.
SEEN_NOTICE_PERIOD: Final = timedelta(hours=24)
# A child takes the watch off at night: a silence is worth an alert when it has lasted for a day.
SILENT_AFTER: Final = timedelta(hours=24)


def parse_alert_kind(word: str) -> AlertKind:
    """Return the kind; raises AlertKindUnknownError."""
    try:
        return AlertKind(word)
    except ValueError:
        raise AlertKindUnknownError from None


def window_of(kind: AlertKind) -> timedelta:
    """Return within which time a second alert of the kind is the first one again; zero: never."""
    return _WINDOWS[kind]


def right_required(kind: AlertKind) -> str:
    """Return the right a guardian needs to be told of it, as a word: who may not locate learns of no zone."""
    return "locate" if kind in _PLACE_KINDS else "message"


def kinds_visible_with(rights: frozenset[str]) -> list[str]:
    """Return the kinds of alert that a guardian with these rights is told."""
    return [kind.value for kind in AlertKind if right_required(kind) in rights]


def first_escalation_at(kind: AlertKind, raised_at: datetime, *, another_is_escalating: bool) -> datetime | None:
    """Return when the first text message goes out, or None: of ESCALATING_KINDS, one round of calls a child at a time.

    A child that presses again is not a reason to send every guardian another message; when the first SOS is
    acknowledged and the second is not, the second gets its own round.
    """
    if kind not in ESCALATING_KINDS or another_is_escalating:
        return None
    return raised_at + ESCALATE_AFTER


def next_guardian_to_call(guardians: Sequence[str], called: Collection[str]) -> str | None:
    """Return the first guardian in order who was not called yet, or None: everyone was."""
    return next((one for one in guardians if one not in called), None)


def next_escalation_at(guardians: Sequence[str], called: Collection[str], now: datetime) -> datetime | None:
    """Return when the next guardian is called, or None when nobody is left."""
    return None if next_guardian_to_call(guardians, called) is None else now + ESCALATE_AFTER


def is_new_low_battery(before_pct: int | None, level_pct: int) -> bool:
    """Tell whether a battery level calls the guardians: it is low, and was not told to be so before."""
    return level_pct <= LOW_PCT and (before_pct is None or before_pct > LOW_PCT)
