"""The quality of a fix, and when it happened; pure.

Every readable fix is stored with reasons. Its quality is that of its worst reason. Only a good fix that is newer than
the latest place moves anything: the latest place, zones, alarms.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from services.core.devices.watches.timestamps import WatchClock, dated_at
from services.core.location.geometry import Point, distance_m

# Promised to guardians: places are erased after 30 days. A setting may change it (UnitOfWork.retention).
KEPT_FOR: Final = timedelta(days=30)

# GPS under trees and Wi-Fi between houses stay below this; cells do not. Zones are drawn as precisely as a street.
GOOD_WITHIN_M: Final = 100.0
# Beyond this uncertainty the fix is useless.
BAD_BEYOND_M: Final = 5_000.0
# 360 km/h: the fastest train. An aircraft is faster; its second fix after the landing is accepted.
MAX_SPEED_M_S: Final = 100.0
# Larger than a village and faster than walking: such a leap from networks (Wi-Fi, cells) is as likely a wrong entry in
# the provider's table as a car ride. GPS uses no such table.
LEAP_M: Final = 1_000.0
LEAP_SPEED_M_S: Final = 2.0
SOURCE_GPS: Final = "gps"
# A GPS fix at least this precise overrides network fixes at any distance.
PRECISE_WITHIN_M: Final = 30.0
# A watch resends a cached network answer, at most rounded. Two scans at one place differ by more than this.
SAME_ANSWER_WITHIN_M: Final = 10.0
# After this time a repeated answer comes from a new scan and counts as independent evidence.
NEW_SCAN_AFTER: Final = timedelta(minutes=5)
# Both fixes have a resolution of one second.
_LEAST_GAP_S: Final = 1.0
# A fix dated later than this after its receipt comes from a clock that runs ahead: no network delay is negative.
AHEAD_TOLERATED: Final = timedelta(minutes=5)
# An alarm about an older event would frighten guardians without use.
ALARM_WITHIN: Final = timedelta(minutes=30)
# Receivers without a fix report 0, 0, which is open ocean.
_NULL_ISLAND_DEG: Final = 0.01
_SKEW_TOLERATED_S: Final = 60
PARTITIONS_AHEAD_MONTHS: Final = 2


class Quality(StrEnum):
    """Permitted use of a fix. good: everything; poor: history only; bad: none."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


class Reason(StrEnum):
    """Why the quality of a fix is reduced, worst first. The last two are informative and do not reduce it."""

    OUT_OF_RANGE = "out_of_range"
    NULL_ISLAND = "null_island"
    CLOCK_AHEAD = "clock_ahead"
    TOO_OLD = "too_old"
    SPEED = "speed"
    ACCURACY_BAD = "accuracy_bad"
    ACCURACY_LOW = "accuracy_low"
    ACCURACY_UNKNOWN = "accuracy_unknown"
    UNDATED = "undated"
    CLOCK_CORRECTED = "clock_corrected"
    LATE = "late"


_RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}
_POOR: Final = frozenset({Reason.ACCURACY_LOW, Reason.ACCURACY_UNKNOWN, Reason.UNDATED})
_REMARKS: Final = frozenset({Reason.CLOCK_CORRECTED, Reason.LATE})


class FixTime(NamedTuple):
    """Time of a fix on the server's clock, and the reasons that follow from its date.

    ``is_misdated``: the watch stated an impossibly early date; staff see the count of those.
    """

    happened_at: datetime
    reasons: frozenset[Reason] = frozenset()
    is_misdated: bool = False

    @property
    def stated_at(self) -> datetime | None:
        """When the watch says that it happened, on our clock; None without a usable date."""
        return None if Reason.UNDATED in self.reasons else self.happened_at


class Fix(NamedTuple):
    """A position with uncertainty, time and source (gps, wifi, cell; None: unknown, treated as a network fix)."""

    point: Point
    accuracy_m: float | None
    happened_at: datetime
    source: str | None = None


class KnownPlaces(NamedTuple):
    """The latest good fix of a child, and a suspect fix that was too far away to be accepted.

    ``witnessed_at``: when the network answer of the latest fix last counted as evidence; None: at the latest fix.
    """

    latest: Fix | None = None
    suspect: Fix | None = None
    witnessed_at: datetime | None = None


