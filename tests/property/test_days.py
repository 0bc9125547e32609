"""Days and hours where the families live, and where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.location.tracks.days import Hours, any_hold, day_span, local_day

# The programme's, one with summer time, and the odd ones: half hours, midnight skipped, a date skipped.
PLACES = [
    "Asia/Shanghai", "Asia/Ho_Chi_Minh", "Europe/Istanbul", "Europe/Berlin", "Asia/Kolkata", "America/Santiago",
    "Africa/Cairo", "Pacific/Apia", "Asia/Beirut",
]  # fmt: skip
ZONES = st.sampled_from(PLACES).map(ZoneInfo)
DAYS = st.dates(date(2005, 1, 2), date(2035, 12, 30))
INSTANTS = st.datetimes(datetime(2005, 1, 2), datetime(2035, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(DAYS, ZONES)
def test_each_day_ends_where_the_next_begins(day: date, zone: ZoneInfo) -> None:
    assert day_span(day, zone).ends_at == day_span(day + timedelta(days=1), zone).starts_at


@given(INSTANTS, ZONES)
def test_every_instant_lies_in_the_day_the_wall_shows_and_in_no_other(instant: datetime, zone: ZoneInfo) -> None:
    day = local_day(instant, zone)
    for other in (day - timedelta(days=1), day, day + timedelta(days=1)):
        span = day_span(other, zone)
        assert (span.starts_at <= instant < span.ends_at) == (other == day)


@pytest.mark.parametrize(
    ("place", "day", "hours"),
    [
        ("Asia/Shanghai", date(2026, 3, 2), 24),
        ("Asia/Ho_Chi_Minh", date(2026, 3, 29), 24),
        ("Europe/Istanbul", date(2026, 3, 29), 24),  # no summer time since 2016
        ("Europe/Istanbul", date(2015, 11, 8), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Santiago", date(2026, 9, 6), 23),  # clocks jump over midnight
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the date was skipped
    ],
)
def test_a_day_has_as_many_hours_as_it_has(place: str, day: date, hours: int) -> None:
    span = day_span(day, ZoneInfo(place))
    assert span.ends_at - span.starts_at == timedelta(hours=hours)


def test_a_day_begins_at_the_midnight_of_its_place() -> None:
    assert day_span(date(2026, 3, 2), ZoneInfo("Asia/Shanghai")).starts_at == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert day_span(date(2026, 3, 2), ZoneInfo("Asia/Ho_Chi_Minh")).starts_at == datetime(2026, 3, 1, 17, tzinfo=UTC)
    assert day_span(date(2026, 3, 2), ZoneInfo("Europe/Istanbul")).starts_at == datetime(2026, 3, 1, 21, tzinfo=UTC)
    assert day_span(date(2026, 3, 29), ZoneInfo("Europe/Berlin")).starts_at == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert day_span(date(2026, 3, 30), ZoneInfo("Europe/Berlin")).starts_at == datetime(2026, 3, 29, 22, tzinfo=UTC)


CLOCKS = st.times(time(0, 0), time(23, 59)).map(lambda clock: clock.replace(second=0, microsecond=0))
WEEKS = st.frozensets(st.integers(1, 7), min_size=1)


@given(INSTANTS, ZONES, WEEKS, CLOCKS, CLOCKS)
def test_hours_hold_when_the_wall_says_so(
    instant: datetime, zone: ZoneInfo, days: frozenset[int], starts: time, ends: time
) -> None:
    local = instant.astimezone(zone)
    began = local.date() if starts <= local.time() or starts == ends else local.date() - timedelta(days=1)
    # In minutes since midnight of the day on which the hours began.
    now_min = local.hour * 60 + local.minute + (1440 if began != local.date() else 0)
    starts_min, ends_min = (clock.hour * 60 + clock.minute for clock in (starts, ends))
    if starts == ends:
        expected = local.isoweekday() in days
    else:
        until_min = ends_min + (1440 if ends_min < starts_min else 0)
        expected = began.isoweekday() in days and starts_min <= now_min < until_min
    assert Hours(days, starts, ends).hold(instant, zone) == expected


@given(INSTANTS, ZONES)
def test_without_hours_it_is_always_time(instant: datetime, zone: ZoneInfo) -> None:
    assert any_hold([], instant, zone)


def test_the_hour_that_comes_twice_counts_twice_and_the_one_that_is_skipped_never() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Hours(frozenset({7}), time(2, 0), time(3, 0))
    twice = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    assert [night.hold(moment, berlin) for moment in twice] == [True, True]
    spring = [datetime(2026, 3, 29, 0, 0, tzinfo=UTC) + timedelta(minutes=10 * step) for step in range(18)]
    assert not any(night.hold(moment, berlin) for moment in spring)
