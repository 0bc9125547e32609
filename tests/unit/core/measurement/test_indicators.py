"""Every indicator against numbers worked by hand; the working stands beside each, and in docs/usage.md."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.core.devices.presence.rules import Journey
from services.core.measurement.counting.days import (
    Period,
    Quiet,
    RecordedMessage,
    counted_seconds,
    days_of_family,
    days_of_watch,
)
from services.core.measurement.indicators.device_states import Device, device_states
from services.core.measurement.indicators.rules import (
    INDICATORS,
    DropOut,
    FamilyWeek,
    Measure,
    assigned_days,
    drop_out,
    longest_gap,
    median_wait,
    quarter_of,
    quartiles,
    survival_at,
    week_of,
)

MONDAY = date(2026, 3, 2)


def week(**fields: object) -> FamilyWeek:
    return FamilyWeek(family_id=uuid.uuid4(), **fields)  # type: ignore[arg-type]


H = 3600
# Five families. The fifth had its watch for 3 days only: enrolled, and no family-week.
FIVE = [
    week(to_child=6, to_family=4, voice_s=50, delivered=9, delivered_5_min=7, delivered_24_h=9, played_7_d=8, calls=1,
         worn_s=7 * 8 * H, contact_days=6, longest_gap_days=2, silent_days=0, heartbeat_hours=90, reboots=1,
         followed_days=400, parent_waits=((1 * H, True), (5 * H, True)), child_waits=((2 * H, True),)),
    week(to_child=3, to_family=1, voice_s=10, delivered=4, delivered_5_min=2, delivered_24_h=3, played_7_d=2,
         worn_s=7 * 4 * H, contact_days=3, longest_gap_days=4, silent_days=1, heartbeat_hours=60, low_battery_days=2,
         reminders=3, reminders_followed=2,
         followed_days=200, parent_waits=((3 * H, True), (72 * H, False))),
    week(to_child=2, voice_s=4, delivered=1, delivered_5_min=0, delivered_24_h=1, played_7_d=0, contact_days=1,
         longest_gap_days=10, silent_days=6, heartbeat_hours=20, low_battery_days=5, reboots=3, followed_days=100,
         parent_waits=((72 * H, False),)),
    week(calls=2, reminders=1, contact_days=0, longest_gap_days=28, silent_days=30, heartbeat_hours=26,
         followed_days=60,
         drop_out_reason=DropOut.SILENT),
    week(assigned_days=3, to_child=5, to_family=5, voice_s=99, delivered=10, delivered_5_min=10, delivered_24_h=10,
         played_7_d=10, contact_days=3, silent_days=0, reminders=1, heartbeat_hours=42, followed_days=30,
         drop_out_reason=DropOut.RETURNED),
]  # fmt: skip

BY_HAND = {
    # Both ways: the first, second and fifth of five.
    "active_use": Measure(5, 3, 0.6),
    # Fewer than five values: median and quartiles are the mean of all. (10 + 4 + 2 + 0) / 4.
    "messages": Measure(4, None, 4, 4, 4),
    # The mean of all: (50 + 10 + 4 + 0) / 4.
    "voice_s": Measure(4, None, 16, 16, 16),
    # The mean of all: (1 + 0 + 0 + 2) / 4.
    "calls": Measure(4, None, 0.75, 0.75, 0.75),
    # 2 x 4 / 10 = 0.8, 2 x 1 / 4 = 0.5, 0; the fourth has none: 1.3 / 3.
    "reciprocity": Measure(3, None, 1.3 / 3, 1.3 / 3, 1.3 / 3),
    # The first family waits 1 and 5 h: half have their answer at 1 h. The second at 3 h. The third not within 72 h.
    "response_child_h": Measure(3, None, (1 + 3 + 72) / 3, 76 / 3, 76 / 3),
    "response_parent_h": Measure(1, None, 2, 2, 2),
    # Played 8, 2 and 0 of 9, 4 and 1 delivered.
    "listen_rate": Measure(3, None, 10 / 14),
    # 6, 3 and 3 contact days of five.
    "regularity": Measure(5, 3, 0.6),
    # The mean of all: (2 + 4 + 10 + 28) / 4.
    "longest_gap_days": Measure(4, None, 11, 11, 11),
    # (90 + 60 + 20 + 26) / (4 x 7 x 14) = 196 / 392
    "uptime": Measure(4, None, 0.5),
    # (7 + 2 + 0) / (10 + 4 + 2), and (9 + 3 + 1) / 16
    "delivered_5_min": Measure(3, None, 9 / 16),
    "delivered_24_h": Measure(3, None, 13 / 16),
    # 8, 4, 0, 0 hours a day
    "worn_h": Measure(4, None, 3, 3, 3),
    # The mean of all: (0 + 2 + 5 + 0) / 4.
    "low_battery_days": Measure(4, None, 1.75, 1.75, 1.75),
    # The mean of all: (1 + 0 + 3 + 0) / 4.
    "reboots": Measure(4, None, 1, 1, 1),
    # (2 + 0) / (3 + 1); the other two wanted none, and the fifth has no family-week.
    "reminders_followed": Measure(2, None, 0.5),
    # 30 days; 6 are not yet silent.
    "silent": Measure(5, 1, 0.2),
    "drop_out": Measure(5, 2, 0.4),
    # The fourth fell silent, the fifth gave its watch back.
    "drop_out_silent": Measure(5, 1, 0.2),
    "drop_out_returned": Measure(5, 1, 0.2),
    # Followed 400, 200, 100 days; dropped at 60 (one of four left) and at 30 (one of five): three of five remain.
    "survival_28": Measure(5, 5, 1.0),
    "survival_91": Measure(5, 3, 4 / 5 * 3 / 4),
    "survival_182": Measure(5, 3, 0.6),
    "survival_364": Measure(5, 3, 0.6),
}


@pytest.mark.parametrize("code", INDICATORS)
def test_an_indicator_is_what_was_worked_by_hand(code: str) -> None:
    measure, wanted = INDICATORS[code].formula(FIVE, None), BY_HAND[code]
    assert (measure.families, measure.count) == (wanted.families, wanted.count)
    for name in ("value", "lower_quartile", "upper_quartile"):
        assert getattr(measure, name) == pytest.approx(getattr(wanted, name))


def test_in_a_small_group_the_whole_stands_in_for_families_without_a_value() -> None:
    # Given a programme of twenty families with four messages each, all delivered within a day, and three silent ones.
    programme = [week(to_child=3, to_family=1, delivered_24_h=4) for _ in range(20)] + [week() for _ in range(3)]
    whole = {code: INDICATORS[code].formula(programme, None) for code in ("reciprocity", "delivered_24_h")}
    assert (whole["reciprocity"].value, whole["delivered_24_h"].value) == (0.5, 1)
    # Then a cohort in which two spoke, and nobody answered, has the mean around the middle of two and eight others.
    cohort = [week(to_child=4, delivered_24_h=0), week(to_child=4, delivered_24_h=0), week()]
    measure = INDICATORS["reciprocity"].formula(cohort, whole["reciprocity"])
    # 0 0 .5 .5 .5 .5 .5 .5 .5 .5: six in the middle.
    assert (measure.families, measure.value) == (2, 0.5)
    # Two families with 4 messages each, none in time, and eight of the programme's with 4: 32 of 40.
    measure = INDICATORS["delivered_24_h"].formula(cohort, whole["delivered_24_h"])
    assert (measure.families, measure.value) == (2, 0.8)
    # In one without a word it is the programme's number.
    assert INDICATORS["delivered_24_h"].formula([week()], whole["delivered_24_h"]).value == 1


def test_a_median_is_the_mean_of_the_middle_third_and_a_quartile_of_a_sixth_and_of_five_at_least() -> None:
    # 0 1 4 9 ... 841: places 10 to 19 around 14.5; 5 values around 7.25 and 21.75.
    squares = [number**2 for number in range(30)]
    measure = quartiles(reversed(squares))
    assert measure.value == pytest.approx(sum(squares[10:20]) / 10)
    assert measure.lower_quartile == pytest.approx(sum(squares[5:10]) / 5)
    assert measure.upper_quartile == pytest.approx(sum(squares[20:25]) / 5)
    # Eight values: six in the middle, as many left out below as above; five from each end.
    measure = quartiles([1, 2, 3, 4, 5, 6, 7, 8])
    assert (measure.lower_quartile, measure.value, measure.upper_quartile) == (3, 4.5, 6)


@pytest.mark.parametrize("size", [5, 6, 11, 19, 20, 50, 300])
def test_no_median_or_quartile_hangs_on_one_family(size: int) -> None:
    """Whichever family's number becomes enormous, each figure changes by a fifth of it at most."""
    values = [float(number) for number in range(size)]
    before = quartiles(values)
    for place in range(size):
        after = quartiles([*values[:place], values[place] + 1_000, *values[place + 1 :]])
        for name in ("lower_quartile", "value", "upper_quartile"):
            assert abs(getattr(after, name) - getattr(before, name)) <= 1_000 / 5 + 5


