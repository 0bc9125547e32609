"""The indicators: each with code, version and formula. Pure; docs/usage.md has the same numbers worked by hand.

The unit is the family-week: an ISO week in the site's time zone in which a watch was assigned for at least 4 days. A
changed formula is a new version. Usage is an output, not an impact.
"""

from __future__ import annotations

import math
import statistics
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Final

from services.core.measurement.counting.days import ANSWER_CENSORED_S

ASSIGNED_DAYS_MIN: Final = 4
CONTACT_DAYS_MIN: Final = 3
SILENT_DAYS: Final = 7
DROPPED_OUT_DAYS: Final = 28
LONGEST_GAP_LOOK_BACK_DAYS: Final = 28
# 07 to 21 local time: the hours in which a child is awake.
WAKING_HOURS: Final = range(7, 21)
SURVIVAL_DAYS: Final = (28, 91, 182, 364)


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
    # Of a pooled share: the mean of what one family adds to the whole.
    weight: float = 0


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
    RATIO = "ratio"
    QUARTILES = "quartiles"
    MEDIAN = "median"
    SURVIVAL = "survival"


# The second argument is the programme's measure, which stands in for families that are missing in a small group.
Formula = Callable[[Sequence[FamilyWeek], Measure | None], Measure]


@dataclass(frozen=True)
class Indicator:
    """Definition of an indicator."""

    code: str
    version: int
    kind: Kind
    formula: Formula
    # Decimals that are published; seconds and counts have none.
    digits: int = 0
    # Published for the whole programme only.
    of_the_whole: bool = False
    # Shares: a whole is split into parts of so many families. Rarer ones need larger parts to say anything.
    floor: int = 40
    # Of which share this one is a part, and which part is the rest of it.
    part_of: str | None = None
    rest_of: tuple[str, str] | None = None
    # For a fixed population the value only grows, or only falls.
    cumulative: bool = False


# ---------------------------------------------------------------- building blocks

# A published median or quartile is the mean of so many families' values at least.
_VALUES_AROUND: Final = 5
# Where fewer families have a value (nobody spoke, the watch is broken), the programme's value stands in for the missing
# ones: whether a number is shown, and how it is rounded, depends on the size of a group alone.
STAND_INS: Final = 10


def quartiles(values: Iterable[float]) -> Measure:
    """Return median and quartiles as means of the values around them, so that none is one family's number.

    The median is the mean of the middle third, a quartile that of the sixth of the values around it; of 5 values at
    least, or of all where there are fewer.
    """
    ordered = sorted(values)
    if not ordered:
        return Measure(0)
    last = len(ordered) - 1
    lower, middle, upper = (
        _mean_around(ordered, last * place, share) for place, share in ((0.25, 6), (0.5, 3), (0.75, 6))
    )
    return Measure(len(ordered), None, middle, lower, upper)


def _mean_around(ordered: Sequence[float], place: float, share: int) -> float:
    """Return the mean of the nearest 1/``share`` of sorted values around a place, counted from 0."""
    width = min(len(ordered), max(_VALUES_AROUND, math.ceil(len(ordered) / share)))
    if 2 * place == len(ordered) - 1 and (len(ordered) - width) % 2:
        # In the middle as many are left out below as above.
        width += 1
    first = min(max(round(place - (width - 1) / 2), 0), len(ordered) - width)
    return statistics.fmean(ordered[first : first + width])


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
    ordered = sorted(waits)
    surviving, at_risk = 1.0, len(ordered)
    # A single pass: a large programme has ten thousand waits a week.
    for time, together in groupby(ordered, key=_length):
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
    endings = [(silent_on, DropOut.SILENT)] if silent_on is not None else []
    if returned_on is not None and returned_on <= last:
        endings.append((returned_on, DropOut.RETURNED))
    return min(endings, default=None)


# ---------------------------------------------------------------- the indicators

# Of fewer families what a tenth did would be at the edge of what is published, and so would be the sum of parts.
_RARE: Final = 200


def _share(families: Sequence[FamilyWeek], holds: Callable[[FamilyWeek], bool]) -> Measure:
    count = sum(holds(family) for family in families)
    return Measure(len(families), count, count / len(families) if families else None)


def _of_all(holds: Callable[[FamilyWeek], bool]) -> Formula:
    return lambda families, _: _share(families, holds)


def _ratio(part: Callable[[FamilyWeek], int], whole: Callable[[FamilyWeek], int]) -> Formula:
    """Pool the families with a non-zero ``whole``."""

    def formula(families: Sequence[FamilyWeek], typical: Measure | None) -> Measure:
        having = [family for family in families if family.qualifies and whole(family)]
        total = float(sum(whole(family) for family in having))
        summed = float(sum(part(family) for family in having))
        if typical is not None and typical.value is not None:
            added = max(0, STAND_INS - len(having)) * typical.weight
            total, summed = total + added, summed + added * typical.value
        return Measure(
            len(having), None, summed / total if total else None, weight=total / len(having) if having else 0
        )  # fmt: skip

    return formula


def _over_weeks(value: Callable[[FamilyWeek], float | None]) -> Formula:
    def formula(families: Sequence[FamilyWeek], typical: Measure | None) -> Measure:
        having = [measured for family in families if family.qualifies and (measured := value(family)) is not None]
        missing = max(0, STAND_INS - len(having)) if typical is not None and typical.value is not None else 0
        all_ = quartiles([*having, *([typical.value] * missing if typical and typical.value is not None else [])])
        return replace(all_, families=len(having))

    return formula


