"""Likely state of a silent watch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.core.devices.presence.rules import (
    Battery,
    Journey,
    PresenceFacts,
    PresenceState,
    battery_after_reading,
    derive_presence,
    is_probably_flat,
    journey_since,
    silent_since,
    trend_pct_per_h,
    worn_since_silence_s,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEARD = PresenceFacts(
    has_said_hello=True, online=True, gone_by="", since_at=NOW - HOUR, last_seen_at=NOW - timedelta(minutes=40),
    asleep_until_at=None, battery=Battery(80, NOW - HOUR), sim_expires_on=date(2026, 3, 2), timezone="Asia/Shanghai",
)  # fmt: skip
GONE = replace(HEARD, online=False, gone_by="will")
ON_ITS_WAY = Journey(NOW - timedelta(days=3), is_overdue=False)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (replace(HEARD, has_said_hello=False), PresenceState.ISSUED),
        (HEARD, PresenceState.ONLINE),
        (replace(HEARD, asleep_until_at=NOW + HOUR), PresenceState.ASLEEP),
        (replace(HEARD, asleep_until_at=NOW), PresenceState.ONLINE),
        (GONE, PresenceState.OFFLINE),
        (replace(GONE, gone_by="kicked"), PresenceState.OFFLINE),
        (replace(GONE, gone_by="silence"), PresenceState.SILENT),
        (replace(GONE, gone_by="off", battery=Battery(2, NOW)), PresenceState.SWITCHED_OFF),
        (replace(GONE, sim_expires_on=date(2026, 3, 1)), PresenceState.SIM_EXPIRED),
        (replace(GONE, battery=Battery(2, NOW)), PresenceState.FLAT),
        (replace(HEARD, battery=Battery(2, NOW), sim_expires_on=date(2026, 1, 1)), PresenceState.ONLINE),
        (replace(HEARD, has_said_hello=False, journey=ON_ITS_WAY), PresenceState.ISSUED),
        (replace(HEARD, journey=ON_ITS_WAY), PresenceState.ONLINE),
        (replace(HEARD, asleep_until_at=NOW + HOUR, journey=ON_ITS_WAY), PresenceState.ASLEEP),
        (replace(GONE, journey=ON_ITS_WAY), PresenceState.ON_ITS_WAY),
        (replace(GONE, gone_by="off", battery=Battery(2, NOW), journey=ON_ITS_WAY), PresenceState.ON_ITS_WAY),
    ],
)
def test_each_case_has_its_word(facts: PresenceFacts, word: PresenceState) -> None:
    assert derive_presence(facts, NOW).word is word


def test_a_journey_is_overdue_after_thirty_days_and_is_no_silence() -> None:
    assert journey_since(None, NOW) is None
    assert journey_since(NOW - timedelta(days=30) + timedelta(seconds=1), NOW) == Journey(
        NOW - timedelta(days=30) + timedelta(seconds=1), is_overdue=False
    )
    assert journey_since(NOW - timedelta(days=30), NOW) == Journey(NOW - timedelta(days=30), is_overdue=True)
    assert silent_since(None, NOW - timedelta(days=9), NOW) is not None
    assert silent_since(None, NOW - timedelta(days=9), NOW, on_its_way=True) is None


@pytest.mark.parametrize(
    ("began_at", "ended_at", "worn_s", "counted_s"),
    [
        (NOW - 3 * HOUR, NOW, 3600, 3600),
        # Worn in the factory, before the silence: nothing of it was worn on arrival.
        (NOW - 30 * HOUR, NOW - 25 * HOUR, 3600, 0),
        # A period that spans the silence counts at most the time after its beginning.
        (NOW - 30 * HOUR, NOW - 24 * HOUR + timedelta(minutes=10), 3600, 600),
        # A clock that was set meanwhile: a period without a date shows nothing.
        (None, NOW, 3600, 0),
        (NOW - HOUR, None, 3600, 0),
    ],
)
def test_what_was_worn_before_the_silence_does_not_count(
    began_at: datetime | None, ended_at: datetime | None, worn_s: int, counted_s: int
) -> None:
    assert worn_since_silence_s(began_at, ended_at, worn_s, NOW - 24 * HOUR) == counted_s


def test_a_silence_begins_with_the_last_word_and_all_else_when_it_was_seen() -> None:
    assert derive_presence(replace(GONE, gone_by="silence"), NOW).since_at == HEARD.last_seen_at
    assert derive_presence(GONE, NOW).since_at == HEARD.since_at
    assert derive_presence(replace(GONE, since_at=None), NOW).since_at == HEARD.last_seen_at


@pytest.mark.parametrize(
    ("timezone", "ends_at"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 2, 16, 0, tzinfo=UTC)),
        ("Europe/Istanbul", datetime(2026, 3, 2, 21, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 3, 5, 0, tzinfo=UTC)),
    ],
)
def test_a_plan_ends_with_the_day_of_the_site(timezone: str, ends_at: datetime) -> None:
    gone = replace(GONE, timezone=timezone)
    assert derive_presence(gone, ends_at - timedelta(seconds=1)).word is PresenceState.OFFLINE
    assert derive_presence(gone, ends_at).word is PresenceState.SIM_EXPIRED


def test_a_trend_is_told_once_an_hour_shows_it_and_not_while_it_charges() -> None:
    assert trend_pct_per_h(Battery()) is None
    first = battery_after_reading(Battery(), 50, NOW)
    assert trend_pct_per_h(first) is None
    assert trend_pct_per_h(battery_after_reading(first, 45, NOW + HOUR / 2)) is None
    assert trend_pct_per_h(battery_after_reading(first, 41, NOW + 2 * HOUR)) == -4.5
    assert (
        trend_pct_per_h(battery_after_reading(battery_after_reading(first, 41, NOW + 2 * HOUR), 60, NOW + 3 * HOUR))
        is None
    )


def test_a_falling_level_is_drawn_out_until_it_is_empty() -> None:
    battery = battery_after_reading(battery_after_reading(Battery(), 50, NOW), 40, NOW + HOUR)
    assert battery == Battery(40, NOW + HOUR, 50, NOW)
    # Ten percent an hour: 37 of them are gone after 3 hours and 42 minutes.
    assert not is_probably_flat(battery, NOW + HOUR + timedelta(hours=3, minutes=41))
    assert is_probably_flat(battery, NOW + HOUR + timedelta(hours=3, minutes=43))


def test_two_levels_within_an_hour_are_no_trend() -> None:
    battery = battery_after_reading(battery_after_reading(Battery(), 50, NOW), 40, NOW + timedelta(minutes=10))
    assert not is_probably_flat(battery, NOW + timedelta(days=1))


def test_readings_in_quick_succession_keep_the_older_one_that_shows_the_trend() -> None:
    battery = Battery()
    for minutes in range(0, 121, 10):
        battery = battery_after_reading(battery, 60 - minutes // 10, NOW + timedelta(minutes=minutes))
    assert battery.at is not None
    assert battery.before_at is not None
    assert timedelta(hours=1) <= battery.at - battery.before_at <= timedelta(hours=1, minutes=10)


def test_charging_ends_the_trend() -> None:
    battery = battery_after_reading(
        battery_after_reading(battery_after_reading(Battery(), 50, NOW), 40, NOW + HOUR), 90, NOW + 2 * HOUR
    )
    assert battery == Battery(90, NOW + 2 * HOUR)
    assert not is_probably_flat(battery, NOW + timedelta(days=9))


def test_a_low_level_does_not_last_long_and_an_unknown_one_says_nothing() -> None:
    assert not is_probably_flat(Battery(10, NOW), NOW + timedelta(minutes=119))
    assert is_probably_flat(Battery(10, NOW), NOW + timedelta(minutes=120))
    assert not is_probably_flat(Battery(), NOW)