@pytest.mark.parametrize("code", INDICATORS)
def test_nobody_makes_no_number(code: str) -> None:
    assert INDICATORS[code].formula([], None).value is None


def test_half_never_answered_is_no_median() -> None:
    assert median_wait([(1, True), (2, True), (72, False), (72, False), (72, False)]) is None
    # Answered and censored at the same moment: who is censored is still at risk. 4/5 x 2/4 = 2/5.
    assert median_wait([(1, True), (3, True), (3, True), (3, False), (9, True)]) == 3
    # Of 7: 6/7 at 1 h; one is censored; of the 5 left 4/5 at 4 h (0.69), 3/4 at 5 h (0.51), 2/3 at 6 h (0.34).
    assert median_wait([(1, True), (2, False), (4, True), (5, True), (6, True), (7, False), (8, False)]) == 6
    # Beyond 72 h is shown as 72.
    waiting = [week(parent_waits=((72 * H, False), (72 * H, False), (1 * H, True)))]
    assert INDICATORS["response_child_h"].formula(waiting, None).value == 72


def test_survival_with_censoring_worked_by_hand() -> None:
    # 2+ 3 3 5 8+: at 3, two of four: 1/2; at 5, one of two: 1/4.
    followed = [(2, False), (3, True), (3, True), (5, True), (8, False)]
    assert [survival_at(followed, moment) for moment in (2, 3, 4, 5, 9)] == [1, 0.5, 0.5, 0.25, 0.25]


