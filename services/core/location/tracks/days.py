"""Days and hours in the child's time zone. Pure.

A day begins at local midnight and ends where the next day begins: it has 23 or 25 hours when clocks change, and zero
when a date is skipped. Every instant belongs to exactly one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Span:
    """From (inclusive) to (exclusive), aware UTC."""

    starts_at: datetime
    ends_at: datetime


def day_span(day: date, timezone: ZoneInfo) -> Span:
    """Return the start and end of a day in a time zone."""
    return Span(_midnight(day, timezone), _midnight(day + timedelta(days=1), timezone))


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    # Of two midnights, the first; with none (clocks jump over it), the moment of the jump. fold=0 covers both.
    return datetime.combine(day, time.min, timezone).astimezone(UTC)


def local_day(instant: datetime, timezone: ZoneInfo) -> date:
    """Return the local date of an instant."""
    return instant.astimezone(timezone).date()


@dataclass(frozen=True)
class Hours:
    """Days of the week (1 is Monday) and local hours; ``until`` before ``from`` extends into the next morning."""

    days: frozenset[int]
    starts: time
    ends: time

    def hold(self, instant: datetime, timezone: ZoneInfo) -> bool:
        """Return whether an instant lies within these hours; equal bounds mean the whole day."""
        local = instant.astimezone(timezone)
        now, today = local.time(), local.isoweekday()
        if self.starts == self.ends:
            return today in self.days
        if self.starts < self.ends:
            return today in self.days and self.starts <= now < self.ends
        yesterday = (today - 2) % 7 + 1
        return (today in self.days and now >= self.starts) or (yesterday in self.days and now < self.ends)


def any_hold(hours: Iterable[Hours], instant: datetime, timezone: ZoneInfo) -> bool:
    """Return whether an instant lies within any of these hours; an empty list includes every instant."""
    listed = list(hours)
    return not listed or any(hours.hold(instant, timezone) for hours in listed)
