"""Quiet times by weekday: when a watch does not ring. Pure.

The watch itself decides whether it rings, by its clock and the quiet times in `down/config`; messages arrive silently,
an SOS never waits. Here quiet times are validated, and `is_quiet` answers for guardians. Times are local: 08:00 to
16:30 means these times of the wall clock, also on the day on which the clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.core.devices.watches.errors import QuietTimesError

QUIET_TIMES_MAX: Final = 20
_WEEK: Final = frozenset(range(1, 8))
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class QuietTime:
    """Quiet from one time of the day to another, on these ISO days (1 Monday); ``ends`` before ``starts``: next day."""

    days: tuple[int, ...]
    starts: str
    ends: str

    def row(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"days": list(self.days), "from": self.starts, "to": self.ends}

    def covers(self, day: int, clock: str) -> bool:
        """Return whether this time of the day on this ISO day is quiet."""
        if self.starts < self.ends:
            return day in self.days and self.starts <= clock < self.ends
        return (day in self.days and clock >= self.starts) or (_day_before(day) in self.days and clock < self.ends)


def _day_before(day: int) -> int:
    return 7 if day == 1 else day - 1


def checked_quiet_times(given: Sequence[QuietTime]) -> list[QuietTime]:
    """Return the quiet times with their days in order; raises QuietTimesError."""
    if len(given) > QUIET_TIMES_MAX:
        raise QuietTimesError
    for period in given:
        has_days = bool(period.days) and set(period.days) <= _WEEK and len(set(period.days)) == len(period.days)
        clocks = _CLOCK.fullmatch(period.starts) and _CLOCK.fullmatch(period.ends)
        if not has_days or not clocks or period.starts == period.ends:
            raise QuietTimesError
    return [QuietTime(tuple(sorted(period.days)), period.starts, period.ends) for period in given]


def read_quiet_times(rows: Sequence[Mapping[str, Any]]) -> list[QuietTime]:
    """Return quiet times from their stored form."""
    return [QuietTime(tuple(row["days"]), row["from"], row["to"]) for row in rows]


def is_quiet(times: Sequence[QuietTime], timezone: str, at: datetime) -> bool:
    """Return whether the child's watch is silent at this moment, by the local time of its time zone."""
    local = at.astimezone(ZoneInfo(timezone))
    clock = f"{local:%H:%M}"
    return any(time.covers(local.isoweekday(), clock) for time in times)


def utc_offset_s(timezone: str, at: datetime) -> int:
    """Return how many seconds the time zone is ahead of UTC at this moment."""
    return int((at.astimezone(ZoneInfo(timezone)).utcoffset() or timedelta(0)).total_seconds())
