"""What a fix is worth, and when it happened; pure.

A fix that can be read is kept and annotated, never dropped in silence. Its quality is that of its worst reason, and
only a good one that is newer than what is known moves anything: the latest place, zones, alarms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.core.devices.watches.timestamps import WatchClock, happened_at
from services.core.location.geometry import Point, distance_m

# What guardians were told: 30 days, then places are erased. A setting may say otherwise (UnitOfWork.retention).
KEPT_FOR: Final = timedelta(days=30)

# GPS under trees and Wi-Fi between houses stay below; a cell does not. A zone is drawn a street wide.
GOOD_WITHIN_M: Final = 100.0
# A place that could be in the next town is none.
BAD_BEYOND_M: Final = 5_000.0
# 360 km/h: the fastest train a child sits in. A flight is longer than its gap: on average it stays below twice that,
# and its second fix on the ground is believed.
MAX_SPEED_M_S: Final = 100.0
# Further than a village and faster than on foot: told by networks, it is as likely a wrong entry in their table as a
# car. Satellites have no such table.
LEAP_M: Final = 1_000.0
LEAP_SPEED_M_S: Final = 2.0
SOURCE_GPS: Final = "gps"
# Both fixes carry whole seconds.
_LEAST_GAP_S: Final = 1.0
# A fix before the receipt of which no network needs so long has a clock that runs ahead.
AHEAD_TOLERATED: Final = timedelta(minutes=5)
# An alarm about something longer ago than this would frighten without helping.
ALARM_WITHIN: Final = timedelta(minutes=30)
# Receivers without a fix report the point where equator and prime meridian meet; the ocean there is 5 km deep.
_NULL_ISLAND_DEG: Final = 0.01
_SKEW_TOLERATED_S: Final = 60
PARTITIONS_AHEAD_MONTHS: Final = 2


class Quality(StrEnum):
    """What a fix may be used for: everything, to be shown, nothing."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


class Reason(StrEnum):
    """Why a fix is not what it could be, the gravest first; the last two are remarks and cost no quality."""

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


_POOR: Final = frozenset({Reason.ACCURACY_LOW, Reason.ACCURACY_UNKNOWN, Reason.UNDATED})
_REMARKS: Final = frozenset({Reason.CLOCK_CORRECTED, Reason.LATE})


@dataclass(frozen=True)
class FixTime:
    """When a fix happened on our clock, and what is to be said of that."""

    happened_at: datetime
    reasons: frozenset[Reason] = frozenset()


@dataclass(frozen=True)
class Fix:
    """A place, how well it is known, and when."""

    point: Point
    accuracy_m: float | None
    happened_at: datetime


@dataclass(frozen=True)
class KnownPlaces:
    """What the child's last fixes taught: the latest good one, and one that seemed too far away to be true."""

    latest: Fix | None = None
    suspect: Fix | None = None


@dataclass(frozen=True)
class AssessedFix:
    """A fix with its worth."""

    fix: Fix
    reasons: tuple[Reason, ...]
    # Whether it is so far from the latest that it should be seen again before anybody is frightened.
    leaps: bool = False

    @property
    def quality(self) -> Quality:
        """The quality of the worst reason."""
        grave = set(self.reasons) - _REMARKS
        if not grave:
            return Quality.GOOD
        return Quality.POOR if grave <= _POOR else Quality.BAD

    @property
    def late(self) -> bool:
        """Whether something newer was known when it came."""
        return Reason.LATE in self.reasons

    @property
    def moves(self) -> bool:
        """Whether it is the latest place now: good, and newer than what was known."""
        return self.quality is Quality.GOOD and not self.late


def date_fix(
    clock: WatchClock, received_at: datetime, *, tst: int, boot: int | None, mono_s: int | None,
    kept_for: timedelta = KEPT_FOR,
) -> FixTime:  # fmt: skip
    """Return when a fix happened. One that nobody can date counts from its receipt, and says so."""
    found = happened_at(clock, received_at, tst=tst, boot=boot, mono_s=mono_s)
    if found is None:
        return FixTime(received_at, frozenset({Reason.UNDATED}))
    reasons = set()
    skew_s = clock.skew_s or 0
    corrected_s = tst
    if tst and abs(skew_s) > _SKEW_TOLERATED_S:
        reasons.add(Reason.CLOCK_CORRECTED)
        corrected_s = tst - skew_s
    if tst and corrected_s > (received_at + AHEAD_TOLERATED).timestamp():
        reasons.add(Reason.CLOCK_AHEAD)
    if found < received_at - kept_for:
        reasons.add(Reason.TOO_OLD)
    return FixTime(found, frozenset(reasons))


