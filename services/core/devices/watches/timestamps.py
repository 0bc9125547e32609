"""When did it happen? Pure: from a watch's own times to ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Below this a difference is the network's, not the clock's.
_SKEW_TOLERATED_S = 60


@dataclass(frozen=True)
class WatchClock:
    """What the last hello taught us of a watch's clock."""

    skew_s: int | None
    hello_at: datetime | None
    hello_boot: int | None
    hello_mono_s: int | None


def measure_skew_s(tst: int, received_at: datetime) -> int | None:
    """Return the watch's clock minus ours in seconds; None when the watch does not know the time (``tst`` 0)."""
    return tst - int(received_at.timestamp()) if tst else None


def happened_at(
    clock: WatchClock, received_at: datetime, *, tst: int, boot: int | None, mono_s: int | None
) -> datetime | None:
    """Return when a watch's fact happened on our clock, never later than its receipt; None when nobody can tell.

    A wrong clock is corrected by the skew measured at hello. Without a clock, seconds since the same boot count.
    """
    if tst:
        skew_s = clock.skew_s or 0
        seconds = tst - skew_s if abs(skew_s) > _SKEW_TOLERATED_S else tst
        try:
            found = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError):
            return None
        return min(found, received_at)
    same_boot = boot is not None and boot == clock.hello_boot
    if same_boot and mono_s is not None and clock.hello_mono_s is not None and clock.hello_at is not None:
        return min(clock.hello_at + timedelta(seconds=mono_s - clock.hello_mono_s), received_at)
    return None


# Both the watch and its hello tell whole seconds.
_WHOLE_SECONDS = timedelta(seconds=1)


@dataclass(frozen=True)
class AssignmentSpan:
    """A time in which a watch was paired with one child; without an end it still is."""

    began_at: datetime
    ended_at: datetime | None = None


def was_assigned(
    clock: WatchClock, spans: Sequence[AssignmentSpan], at: datetime | None, *, boot: int | None, first_boot: int | None
) -> bool:
    """Tell whether what a watch measured was measured while the child wore it, and not on another wrist before.

    ``at`` is :func:`happened_at`. What nobody can date is told by its boot: one from before the first hello of the
    pairing may be another child's. What has neither a date nor a boot is believed: a watch forgets with its pairing.
    """
    if at is None:
        return boot is None or first_boot is None or boot >= first_boot
    skew_s = abs(clock.skew_s or 0)
    # A small error of the clock was not taken off.
    at_latest = at + _WHOLE_SECONDS + timedelta(seconds=skew_s if skew_s <= _SKEW_TOLERATED_S else 0)
    return any(one.began_at <= at_latest and (one.ended_at is None or at <= one.ended_at) for one in spans)
