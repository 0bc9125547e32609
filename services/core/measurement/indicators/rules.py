"""The indicators: each with code, version and formula. Pure; docs/usage.md has the same numbers worked by hand.

The unit is the family-week: an ISO week in the site's time zone in which a watch was assigned for at least 4 days. A
changed formula is a new version. Usage is an output, not an impact.
"""

from __future__ import annotations

import math
import statistics
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Final

from services.core.devices.presence.battery_levels import LOW_PCT
from services.core.devices.presence.rules import Journey, silent_since
from services.core.measurement.counting.days import ANSWER_CENSORED_S

ASSIGNED_DAYS_MIN: Final = 4
CONTACT_DAYS_MIN: Final = 3
SILENT_DAYS: Final = 7
DROPPED_OUT_DAYS: Final = 28
LONGEST_GAP_LOOK_BACK_DAYS: Final = 28
# 07 to 21 local time: the hours in which a child is awake.
WAKING_HOURS: Final = range(7, 21)
SURVIVAL_DAYS: Final = (28, 91, 182, 364)
_ACTIVE_WITHIN: Final = timedelta(days=7)


class DropOut(StrEnum):
    """Why a family dropped out: the reason that came first."""

    SILENT = "silent"
    RETURNED = "returned"


@dataclass(frozen=True)
class FamilyWeek:
    """One family in one week: sums over its days, and its state at the end."""

    family_id: uuid.UUID
    assigned_days: int = 7
    to_child: int = 0
    to_family: int = 0
    voice_s: int = 0
    delivered: int = 0
    delivered_5_min: int = 0
    delivered_24_h: int = 0
    played_7_d: int = 0
    calls: int = 0
    worn_s: int = 0
    reminders: int = 0
    reminders_followed: int = 0
    contact_days: int = 0
    # Longest run of days without contact within the 28 days that end with the week.
    longest_gap_days: int = 0
    # Days since the last contact, on the last day of the week.
    silent_days: int = 0
    heartbeat_hours: int = 0
    low_battery_days: int = 0
    reboots: int = 0
    # (counted seconds, answered)
    child_waits: tuple[tuple[int, bool], ...] = ()
    parent_waits: tuple[tuple[int, bool], ...] = ()
    # Days from the first day with a watch to drop-out or to the end of this week.
    followed_days: int = 0
    # None while it takes part.
    drop_out_reason: DropOut | None = None

    @property
    def dropped_out(self) -> bool:
        """Whether the family has dropped out by the end of this week."""
        return self.drop_out_reason is not None

    @property
    def qualifies(self) -> bool:
        """Whether this is a family-week: a watch was assigned for at least 4 days."""
        return self.assigned_days >= ASSIGNED_DAYS_MIN

    @property
    def messages(self) -> int:
        """Messages both ways."""
        return self.to_child + self.to_family


@dataclass(frozen=True)
class Measure:
    """An indicator's result in one group: over how many families, and for shares how many of them."""

    families: int
    count: int | None = None
    value: float | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None


@dataclass(slots=True)
class Cell:
    """One published number after disclosure control: everything is None when it is suppressed."""

    scope_id: uuid.UUID
    week: date
    indicator: str
    version: int
    n: int | None
    count: int | None
    value: float | None
    lower_quartile: float | None
    upper_quartile: float | None


class Kind(StrEnum):
    """Kind of measure; it decides what may be shown of it."""

    SHARE_OF_FAMILIES = "share_of_families"
    SHARE_OF_WEEKS = "share_of_weeks"
    RATIO = "ratio"
    QUARTILES = "quartiles"
    MEDIAN = "median"
    SURVIVAL = "survival"


@dataclass(frozen=True)
class Indicator:
    """Definition of an indicator."""

    code: str
    version: int
    kind: Kind
    formula: Callable[[Sequence[FamilyWeek]], Measure]
    # Decimals that are published; seconds and counts have none.
    digits: int = 0
    # Published for the whole programme only.
    of_the_whole: bool = False


# ---------------------------------------------------------------- building blocks

# A published median or quartile is the mean of so many families' values at least.
_VALUES_AROUND: Final = 5


def quartiles(values: Iterable[float]) -> Measure:
    """Return median and quartiles as means of the values around them, so that none is one family's number.

    The median is the mean of the middle third, a quartile that of the sixth of the values around it; of 5 values at
    least, or of all where there are fewer.
    """
    found = sorted(values)
    if not found:
        return Measure(0)
    last = len(found) - 1
    lower, middle, upper = (
        _mean_around(found, last * place, share) for place, share in ((0.25, 6), (0.5, 3), (0.75, 6))
    )
    return Measure(len(found), None, middle, lower, upper)


def _mean_around(found: Sequence[float], place: float, share: int) -> float:
    """Return the mean of the nearest 1/``share`` of sorted values around a place, counted from 0."""
    width = min(len(found), max(_VALUES_AROUND, math.ceil(len(found) / share)))
    if 2 * place == len(found) - 1 and (len(found) - width) % 2:
        # In the middle as many are left out below as above.
        width += 1
    first = min(max(round(place - (width - 1) / 2), 0), len(found) - width)
    return statistics.fmean(found[first : first + width])