def assess(
    point: Point, accuracy_m: float | None, dated: FixTime, known: KnownPlaces, source: str | None = None
) -> AssessedFix:
    """Return the worth of a fix, given what is known of the child. An unknown source counts as networks."""
    fix = Fix(point, accuracy_m or None, dated.happened_at)
    reasons = set(dated.reasons)
    if not (-90 <= point.lat <= 90 and -180 <= point.lon <= 180):  # noqa: PLR2004 - degrees; NaN fails both
        reasons.add(Reason.OUT_OF_RANGE)
    elif abs(point.lat) < _NULL_ISLAND_DEG and abs(point.lon) < _NULL_ISLAND_DEG:
        reasons.add(Reason.NULL_ISLAND)
    if fix.accuracy_m is None:
        # The OwnTracks app leaves out an accuracy of zero, which is none.
        reasons.add(Reason.ACCURACY_UNKNOWN)
    elif fix.accuracy_m > BAD_BEYOND_M:
        reasons.add(Reason.ACCURACY_BAD)
    elif fix.accuracy_m > GOOD_WITHIN_M:
        reasons.add(Reason.ACCURACY_LOW)
    if known.latest is not None and Reason.OUT_OF_RANGE not in reasons:
        if fix.happened_at <= known.latest.happened_at:
            reasons.add(Reason.LATE)
        if too_fast(known.latest, fix) and not _confirms(known.suspect, fix):
            reasons.add(Reason.SPEED)
    return AssessedFix(
        fix,
        tuple(reason for reason in Reason if reason in reasons),
        leaps=(
            known.latest is not None
            and source != SOURCE_GPS
            and Reason.OUT_OF_RANGE not in reasons
            and _leaps(known.latest, fix)
        ),
    )


def too_fast(one: Fix, other: Fix) -> bool:
    """Tell whether nobody gets from one fix to the other in the time between, wherever in their circles both were."""
    apart_m, gap_s = _between(one, other)
    return apart_m > MAX_SPEED_M_S * gap_s


def _leaps(one: Fix, other: Fix) -> bool:
    apart_m, gap_s = _between(one, other)
    return apart_m > LEAP_M and apart_m > LEAP_SPEED_M_S * gap_s


def _between(one: Fix, other: Fix) -> tuple[float, float]:
    """Return how far apart two circles are at least, in metres, and the seconds between."""
    gap_s = max(abs((other.happened_at - one.happened_at).total_seconds()), _LEAST_GAP_S)
    return distance_m(one.point, other.point) - (one.accuracy_m or 0) - (other.accuracy_m or 0), gap_s


def _confirms(suspect: Fix | None, fix: Fix) -> bool:
    """One place too far away is a wrong fix; two in the same place, one after the other, are where the child is."""
    return suspect is not None and fix.happened_at > suspect.happened_at and not too_fast(suspect, fix)


def update_known(known: KnownPlaces, assessed: AssessedFix) -> KnownPlaces:
    """Return what is known after a fix."""
    if assessed.moves:
        return KnownPlaces(latest=assessed.fix)
    if not assessed.late and set(assessed.reasons) - _REMARKS == {Reason.SPEED}:
        return KnownPlaces(latest=known.latest, suspect=assessed.fix)
    return known


def may_alarm(assessed: AssessedFix, received_at: datetime) -> bool:
    """Tell whether guardians may be alarmed for the sake of a fix: it moves something, and did so just now."""
    return assessed.moves and received_at - assessed.fix.happened_at <= ALARM_WITHIN


# ---------------------------------------------------------------- months, which the store is cut into


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
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a day."""
        return cls(day.year, day.month)

    @classmethod
    def named(cls, name: str) -> Month:
        """Return the month of a partition's name."""
        _, year, number = name.split("_")
        return cls(int(year), int(number))


def months_wanted(now: datetime, kept_for: timedelta = KEPT_FOR) -> list[Month]:
    """Return the months that must have partitions: from where retention starts to two months on."""
    month, last = Month.of((now - kept_for).date()), Month.of(now.date())
    for _ in range(PARTITIONS_AHEAD_MONTHS):
        last = last.next
    wanted = [month]
    while wanted[-1] != last:
        wanted.append(wanted[-1].next)
    return wanted


def is_over(month: Month, now: datetime, kept_for: timedelta = KEPT_FOR) -> bool:
    """Tell whether everything of a month is older than it may be kept."""
    return month.next.first_tst <= (now - kept_for).timestamp()
