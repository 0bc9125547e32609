"""Which day a moment belongs to, and how long a message waited. Pure: from moments to the numbers of a day."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

# Events later than this after a message do not change the numbers of its day.
LOOK_AHEAD: Final = timedelta(days=7)
ANSWER_CENSORED_S: Final = 72 * 3600
_AT_ONCE: Final = timedelta(minutes=5)
_NEXT_DAY: Final = timedelta(hours=24)
# A longer report cannot tell in which of its hours the watch was heard.
_HOURS_TOLD_BY_REPORT: Final = timedelta(hours=24)


@dataclass(frozen=True)
class RecordedMessage:
    """One message: when it was recorded, when it first arrived and when it was first played (None: unknown)."""

    child_id: Any
    to_child: bool
    spoken_at: datetime
    delivered_at: datetime | None = None
    played_at: datetime | None = None
    voice_ms: int = 0


@dataclass(frozen=True)
class Period:
    """The counters of one report of a watch, between two moments."""

    started_at: datetime
    ended_at: datetime
    offline_s: int = 0
    reboots: int = 0
    battery_min_pct: int | None = None
    signal_min_dbm: int | None = None
    worn_s: int = 0
    calls: int = 0
    call_s: int = 0


@dataclass(frozen=True)
class Quiet:
    """Quiet times of a child's watch from a moment on; ``times`` as the watch is configured."""

    since_at: datetime
    times: Sequence[Mapping[str, Any]]
    zone: ZoneInfo


@dataclass
class DayOfFamily:
    """The numbers of one family on one day; the fields of the table FamilyDay."""

    to_child: int = 0
    to_family: int = 0
    voice_s: int = 0
    delivered: int = 0
    delivered_5_min: int = 0
    delivered_24_h: int = 0
    played_7_d: int = 0
    calls: int = 0
    call_s: int = 0
    worn_s: int = 0
    # Reminders of guardians after a silent day, and those that a message to the child followed.
    reminders: int = 0
    reminders_followed: int = 0
    # Voice messages, both ways.
    recordings: int = 0
    child_waits: list[tuple[int, bool]] = field(default_factory=list)
    parent_waits: list[tuple[int, bool]] = field(default_factory=list)


