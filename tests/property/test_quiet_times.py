"""Quiet times follow the wall clock of four time zones through every change of their clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.core.devices.watch_settings.quiet_rules import (
    QuietTime,
    checked_quiet_times,
    is_quiet,
    read_quiet_times,
    utc_offset_s,
)
from services.core.devices.watches.errors import QuietTimesError
from services.device_sim.watch import hours
from services.protocol.downlink import Config

ZONES = ("Asia/Shanghai", "Asia/Ho_Chi_Minh", "Europe/Istanbul", "Europe/Berlin")
clocks = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
days = st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True)
quiet_times = st.builds(lambda on, starts, ends: QuietTime(tuple(on), starts, ends), days, clocks, clocks).filter(
    lambda period: period.starts != period.ends
)
# Istanbul changed its clocks until 2016; Berlin still does.
moments = st.datetimes(datetime(2012, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)
# 2026-03-29, 01:00 UTC: Berlin goes from 02:00 to 03:00; 2026-10-25, 01:00 UTC: from 03:00 back to 02:00.
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
NIGHT = QuietTime((6, 7), "21:00", "02:30")


def _quiet_minutes(period: QuietTime) -> set[tuple[int, int]]:
    """Return every (ISO day, minute of the day) that is quiet, by walking over the week: another way to the answer."""
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (period.starts, period.ends))
    length = (end - start) % (24 * 60)
    covered = set()
    for day in period.days:
        for passed in range(length):
            total = (day - 1) * 24 * 60 + start + passed
            covered.add((total // (24 * 60) % 7 + 1, total % (24 * 60)))
    return covered


@given(st.lists(quiet_times, max_size=3), zones, moments)
@example([NIGHT], "Europe/Berlin", SPRING)
@example([NIGHT], "Europe/Berlin", AUTUMN + timedelta(minutes=45))
def test_it_is_quiet_exactly_when_the_clock_on_the_wall_says_so(
    times: list[QuietTime], zone: str, at: datetime
) -> None:
    # A watch's local time: the server's time plus the server's offset.
    wall = at + timedelta(seconds=utc_offset_s(zone, at))
    minute = wall.hour * 60 + wall.minute
    expected = any((wall.isoweekday(), minute) in _quiet_minutes(period) for period in times)
    assert is_quiet(times, zone, at) is expected


@given(st.lists(quiet_times, max_size=3), zones, moments)
@example([NIGHT], "Europe/Berlin", SPRING)
@example([NIGHT], "Europe/Berlin", AUTUMN + timedelta(minutes=45))
def test_the_simulated_watch_is_silent_exactly_then(times: list[QuietTime], zone: str, at: datetime) -> None:
    config = Config.model_validate(
        {"version": 1, "quiet": [period.row() for period in times], "utc_offset_s": utc_offset_s(zone, at)}
    )
    assert hours.is_quiet(config, at.timestamp()) is is_quiet(times, zone, at)


@given(quiet_times, zones, moments)
def test_a_week_is_quiet_for_as_long_as_was_asked_but_for_a_change_of_the_clocks(
    period: QuietTime, zone: str, at: datetime
) -> None:
    start = at.replace(second=0, microsecond=0)
    step = timedelta(minutes=30)
    moments_of_week = [start + step * n for n in range(7 * 48)]
    quiet_steps = sum(is_quiet([period], zone, moment) for moment in moments_of_week)
    asked_minutes = len(_quiet_minutes(period))
    changed = utc_offset_s(zone, start) != utc_offset_s(zone, start + timedelta(days=7))
    # Half an hour of counting error at each end of each span, and the hour that a change adds or takes.
    assert abs(quiet_steps * 30 - asked_minutes) <= 30 * 2 * len(period.days) + (
        60 * len(period.days) if changed else 0
    )


@given(zones, moments)
def test_the_offset_is_the_zones_own(zone: str, at: datetime) -> None:
    assert (at + timedelta(seconds=utc_offset_s(zone, at))).replace(tzinfo=None) == at.astimezone(
        ZoneInfo(zone)
    ).replace(tzinfo=None)


def test_the_clocks_of_berlin_change_and_the_others_do_not() -> None:
    for zone in ZONES:
        offsets = {utc_offset_s(zone, moment) for moment in (SPRING - timedelta(hours=1), SPRING, AUTUMN)}
        assert len(offsets) == (2 if zone == "Europe/Berlin" else 1), zone


@given(st.lists(quiet_times, max_size=20))
def test_what_is_stored_is_read_back_the_same(times: list[QuietTime]) -> None:
    checked = checked_quiet_times(times)
    assert read_quiet_times([period.row() for period in checked]) == checked


@pytest.mark.parametrize(
    "bad",
    [
        [QuietTime((), "08:00", "16:00")],
        [QuietTime((0,), "08:00", "16:00")],
        [QuietTime((8,), "08:00", "16:00")],
        [QuietTime((1, 1), "08:00", "16:00")],
        [QuietTime((1,), "08:00", "08:00")],
        [QuietTime((1,), "8:00", "16:00")],
        [QuietTime((1,), "08:00", "24:00")],
        [QuietTime((1,), "08:00", "16:00")] * 21,
    ],
)
def test_what_makes_no_sense_is_refused(bad: list[QuietTime]) -> None:
    with pytest.raises(QuietTimesError):
        checked_quiet_times(bad)