def reciprocity(week: FamilyWeek) -> float | None:
    """Return 2 x min(parent to child, child to parent) / all; None without a message."""
    return 2 * min(week.to_child, week.to_family) / week.messages if week.messages else None


def _waits(of: Callable[[FamilyWeek], tuple[tuple[int, bool], ...]]) -> Formula:
    def median_of(family: FamilyWeek) -> float | None:
        # A family's median beyond 72 h counts as 72, as the codebook explains.
        return (median_wait(of(family)) or ANSWER_CENSORED_S) / 3600 if of(family) else None

    return _over_weeks(median_of)


def _survival(day: int) -> Formula:
    def formula(families: Sequence[FamilyWeek], _: Measure | None) -> Measure:
        followed = [family for family in families if family.followed_days]
        # Published only once a family was followed that long; until then the families count for the whole.
        if max((family.followed_days for family in followed), default=0) < day:
            return Measure(len(families))
        value = survival_at([(family.followed_days, family.dropped_out) for family in followed], day)
        return Measure(len(families), len(families) - round(len(families) * (1 - value)), value)

    return formula


def _dropped_out(why: DropOut) -> Formula:
    return _of_all(lambda family: family.drop_out_reason is why)


_ALL: Final = (
    Indicator("active_use", 2, Kind.SHARE_OF_FAMILIES,
              _of_all(lambda family: family.to_child > 0 and family.to_family > 0)),
    Indicator("messages", 3, Kind.QUARTILES, _over_weeks(lambda family: family.messages)),
    Indicator("voice_s", 3, Kind.QUARTILES, _over_weeks(lambda family: family.voice_s)),
    Indicator("calls", 3, Kind.QUARTILES, _over_weeks(lambda family: family.calls)),
    Indicator("reciprocity", 3, Kind.QUARTILES, _over_weeks(reciprocity), digits=2),
    Indicator("response_child_h", 3, Kind.MEDIAN, _waits(lambda family: family.parent_waits), digits=1),
    Indicator("response_parent_h", 3, Kind.MEDIAN, _waits(lambda family: family.child_waits), digits=1),
    Indicator("listen_rate", 2, Kind.RATIO, _ratio(lambda family: family.played_7_d, lambda family: family.delivered)),
    Indicator("regularity", 2, Kind.SHARE_OF_FAMILIES,
              _of_all(lambda family: family.contact_days >= CONTACT_DAYS_MIN)),
    Indicator("longest_gap_days", 3, Kind.QUARTILES, _over_weeks(lambda family: family.longest_gap_days)),
    Indicator("uptime", 2, Kind.RATIO,
              _ratio(lambda family: family.heartbeat_hours, lambda family: family.assigned_days * len(WAKING_HOURS))),
    Indicator("delivered_5_min", 2, Kind.RATIO,
              _ratio(lambda family: family.delivered_5_min, lambda family: family.messages)),
    Indicator("delivered_24_h", 2, Kind.RATIO,
              _ratio(lambda family: family.delivered_24_h, lambda family: family.messages)),
    Indicator("worn_h", 3, Kind.QUARTILES,
              _over_weeks(lambda family: family.worn_s / 3600 / family.assigned_days), digits=1),
    Indicator("low_battery_days", 3, Kind.QUARTILES, _over_weeks(lambda family: family.low_battery_days)),
    Indicator("reboots", 3, Kind.QUARTILES, _over_weeks(lambda family: family.reboots)),
    Indicator("reminders_followed", 2, Kind.RATIO,
              _ratio(lambda family: family.reminders_followed, lambda family: family.reminders)),
    Indicator("silent", 2, Kind.SHARE_OF_FAMILIES,
              _of_all(lambda family: family.silent_days >= SILENT_DAYS), floor=_RARE),
    Indicator("drop_out", 2, Kind.SHARE_OF_FAMILIES, _of_all(lambda family: family.dropped_out), floor=_RARE,
              cumulative=True),
    Indicator("drop_out_silent", 2, Kind.SHARE_OF_FAMILIES, _dropped_out(DropOut.SILENT), of_the_whole=True,
              rest_of=("drop_out", "drop_out_returned"), cumulative=True),
    Indicator("drop_out_returned", 2, Kind.SHARE_OF_FAMILIES, _dropped_out(DropOut.RETURNED), of_the_whole=True,
              part_of="drop_out", cumulative=True),
    *(Indicator(f"survival_{day}", 2, Kind.SURVIVAL, _survival(day), floor=_RARE, cumulative=True)
      for day in SURVIVAL_DAYS),
)  # fmt: skip
INDICATORS: Final[dict[str, Indicator]] = {indicator.code: indicator for indicator in _ALL}


# ---------------------------------------------------------------- weeks and quarters


def week_of(day: date) -> date:
    """Return the Monday of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def quarter_of(week: date) -> date:
    """Return the Monday with which the week's quarter begins; a week belongs to the quarter of its Thursday."""
    thursday = week + timedelta(days=3)
    first = date(thursday.year, 3 * ((thursday.month - 1) // 3) + 1, 1)
    return week_of(first + timedelta(days=(3 - first.weekday()) % 7))