@dataclass
class DayOfWatch:
    """The health of one watch on one day; the fields of the table WatchDay."""

    hours: int = 0
    reboots: int = 0
    battery_min_pct: int | None = None
    signal_min_dbm: int | None = None
    offline_s: int = 0


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day of a moment in a time zone."""
    return moment.astimezone(zone).date()


def days_of_family(
    spoken: Sequence[RecordedMessage],
    periods: Iterable[Period],
    quiet: Mapping[Any, Sequence[Quiet]],
    zone: ZoneInfo,
    reminders: Iterable[tuple[datetime, bool]] = (),
) -> dict[date, DayOfFamily]:
    """Return the numbers of each day that has a message, a report, a sign of life or a reminder.

    A message belongs to the day on which it was recorded; its delivery, playing and answer are followed for 7 days and
    count for that day. A report belongs to the day in which it began. Reminders: when, and whether a message followed.
    """
    days: dict[date, DayOfFamily] = {}
    # Sorted once for each child: otherwise a year of messages is searched for each message.
    words: dict[tuple[Any, bool], list[datetime]] = defaultdict(list)
    for message in sorted(spoken, key=lambda item: item.spoken_at):
        words[message.child_id, message.to_child].append(message.spoken_at)
    for message in spoken:
        day = days.setdefault(local_day(message.spoken_at, zone), DayOfFamily())
        if message.to_child:
            day.to_child += 1
        else:
            day.to_family += 1
        day.voice_s += round(message.voice_ms / 1000)
        day.recordings += message.voice_ms > 0
        if message.delivered_at is None or message.delivered_at - message.spoken_at >= LOOK_AHEAD:
            continue
        took = message.delivered_at - message.spoken_at
        day.delivered += 1
        day.delivered_5_min += took <= _AT_ONCE
        day.delivered_24_h += took <= _NEXT_DAY
        day.played_7_d += message.played_at is not None and message.played_at - message.spoken_at <= LOOK_AHEAD
        wait = _wait(message, words[message.child_id, not message.to_child], quiet.get(message.child_id, ()))
        (day.parent_waits if message.to_child else day.child_waits).append(wait)
    for period in periods:
        day = days.setdefault(local_day(period.started_at, zone), DayOfFamily())
        day.worn_s += period.worn_s
        day.calls += period.calls
        day.call_s += period.call_s
    for moment, followed in reminders:
        day = days.setdefault(local_day(moment, zone), DayOfFamily())
        day.reminders += 1
        day.reminders_followed += followed
    for day in days.values():
        # In a fixed order, so that recounting gives the same row; a day has at most 86,400 seconds.
        day.child_waits.sort()
        day.parent_waits.sort()
        day.worn_s = min(day.worn_s, 24 * 3600)
    return days


def days_of_watch(heard_at: Iterable[datetime], periods: Iterable[Period], zone: ZoneInfo) -> dict[date, DayOfWatch]:
    """Return the health of each day on which the watch was heard or reported.

    An hour is a heartbeat hour when a message of the watch arrived in it, or a report of at most a day covers it in
    which the watch was offline for less than half of the time.
    """
    days: dict[date, DayOfWatch] = {}

    def mark(moment: datetime) -> None:
        local = moment.astimezone(zone)
        days.setdefault(local.date(), DayOfWatch()).hours |= 1 << local.hour

    for moment in heard_at:
        mark(moment)
    for period in periods:
        day = days.setdefault(local_day(period.started_at, zone), DayOfWatch())
        day.reboots += period.reboots
        day.offline_s += period.offline_s
        day.battery_min_pct = _least(day.battery_min_pct, period.battery_min_pct)
        day.signal_min_dbm = _least(day.signal_min_dbm, period.signal_min_dbm)
        length = period.ended_at - period.started_at
        if timedelta(0) < length <= _HOURS_TOLD_BY_REPORT and period.offline_s * 2 < length.total_seconds():
            moment = period.started_at
            while moment < period.ended_at:
                mark(moment)
                moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return days


def _least(first: int | None, other: int | None) -> int | None:
    known = [value for value in (first, other) if value is not None]
    return min(known) if known else None


def _wait(message: RecordedMessage, words: Sequence[datetime], quiet: Sequence[Quiet]) -> tuple[int, bool]:
    """Return how long this message waited for the other side's next message, in seconds, and whether one came in time.

    The wait ends after 72 counted hours; messages more than 7 days later are no answer.
    """
    arrived_at = message.delivered_at or message.spoken_at
    until = message.spoken_at + LOOK_AHEAD
    place = bisect_right(words, arrived_at)
    answered_at = words[place] if place < len(words) and words[place] <= until else None
    counted_s = counted_seconds(arrived_at, until if answered_at is None else answered_at, quiet)
    if answered_at is None or counted_s >= ANSWER_CENSORED_S:
        return min(counted_s, ANSWER_CENSORED_S), False
    return counted_s, True


def counted_seconds(start: datetime, end: datetime, quiet: Sequence[Quiet]) -> int:
    """Return the seconds between two moments without the quiet times that were in force."""
    if not quiet:
        return int((end - start).total_seconds())
    in_force = max(
        (period for period in quiet if period.since_at <= start), key=lambda item: item.since_at,
        default=min(quiet, key=lambda item: item.since_at),
    )  # fmt: skip
    silent = timedelta(0)
    reached = start
    for begin, finish in sorted(_quiet_spans(in_force, start, end)):
        lower, upper = max(begin, reached), min(finish, end)
        if upper > lower:
            silent += upper - lower
            reached = upper
    return int((end - start - silent).total_seconds())


def _quiet_spans(quiet: Quiet, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    """Yield each quiet span that may overlap the interval, as moments; a span past midnight ends the next day."""
    day = local_day(start, quiet.zone) - timedelta(days=1)
    while day <= local_day(end, quiet.zone):
        for period in quiet.times:
            if day.isoweekday() not in period["days"]:
                continue
            begins, ends = time.fromisoformat(period["from"]), time.fromisoformat(period["to"])
            last = day if ends > begins else day + timedelta(days=1)
            # Compared as moments in UTC, so a night with a clock change has its true length.
            yield (
                datetime.combine(day, begins, quiet.zone).astimezone(start.tzinfo),
                datetime.combine(last, ends, quiet.zone).astimezone(start.tzinfo),
            )
        day += timedelta(days=1)