def survival_at(followed: Iterable[tuple[float, bool]], moment: float) -> float:
    """Return the Kaplan-Meier share that has not had its event up to and including ``moment``.

    Each entry is (time followed, whether it ended in the event). An entry followed for exactly as long as another one's
    event is still at risk at that moment.
    """
    times = sorted(followed)
    surviving = 1.0
    for event_at in sorted({time for time, happened in times if happened and time <= moment}):
        at_risk = sum(time >= event_at for time, _ in times)
        events = sum(happened and time == event_at for time, happened in times)
        surviving *= 1 - events / at_risk
    return surviving


def _length(wait: tuple[float, bool]) -> float:
    return wait[0]


def median_wait(waits: Iterable[tuple[float, bool]]) -> float | None:
    """Return the Kaplan-Meier median of waits; None when it lies beyond the censoring."""
    found = sorted(waits)
    surviving, at_risk = 1.0, len(found)
    # A single pass: a large programme has ten thousand waits a week.
    for time, together in groupby(found, key=_length):
        answered = [happened for _, happened in together]
        surviving *= 1 - sum(answered) / at_risk
        # Compared with a tolerance: a product of many factors is not exactly a half.
        if sum(answered) and surviving <= 0.5 + 1e-12:
            return time
        at_risk -= len(answered)
    return None


def assigned_days(spans: Iterable[tuple[date, date | None]], week: date) -> int:
    """Return on how many days of the week a watch was assigned; a span includes its last day, None: still assigned."""
    days = [week + timedelta(days=number) for number in range(7)]
    kept = list(spans)
    return sum(any(first <= day and (last is None or day <= last) for first, last in kept) for day in days)


def longest_gap(contact_days: Iterable[date], first: date, last: date) -> int:
    """Return the longest run of days without contact from ``first`` to ``last``, both included."""
    edges = [first - timedelta(days=1), *sorted(day for day in contact_days if first <= day <= last)]
    edges.append(last + timedelta(days=1))
    return max((after - before).days - 1 for before, after in pairwise(edges))


def drop_out(
    contact_days: Iterable[date], first: date, last: date, returned_on: date | None
) -> tuple[date, DropOut] | None:
    """Return when a family with a watch since ``first`` dropped out up to ``last``, and why."""
    silent_on = None
    before = first - timedelta(days=1)
    for day in [*sorted(day for day in contact_days if first <= day <= last), last + timedelta(days=1)]:
        if (day - before).days > DROPPED_OUT_DAYS:
            silent_on = before + timedelta(days=DROPPED_OUT_DAYS)
            break
        before = day
    found = [(silent_on, DropOut.SILENT)] if silent_on is not None else []
    if returned_on is not None and returned_on <= last:
        found.append((returned_on, DropOut.RETURNED))
    return min(found, default=None)


@dataclass(frozen=True)
class Device:
    """Current state of one watch."""

    state: str
    # Empty: it is not paired.
    paired_at: datetime | None
    last_seen_at: datetime | None
    battery_pct: int | None
    journey: Journey | None = None


def device_states(device: Device, now: datetime) -> tuple[str, ...]:
    """Return every state a watch is in: where it is, whether it is in use, and what is wrong with it."""
    if device.state in {"registered", "lost", "returned", "broken"}:
        return (device.state,)
    states = ["handed_out"]
    if device.paired_at is not None:
        states.append("paired")
        if device.last_seen_at is not None and now - device.last_seen_at <= _ACTIVE_WITHIN:
            states.append("active_7_days")
        if device.journey is not None:
            states.append("not_arrived" if device.journey.is_overdue else "on_its_way")
        on_its_way = device.journey is not None
        if silent_since(device.last_seen_at, device.paired_at, now, on_its_way=on_its_way) is not None:
            states.append("silent_48_hours")
        if device.battery_pct is not None and device.battery_pct <= LOW_PCT:
            states.append("low_battery")
    return tuple(states)


# ---------------------------------------------------------------- the indicators


def _share(families: Sequence[FamilyWeek], holds: Callable[[FamilyWeek], bool]) -> Measure:
    count = sum(holds(family) for family in families)
    return Measure(len(families), count, count / len(families) if families else None)


def _ratio(
    families: Sequence[FamilyWeek], part: Callable[[FamilyWeek], int], whole: Callable[[FamilyWeek], int]
) -> Measure:
    """Pool the families with a non-zero ``whole``."""
    having = [family for family in families if family.qualifies and whole(family)]
    total = sum(whole(family) for family in having)
    return Measure(len(having), None, sum(part(family) for family in having) / total if total else None)


def _over_weeks(value: Callable[[FamilyWeek], float | None]) -> Callable[[Sequence[FamilyWeek]], Measure]:
    def formula(families: Sequence[FamilyWeek]) -> Measure:
        return quartiles(found for family in families if family.qualifies and (found := value(family)) is not None)

    return formula


def reciprocity(week: FamilyWeek) -> float | None:
    """Return 2 x min(parent to child, child to parent) / all; None without a message."""
    return 2 * min(week.to_child, week.to_family) / week.messages if week.messages else None


