"""The simulated watch's counters: each second in one period only, and nothing that was not measured."""

from __future__ import annotations

from services.device_sim.watch.usage_report import UsageCounters
from services.protocol.codec import decode_usage, encode


class Passing:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_periods_follow_each_other_and_what_goes_on_is_split_between_them() -> None:
    passing = Passing()
    counters = UsageCounters(boot=7, now_s=lambda: 1_764_000_000 + passing.s, since_boot_s=passing)
    counters.put_on()
    counters.put_on()
    passing.s += 600
    counters.went_offline()
    counters.count("recordings")
    counters.call(incoming=True, length_s=64)
    counters.see(battery_pct=70)
    counters.see(battery_pct=64, signal_dbm=-109)
    passing.s += 3000
    first = counters.report("u5d8k2m1h6vb")
    assert (first.from_tst, first.to_tst) == (1_764_000_100, 1_764_003_700)
    assert (first.worn_s, first.offline_s, first.recordings, first.calls_in, first.call_s) == (3600, 3000, 1, 1, 64)
    assert (first.battery_min_pct, first.signal_min_dbm, first.reboots, first.plays) == (64, -109, 1, None)

    passing.s += 50
    counters.came_online()
    counters.taken_off()
    passing.s += 950
    second = counters.report("u5d8k2m1h6vc")
    assert (second.from_tst, second.to_tst) == (first.to_tst, 1_764_004_700)
    assert (second.worn_s, second.offline_s, second.reboots) == (50, 50, 0)
    assert (second.recordings, second.battery_min_pct) == (None, None)
    assert decode_usage(encode(first)).entries == [first]


def test_a_watch_without_the_time_says_so_and_tells_seconds_since_boot() -> None:
    passing = Passing()
    counters = UsageCounters(boot=1, since_boot_s=passing, knows_time=False)
    passing.s += 60
    report = counters.report("u5d8k2m1h6vb")
    assert (report.from_tst, report.to_tst, report.boot, report.mono_s, report.reboots) == (0, 0, 1, 160, 0)
