"""From a watch's own times to ours, whatever its clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.core.watches.dating import WatchClock, happened_at, measure_skew_s

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
    found = happened_at(RIGHT, NOW, tst=0, boot=7, mono_s=400)
    assert found == NOW - timedelta(minutes=5)
    assert happened_at(RIGHT, NOW, tst=0, boot=6, mono_s=400) is None
    assert measure_skew_s(0, NOW) is None


@given(st.integers(0, 253_402_300_799), st.integers(-(2**40), 2**40) | st.none(), st.integers(0, 2**31 - 1))
def test_no_clock_puts_a_message_into_the_future_or_breaks(tst: int, skew_s: int | None, mono_s: int) -> None:
    clock = WatchClock(skew_s, NOW, 7, 0)
    found = happened_at(clock, NOW, tst=tst, boot=7, mono_s=mono_s)
    assert found is None or found <= NOW