def _waits(
    of: Callable[[FamilyWeek], tuple[tuple[int, bool], ...]],
) -> Callable[[Sequence[FamilyWeek]], Measure]:
    def formula(families: Sequence[FamilyWeek]) -> Measure:
        having = [of(family) for family in families if family.qualifies and of(family)]
        # A family's median beyond 72 h counts as 72, as the codebook explains.
        medians = quartiles((median_wait(waits) or ANSWER_CENSORED_S) / 3600 for waits in having)
        return Measure(len(having), None, medians.value)

    return formula


def _survival(day: int) -> Callable[[Sequence[FamilyWeek]], Measure]:
    def formula(families: Sequence[FamilyWeek]) -> Measure:
        followed = [family for family in families if family.followed_days]
        # Published only once a family was followed that long; until then the families count for the whole.
        if max((family.followed_days for family in followed), default=0) < day:
            return Measure(len(followed), sum(family.dropped_out for family in followed))
        value = survival_at([(family.followed_days, family.dropped_out) for family in followed], day)
        return Measure(len(followed), None, value)

    return formula


def _dropped_out(why: DropOut) -> Callable[[Sequence[FamilyWeek]], Measure]:
    return lambda families: _share(families, lambda family: family.drop_out_reason is why)


def _uptime(families: Sequence[FamilyWeek]) -> Measure:
    return _ratio(
        families, lambda family: family.heartbeat_hours, lambda family: family.assigned_days * len(WAKING_HOURS)
    )


_ALL: Final = (
    Indicator("active_use", 1, Kind.SHARE_OF_FAMILIES,
              lambda all_: _share(all_, lambda family: family.to_child > 0 and family.to_family > 0)),
    Indicator("messages", 2, Kind.QUARTILES, _over_weeks(lambda family: family.messages)),
    Indicator("voice_s", 2, Kind.QUARTILES, _over_weeks(lambda family: family.voice_s)),
    Indicator("calls", 2, Kind.QUARTILES, _over_weeks(lambda family: family.calls)),
    Indicator("reciprocity", 2, Kind.QUARTILES, _over_weeks(reciprocity), digits=2),
    Indicator("response_child_h", 2, Kind.MEDIAN, _waits(lambda family: family.parent_waits), digits=1),
    Indicator("response_parent_h", 2, Kind.MEDIAN, _waits(lambda family: family.child_waits), digits=1),
    Indicator("listen_rate", 1, Kind.RATIO,
              lambda all_: _ratio(all_, lambda family: family.played_7_d, lambda family: family.delivered)),
    Indicator("regularity", 1, Kind.SHARE_OF_WEEKS,
              lambda all_: _share([family for family in all_ if family.qualifies],
                                  lambda family: family.contact_days >= CONTACT_DAYS_MIN)),
    Indicator("longest_gap_days", 2, Kind.QUARTILES, _over_weeks(lambda family: family.longest_gap_days)),
    Indicator("uptime", 1, Kind.RATIO, _uptime),
    Indicator("delivered_5_min", 1, Kind.RATIO,
              lambda all_: _ratio(all_, lambda family: family.delivered_5_min, lambda family: family.messages)),
    Indicator("delivered_24_h", 1, Kind.RATIO,
              lambda all_: _ratio(all_, lambda family: family.delivered_24_h, lambda family: family.messages)),
    Indicator("worn_h", 2, Kind.QUARTILES,
              _over_weeks(lambda family: family.worn_s / 3600 / family.assigned_days), digits=1),
    Indicator("low_battery_days", 2, Kind.QUARTILES, _over_weeks(lambda family: family.low_battery_days)),
    Indicator("reboots", 2, Kind.QUARTILES, _over_weeks(lambda family: family.reboots)),
    Indicator("reminders_followed", 1, Kind.RATIO,
              lambda all_: _ratio(all_, lambda family: family.reminders_followed, lambda family: family.reminders)),
    Indicator("silent", 1, Kind.SHARE_OF_FAMILIES,
              lambda all_: _share(all_, lambda family: family.silent_days >= SILENT_DAYS)),
    Indicator("drop_out", 1, Kind.SHARE_OF_FAMILIES, lambda all_: _share(all_, lambda family: family.dropped_out)),
    *(Indicator(f"drop_out_{why}", 1, Kind.SHARE_OF_FAMILIES, _dropped_out(why), of_the_whole=True) for why in DropOut),
    *(Indicator(f"survival_{day}", 1, Kind.SURVIVAL, _survival(day)) for day in SURVIVAL_DAYS),
)  # fmt: skip
INDICATORS: Final[dict[str, Indicator]] = {family.code: family for family in _ALL}


# ---------------------------------------------------------------- weeks and quarters


def week_of(day: date) -> date:
    """Return the Monday of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def quarter_of(week: date) -> date:
    """Return the Monday with which the week's quarter begins; a week belongs to the quarter of its Thursday."""
    thursday = week + timedelta(days=3)
    first = date(thursday.year, 3 * ((thursday.month - 1) // 3) + 1, 1)
    return week_of(first + timedelta(days=(3 - first.weekday()) % 7))