class AssessedFix(NamedTuple):
    """A fix with its reasons.

    ``leaps``: from networks, and so far from the latest place that an alarm needs confirmation.
    ``repeats``: the network answer of the latest place, resent from a cache: no independent evidence.
    """

    fix: Fix
    reasons: tuple[Reason, ...]
    leaps: bool = False
    repeats: bool = False

    @property
    def quality(self) -> Quality:
        """The quality of the worst reason."""
        return _quality_of(self.reasons) if self.reasons else Quality.GOOD

    @property
    def late(self) -> bool:
        """Whether a fix at least as new was already known on arrival."""
        return Reason.LATE in self.reasons

    @property
    def moves(self) -> bool:
        """Whether it becomes the latest place: good, and newer than the known one."""
        return self.quality is Quality.GOOD and not self.late


# Asked for several times a fix, of which most have one reason or two.
@functools.cache
def _quality_of(reasons: tuple[Reason, ...]) -> Quality:
    grave = set(reasons) - _REMARKS
    if not grave:
        return Quality.GOOD
    return Quality.POOR if grave <= _POOR else Quality.BAD


def date_fix(
    clock: WatchClock, received_at: datetime, *, tst: int, boot: int | None, mono_s: int | None,
    kept_for: timedelta = KEPT_FOR,
) -> FixTime:  # fmt: skip
    """Return the time of a fix. A fix without a usable date gets its time of receipt and ``UNDATED``."""
    moment, misdated = dated_at(clock, received_at, tst=tst, boot=boot, mono_s=mono_s)
    if moment is None:
        return FixTime(received_at, frozenset({Reason.UNDATED}), misdated)
    if misdated:
        return FixTime(moment, frozenset({Reason.CLOCK_CORRECTED}), is_misdated=True)
    reasons = set()
    skew_s = clock.skew_s or 0
    corrected_s = tst
    if tst and abs(skew_s) > _SKEW_TOLERATED_S:
        reasons.add(Reason.CLOCK_CORRECTED)
        corrected_s = tst - skew_s
    if tst and corrected_s > received_at.timestamp() + AHEAD_TOLERATED.total_seconds():
        reasons.add(Reason.CLOCK_AHEAD)
    if moment < received_at - kept_for:
        reasons.add(Reason.TOO_OLD)
    return FixTime(moment, frozenset(reasons))


def assess(
    point: Point, accuracy_m: float | None, dated: FixTime, known: KnownPlaces, source: str | None = None
) -> AssessedFix:
    """Return the fix with its reasons, given the child's known places. An unknown source counts as networks."""
    fix = Fix(point, accuracy_m or None, dated.happened_at, source)
    reasons = set(dated.reasons)
    if not (-90 <= point.lat <= 90 and -180 <= point.lon <= 180):  # noqa: PLR2004 - degrees; NaN fails both
        reasons.add(Reason.OUT_OF_RANGE)
    elif abs(point.lat) < _NULL_ISLAND_DEG and abs(point.lon) < _NULL_ISLAND_DEG:
        reasons.add(Reason.NULL_ISLAND)
    if fix.accuracy_m is None:
        # An accuracy of 0 means unknown: the OwnTracks app omits the field in this case.
        reasons.add(Reason.ACCURACY_UNKNOWN)
    elif fix.accuracy_m > BAD_BEYOND_M:
        reasons.add(Reason.ACCURACY_BAD)
    elif fix.accuracy_m > GOOD_WITHIN_M:
        reasons.add(Reason.ACCURACY_LOW)
    if known.latest is not None and Reason.OUT_OF_RANGE not in reasons:
        if fix.happened_at <= known.latest.happened_at:
            reasons.add(Reason.LATE)
        if too_fast(known.latest, fix) and not _overrules(known.latest, fix) and not _confirms(known.suspect, fix):
            reasons.add(Reason.SPEED)
    return AssessedFix(
        fix,
        tuple(sorted(reasons, key=_RANK.__getitem__) if len(reasons) > 1 else reasons),
        leaps=(
            known.latest is not None
            and source != SOURCE_GPS
            and Reason.OUT_OF_RANGE not in reasons
            and _leaps(known.latest, fix)
        ),
        repeats=_repeats(known, fix),
    )


