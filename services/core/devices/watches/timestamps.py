"""Date what a watch recorded: from the times of the watch to ours. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

# A smaller difference is delay of the network, not an error of the clock.
_SKEW_TOLERATED_S = 60
# No watch keeps a fact for ten years: an earlier date means a clock that was never set (1970, 1980) or rolled over.
_MISDATED_AFTER = timedelta(days=3_650)
# GPS counts weeks in ten bits. A receiver that is not told of the rollover dates everything 1,024 weeks early.
_ROLLOVER = timedelta(weeks=1_024)
_ROLLED_OVER_AT_MOST = timedelta(days=1)
_AHEAD_TOLERATED = timedelta(minutes=5)
# Both the watch and its hello give whole seconds.
_WHOLE_SECONDS = timedelta(seconds=1)


@dataclass(frozen=True)
class WatchClock:
    """State of a watch's clock at its last hello."""

    skew_s: int | None
    hello_at: datetime | None
    hello_boot: int | None
    hello_mono_s: int | None

    @cached_property
    def tolerance(self) -> timedelta:
        """How much earlier than on our clock it may date a fact: happened_at does not correct a small error."""
        skew_s = abs(self.skew_s or 0)
        return _WHOLE_SECONDS + timedelta(seconds=skew_s if skew_s <= _SKEW_TOLERATED_S else 0)


def measure_skew_s(tst: int, received_at: datetime) -> int | None:
    """Return the watch's clock minus ours in seconds; None when the watch does not know the time (``tst`` 0)."""
    return tst - int(received_at.timestamp()) if tst else None


def happened_at(
    clock: WatchClock, received_at: datetime, *, tst: int, boot: int | None, mono_s: int | None
) -> datetime | None:
    """Return when a watch's fact happened on our clock, never later than its receipt; None when it cannot be dated.

    A wrong clock is corrected by the skew measured at hello. A date more than ten years before its receipt counts as
    absent, unless 1,024 weeks later it lies within the day before the receipt (a GPS rollover). Without a date, seconds
    since the same boot count.
    """
    return dated_at(clock, received_at, tst=tst, boot=boot, mono_s=mono_s)[0]


def dated_at(
    clock: WatchClock, received_at: datetime, *, tst: int, boot: int | None, mono_s: int | None
) -> tuple[datetime | None, bool]:
    """Return :func:`happened_at`, and whether the watch's date is impossibly early: more than ten years ago."""
    is_misdated = False
    if tst:
        moment = _read_at(clock, tst)
        if moment is None:
            return None, False
        is_misdated = moment < received_at - _MISDATED_AFTER
        if not is_misdated:
            return min(moment, received_at), False
        moment += _ROLLOVER
        if received_at - _ROLLED_OVER_AT_MOST <= moment <= received_at + _AHEAD_TOLERATED:
            return min(moment, received_at), True
    same_boot = boot is not None and boot == clock.hello_boot
    if same_boot and mono_s is not None and clock.hello_mono_s is not None and clock.hello_at is not None:
        return min(clock.hello_at + timedelta(seconds=mono_s - clock.hello_mono_s), received_at), is_misdated
    return None, is_misdated


def _read_at(clock: WatchClock, tst: int) -> datetime | None:
    """Return the watch's date with its clock's skew taken off; None for one that no calendar has."""
    skew_s = clock.skew_s or 0
    try:
        return datetime.fromtimestamp(tst - skew_s if abs(skew_s) > _SKEW_TOLERATED_S else tst, UTC)
    except (OverflowError, OSError, ValueError):
        return None


@dataclass(frozen=True)
class AssignmentSpan:
    """The time in which a watch was paired with one child; without an end the pairing stands."""

    began_at: datetime
    ended_at: datetime | None = None


def was_assigned(
    clock: WatchClock, spans: Sequence[AssignmentSpan], at: datetime | None, *, boot: int | None, first_boot: int | None
) -> bool:
    """Return whether a measurement was made while the watch was assigned to the child, and not to another one before.

    ``at`` is :func:`happened_at`. A measurement without a date is judged by its boot count: one from before the first
    hello of the pairing may belong to another child. One without date and boot count is accepted, because a watch
    deletes what it holds when its pairing ends.
    """
    if at is None:
        return boot is None or first_boot is None or boot >= first_boot
    at_latest = at + clock.tolerance
    for span in spans:  # noqa: SIM110 - at every fix, where a generator takes twice as long
        if span.began_at <= at_latest and (span.ended_at is None or at <= span.ended_at):
            return True
    return False
