"""Rounds of calls, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.core.devices.alerts import round_rules as rules
from services.protocol import words

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_states_of_a_call_are_the_wires() -> None:
    assert {state.value for state in rules.CallState} == {word.value for word in words.CallState}


def test_a_round_repeats_after_5_15_30_and_60_minutes_and_then_hourly_until_six_hours_are_over() -> None:
    called_at, until, minutes = NOW, NOW + rules.CALLING_MAX, []
    for round_no in range(1, 20):
        due = rules.next_round_at(round_no, called_at, until)
        if due is None:
            break
        minutes.append(int((due - called_at) / MINUTE))
        called_at = due
    assert minutes == [5, 15, 30, 60, 60, 60, 60, 60]
    assert called_at == NOW + timedelta(minutes=350)


def test_those_with_a_working_push_are_not_called_at_once() -> None:
    assert rules.called_at_once(["a", "b", "c"], {"b"}) == ["a", "c"]
    assert rules.called_at_once(["a"], {"a"}) == []


def test_another_press_brings_the_next_round_forward_and_never_within_five_minutes_of_the_last() -> None:
    due = NOW + timedelta(minutes=60)
    assert rules.earlier_round_at(due, NOW, NOW + MINUTE) == NOW + timedelta(minutes=5)
    assert rules.earlier_round_at(due, NOW, NOW + timedelta(minutes=20)) == NOW + timedelta(minutes=20)
    assert rules.earlier_round_at(NOW + MINUTE, NOW, NOW) == NOW + MINUTE


def test_a_tap_before_the_alert_or_in_the_future_is_a_wrong_clock_and_counts_as_now() -> None:
    now = NOW + timedelta(minutes=10)
    assert rules.tapped_at(NOW + MINUTE, NOW, now) == NOW + MINUTE
    for wrong in (None, NOW - MINUTE, now + MINUTE):
        assert rules.tapped_at(wrong, NOW, now) == now
    assert not rules.is_late(NOW, NOW + timedelta(seconds=60))
    assert rules.is_late(NOW, NOW + timedelta(seconds=61))