def too_fast(fix: Fix, other: Fix) -> bool:
    """Return whether travel between two fixes is impossibly fast, even between the nearest points of their circles."""
    apart_m, gap_s = _between(fix, other)
    return apart_m > MAX_SPEED_M_S * gap_s


def _leaps(fix: Fix, other: Fix) -> bool:
    apart_m, gap_s = _between(fix, other)
    return apart_m > LEAP_M and apart_m > LEAP_SPEED_M_S * gap_s


def _between(fix: Fix, other: Fix) -> tuple[float, float]:
    """Return the minimum distance of two circles in metres, and the seconds between the fixes."""
    gap_s = max(abs((other.happened_at - fix.happened_at).total_seconds()), _LEAST_GAP_S)
    return distance_m(fix.point, other.point) - (fix.accuracy_m or 0) - (other.accuracy_m or 0), gap_s


def _confirms(suspect: Fix | None, fix: Fix) -> bool:
    """Return whether a fix confirms a suspect fix: near it, later, and independent of it."""
    return (
        suspect is not None
        and fix.happened_at > suspect.happened_at
        and not too_fast(suspect, fix)
        and not is_copy(suspect, fix)
    )


def _overrules(latest: Fix, fix: Fix) -> bool:
    """Return whether a precise GPS fix contradicts a place from networks, whose table then was wrong."""
    return (
        fix.source == SOURCE_GPS
        and latest.source != SOURCE_GPS
        and fix.accuracy_m is not None
        and fix.accuracy_m <= PRECISE_WITHIN_M
    )


def is_copy(earlier: Fix, fix: Fix) -> bool:
    """Return whether two fixes are the same network answer: the same point, and sources that do not differ."""
    if SOURCE_GPS in (earlier.source, fix.source):
        return False
    if earlier.source is not None and fix.source is not None and earlier.source != fix.source:
        return False
    return distance_m(earlier.point, fix.point) <= SAME_ANSWER_WITHIN_M


def _repeats(known: KnownPlaces, fix: Fix) -> bool:
    if known.latest is None or not is_copy(known.latest, fix):
        return False
    return fix.happened_at < (known.witnessed_at or known.latest.happened_at) + NEW_SCAN_AFTER


def update_known(known: KnownPlaces, assessed: AssessedFix) -> KnownPlaces:
    """Return the known places of the child after a fix."""
    if assessed.moves:
        witnessed_at = known.witnessed_at if assessed.repeats else assessed.fix.happened_at
        return KnownPlaces(latest=assessed.fix, witnessed_at=witnessed_at)
    if not assessed.late and set(assessed.reasons) - _REMARKS == {Reason.SPEED}:
        if known.suspect is not None and is_copy(known.suspect, assessed.fix):
            return known
        return known._replace(suspect=assessed.fix)
    return known


def may_alarm(assessed: AssessedFix, received_at: datetime) -> bool:
    """Return whether a fix may raise an alarm: it becomes the latest place, and happened within the last 30 minutes."""
    return assessed.moves and received_at - assessed.fix.happened_at <= ALARM_WITHIN


# ---------------------------------------------------------------- months: partitions of the check-ins


@dataclass(frozen=True)
class Month:
    """One month of raw watch time, UTC: the bounds of a partition."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """The name of its partition."""
        return f"checkin_{self.year:04d}_{self.number:02d}"

    @property
    def first_tst(self) -> int:
        """Unix seconds of its first instant."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp())

    @property
    def next(self) -> Month:
        """The following month."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a day."""
        return cls(day.year, day.month)

    @classmethod
    def named(cls, name: str) -> Month:
        """Return the month of a partition name."""
        _, year, number = name.split("_")
        return cls(int(year), int(number))


def months_wanted(now: datetime, kept_for: timedelta = KEPT_FOR) -> list[Month]:
    """Return the months that need partitions: from the start of retention to two months ahead."""
    month, last = Month.of((now - kept_for).date()), Month.of(now.date())
    for _ in range(PARTITIONS_AHEAD_MONTHS):
        last = last.next
    wanted = [month]
    while wanted[-1] != last:
        wanted.append(wanted[-1].next)
    return wanted


def is_over(month: Month, now: datetime, kept_for: timedelta = KEPT_FOR) -> bool:
    """Return whether every place of a month is past its retention."""
    return month.next.first_tst <= (now - kept_for).timestamp()
