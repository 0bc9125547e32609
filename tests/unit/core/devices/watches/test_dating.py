"""From a watch's own times to ours, whatever its clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.core.devices.watches.timestamps import (
    AssignmentSpan,
    WatchClock,
    happened_at,
    measure_skew_s,
    was_assigned,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
RIGHT = WatchClock(skew_s=0, hello_at=NOW - timedelta(minutes=10), hello_boot=7, hello_mono_s=100)


def test_a_right_clock_is_believed() -> None:
    assert happened_at(RIGHT, NOW, tst=NOW_S - 300, boot=None, mono_s=None) == NOW - timedelta(seconds=300)


def test_a_wrong_clock_is_corrected_by_what_hello_showed() -> None:
    two_years_s = 2 * 365 * 86400
    clock = WatchClock(measure_skew_s(NOW_S + two_years_s, NOW), NOW, 7, 100)
    assert happened_at(clock, NOW, tst=NOW_S + two_years_s - 60, boot=7, mono_s=40) == NOW - timedelta(seconds=60)


def test_without_a_clock_seconds_since_the_same_boot_count() -> None:
    moment = happened_at(RIGHT, NOW, tst=0, boot=7, mono_s=400)
    assert moment == NOW - timedelta(minutes=5)
    assert happened_at(RIGHT, NOW, tst=0, boot=6, mono_s=400) is None
    assert measure_skew_s(0, NOW) is None


@given(st.integers(0, 253_402_300_799), st.integers(-(2**40), 2**40) | st.none(), st.integers(0, 2**31 - 1))
def test_no_clock_puts_a_message_into_the_future_or_breaks(tst: int, skew_s: int | None, mono_s: int) -> None:
    clock = WatchClock(skew_s, NOW, 7, 0)
    moment = happened_at(clock, NOW, tst=tst, boot=7, mono_s=mono_s)
    assert moment is None or moment <= NOW


BEGAN = NOW - timedelta(days=2)
SPANS = [AssignmentSpan(BEGAN), AssignmentSpan(NOW - timedelta(days=9), NOW - timedelta(days=6))]


def test_what_was_measured_is_the_wearers_only_within_its_pairings() -> None:
    def worn(clock: WatchClock, at: datetime) -> bool:
        return was_assigned(clock, SPANS, at, boot=None, first_boot=7)

    assert worn(RIGHT, BEGAN)
    assert worn(RIGHT, NOW)
    # A watch tells whole seconds.
    assert worn(RIGHT, BEGAN - timedelta(seconds=1))
    assert not worn(RIGHT, BEGAN - timedelta(seconds=2))
    assert worn(WatchClock(-40, None, None, None), BEGAN - timedelta(seconds=41))
    assert not worn(WatchClock(-61, None, None, None), BEGAN - timedelta(seconds=41))
    assert worn(RIGHT, NOW - timedelta(days=7))
    assert not worn(RIGHT, NOW - timedelta(days=5))
    assert not worn(RIGHT, NOW - timedelta(days=10))


def test_what_nobody_can_date_is_judged_by_its_boot() -> None:
    verdicts = [was_assigned(RIGHT, SPANS, None, boot=boot, first_boot=7) for boot in (6, 7, 8, None)]
    assert verdicts == [False, True, True, True]
    assert was_assigned(RIGHT, SPANS, None, boot=6, first_boot=None)