def test_gaps_assigned_days_and_drop_out_by_hand() -> None:
    day = [MONDAY + timedelta(days=number) for number in range(80)]
    # Contact on days 2 and 6 of 0..9: gaps of 2, 3 and 3 days.
    assert longest_gap([day[2], day[6]], day[0], day[9]) == 3
    assert longest_gap([], day[0], day[9]) == 10
    assert assigned_days([(day[3], None)], MONDAY) == 4
    # Two watches on one day are one day: 0..2 and 2..3.
    assert assigned_days([(day[0], day[2]), (day[2], day[3])], MONDAY) == 4
    # Last contact on day 10: the 28th silent day is day 38, not before.
    assert drop_out([day[0], day[10]], day[0], day[37], None) is None
    assert drop_out([day[0], day[10]], day[0], day[38], None) == (day[38], "silent")
    # It came back on day 39: it had dropped out all the same. On day 38 it would not have.
    assert drop_out([day[10], day[39]], day[0], day[60], None) == (day[38], "silent")
    assert drop_out([day[10], day[38]], day[0], day[60], None) is None
    assert drop_out([day[10]], day[0], day[60], day[20]) == (day[20], "returned")
    assert drop_out([], day[0], day[27], None) == (day[27], "silent")


def test_weeks_and_quarters() -> None:
    assert week_of(date(2026, 3, 8)) == MONDAY
    # 2026 begins on a Thursday: its first week is of 2025's last Monday.
    assert quarter_of(date(2025, 12, 29)) == quarter_of(date(2026, 3, 23)) == date(2025, 12, 29)
    assert quarter_of(date(2026, 3, 30)) == date(2026, 3, 30)


NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=200)


