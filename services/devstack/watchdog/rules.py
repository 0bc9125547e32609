"""When the watchdog notifies: each kind of trouble at most once an hour, and on Mondays that all is well. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

REPEAT_AFTER: Final = timedelta(hours=1)
NOT_READY_AFTER: Final = timedelta(minutes=5)
BALANCE_EVERY: Final = timedelta(minutes=15)
# Not in the night of the sites that we know: 06:00 UTC is 14:00 in China and 09:00 in Turkey.
MONDAY_HOUR_UTC: Final = 6
_MONDAY: Final = 0


class Trouble(StrEnum):
    """The kinds of trouble; never renamed, since the state of the last run names them."""

    NOT_READY = "not_ready"
    BACKUP_OLD = "backup_old"
    BACKUP_UNVERIFIED = "backup_unverified"
    CERTIFICATE = "certificate"
    DISK = "disk"
    SMS_FAILING = "sms_failing"
    BALANCE = "balance"
    SOS_UNSENT = "sos_unsent"


# The most urgent line is sent first: an SOS that reached nobody concerns a child now.
ORDER: Final = (
    Trouble.SOS_UNSENT, Trouble.NOT_READY, Trouble.SMS_FAILING, Trouble.DISK, Trouble.BALANCE, Trouble.CERTIFICATE,
    Trouble.BACKUP_OLD, Trouble.BACKUP_UNVERIFIED,
)  # fmt: skip
# At most 35 characters, which is what a parameter of an approved template may have.
BRIEFS: Final[Mapping[Trouble | None, str]] = {
    Trouble.SOS_UNSENT: "SOS text not sent",
    Trouble.NOT_READY: "a process is not ready",
    Trouble.SMS_FAILING: "texts are failing",
    Trouble.DISK: "disk nearly full",
    Trouble.BALANCE: "SMS balance low",
    Trouble.CERTIFICATE: "certificate expires soon",
    Trouble.BACKUP_OLD: "backup too old",
    Trouble.BACKUP_UNVERIFIED: "backup not verified",
    None: "all is well",
}


@dataclass(frozen=True)
class Seen:
    """State of earlier runs: since when each kind lasts, when it was sent, the last Monday that was reported."""

    since: Mapping[Trouble, datetime] = field(default_factory=dict)
    told_at: Mapping[Trouble, datetime] = field(default_factory=dict)
    well_on: str = ""
    # Providers are asked for their balance less often than the timer runs.
    balance_asked_at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One line to send; ``trouble`` None: all is well."""

    trouble: Trouble | None
    text: str


def due_lines(troubles: Mapping[Trouble, str], seen: Seen, now: datetime) -> tuple[list[Line], Seen]:
    """Return the lines that are due, the most urgent first, and what was seen with this run.

    The lines count as sent only after :func:`note_sent`: one that reached nobody is due again at the next run.
    """
    since = {trouble: seen.since.get(trouble, now) for trouble in troubles}
    seen = replace(seen, since=since)
    lines = [
        Line(trouble, troubles[trouble])
        for trouble in ORDER
        if trouble in troubles and _lasts(trouble, since[trouble], now) and _is_untold(seen.told_at.get(trouble), now)
    ]
    is_monday = now.weekday() == _MONDAY and now.hour >= MONDAY_HOUR_UTC
    if not troubles and is_monday and seen.well_on != now.date().isoformat():
        lines.append(Line(None, "all is well"))
    return lines, seen


def is_balance_due(seen: Seen, now: datetime) -> bool:
    """Return whether the providers are asked for their balance in this run."""
    asked_at = seen.balance_asked_at
    return asked_at is None or now - asked_at >= BALANCE_EVERY or asked_at > now


def note_sent(seen: Seen, lines: Sequence[Line], now: datetime) -> Seen:
    """Return what is known once these lines are sent."""
    told_at = dict(seen.told_at) | {line.trouble: now for line in lines if line.trouble is not None}
    is_well = any(line.trouble is None for line in lines)
    return replace(seen, told_at=told_at, well_on=now.date().isoformat() if is_well else seen.well_on)


def _lasts(trouble: Trouble, since: datetime, now: datetime) -> bool:
    return trouble is not Trouble.NOT_READY or now - since >= NOT_READY_AFTER


def _is_untold(told_at: datetime | None, now: datetime) -> bool:
    # A clock that was set back must not silence the watchdog.
    return told_at is None or now - told_at >= REPEAT_AFTER or told_at > now
