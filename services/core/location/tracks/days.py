"""Days and hours as the child's place counts them; pure.

A day begins at local midnight and ends where the next one begins: it has 23 or 25 hours where clocks change, and none
where a date was skipped. Every instant lies in exactly one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Span:
    """From (included) to (excluded), aware UTC."""

    starts_at: datetime
    ends_at: datetime


def day_span(day: date, timezone: ZoneInfo) -> Span:
    """Return when a day begins and ends in a time zone."""
    return Span(_midnight(day, timezone), _midnight(day + timedelta(days=1), timezone))


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    # Of two midnights the first; of none (clocks jump over it) the moment of the jump: fold 0 is both.
    return datetime.combine(day, time.min, timezone).astimezone(UTC)


def local_day(instant: datetime, timezone: ZoneInfo) -> date:
    """Return the day an instant belongs to."""
    return instant.astimezone(timezone).date()


@dataclass(frozen=True)
class Hours:
    """Days of the week (1 is Monday) and hours on the wall clock; until before from reaches into the next morning."""

    days: frozenset[int]
    starts: time
    ends: time

    def hold(self, instant: datetime, timezone: ZoneInfo) -> bool:
        """Tell whether an instant lies in these hours; from equal to until is the whole day."""
        local = instant.astimezone(timezone)
        now, today = local.time(), local.isoweekday()
        if self.starts == self.ends:
            return today in self.days
        if self.starts < self.ends:
            return today in self.days and self.starts <= now < self.ends
        yesterday = (today - 2) % 7 + 1
        return (today in self.days and now >= self.starts) or (yesterday in self.days and now < self.ends)


def any_hold(hours: Iterable[Hours], instant: datetime, timezone: ZoneInfo) -> bool:
    """Tell whether an instant lies in any of these hours; without any hours it always does."""
    listed = list(hours)
    return not listed or any(one.hold(instant, timezone) for one in listed)