@pytest.mark.parametrize(
    ("device", "states"),
    [
        (Device("registered", None, None, None), ("registered",)),
        (Device("lost", NOW, NOW, 5), ("lost",)),
        (Device("handed_out", None, None, None), ("handed_out",)),
        (Device("handed_out", NOW - timedelta(minutes=1), None, None), ("handed_out", "paired")),
        (Device("handed_out", NOW - timedelta(hours=49), None, None), ("handed_out", "paired", "silent_48_hours")),
        (Device("handed_out", LONG_AGO, NOW - timedelta(hours=48), 15),
         ("handed_out", "paired", "active_7_days", "low_battery")),
        (Device("handed_out", LONG_AGO, NOW - timedelta(hours=49), 16),
         ("handed_out", "paired", "active_7_days", "silent_48_hours")),
        (Device("handed_out", LONG_AGO, NOW - timedelta(days=8), None), ("handed_out", "paired", "silent_48_hours")),
        (Device("handed_out", LONG_AGO, None, None, Journey(LONG_AGO, is_overdue=False)),
         ("handed_out", "paired", "on_its_way")),
        (Device("handed_out", LONG_AGO, None, 9, Journey(LONG_AGO, is_overdue=True)),
         ("handed_out", "paired", "not_arrived", "low_battery")),
    ],
)  # fmt: skip
def test_a_watch_is_in_these_states(device: Device, states: tuple[str, ...]) -> None:
    assert device_states(device, NOW) == states


SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


def test_quiet_hours_are_not_waited_for() -> None:
    night = [Quiet(NOW, [{"days": EVERY_DAY, "from": "21:00", "to": "07:00"},
                         {"days": EVERY_DAY, "from": "06:00", "to": "08:00"}], SHANGHAI)]  # fmt: skip
    # From 20:00 to 09:00 in Shanghai are 13 h; 21 to 08 are quiet, once, though two times overlap: 2 h.
    assert counted_seconds(NOW + timedelta(hours=4), NOW + timedelta(hours=17), night) == 2 * H
    # In Berlin the night to 29 March 2026 lacks an hour: 20:00 to 08:00 are 11 h, 9 of them quiet.
    spring = datetime(2026, 3, 28, 19, 0, tzinfo=UTC)
    quiet = [Quiet(NOW, [{"days": EVERY_DAY, "from": "21:00", "to": "07:00"}], BERLIN)]
    assert counted_seconds(spring, spring + timedelta(hours=11), quiet) == 2 * H
    # Saturdays only: the Monday is counted whole.
    weekend = [Quiet(NOW, [{"days": [6], "from": "00:00", "to": "23:59"}], SHANGHAI)]
    assert counted_seconds(NOW, NOW + timedelta(hours=5), weekend) == 5 * H


def test_siblings_do_not_answer_for_each_other() -> None:
    spoken = [
        RecordedMessage("mei", True, NOW, NOW + timedelta(minutes=5), NOW + timedelta(hours=1)),
        RecordedMessage("bo", False, NOW + timedelta(hours=1)),
        RecordedMessage("mei", False, NOW + timedelta(hours=2)),
    ]
    (day,) = days_of_family(spoken, [], {}, SHANGHAI).values()
    assert (day.parent_waits, day.child_waits) == ([(115 * 60, True)], [])
    assert (day.delivered, day.delivered_5_min, day.played_7_d) == (1, 1, 1)


def test_the_72_hours_end_a_wait_and_the_7_days_end_the_look() -> None:
    late = timedelta(hours=72)
    spoken = [RecordedMessage("mei", True, NOW, NOW), RecordedMessage("mei", False, NOW + late)]
    assert next(iter(days_of_family(spoken, [], {}, SHANGHAI).values())).parent_waits == [(72 * H, False)]
    spoken = [RecordedMessage("mei", True, NOW, NOW), RecordedMessage("mei", False, NOW + late - timedelta(seconds=1))]
    assert next(iter(days_of_family(spoken, [], {}, SHANGHAI).values())).parent_waits == [(72 * H - 1, True)]
    arrived = NOW + timedelta(days=7)
    assert (
        next(iter(days_of_family([RecordedMessage("mei", True, NOW, arrived)], [], {}, SHANGHAI).values())).delivered
        == 0
    )


def test_an_hour_counts_when_the_watch_was_there_for_most_of_its_report() -> None:
    # 16:00 in Shanghai. Two and a half hours, offline for less than half: the hours 16, 17 and 18.
    reported = Period(NOW, NOW + timedelta(minutes=150), offline_s=74 * 60, reboots=1, battery_min_pct=20)
    away = Period(NOW - timedelta(hours=2), NOW, offline_s=H, battery_min_pct=12)
    (day,) = days_of_watch([NOW + timedelta(hours=6)], [reported, away], SHANGHAI).values()
    assert [hour for hour in range(24) if day.hours >> hour & 1] == [16, 17, 18, 22]
    assert (day.battery_min_pct, day.reboots, day.offline_s) == (12, 1, 74 * 60 + H)
