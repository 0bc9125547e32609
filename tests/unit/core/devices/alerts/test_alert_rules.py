"""What is decided about alerts, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.devices.alerts import rules
from services.core.devices.alerts.errors import AlertKindUnknownError
from services.core.devices.alerts.rules import AlertKind
from services.protocol import words

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_the_watchs_kinds_are_the_wires_and_the_others_the_backends_own() -> None:
    assert {kind.value for kind in AlertKind if kind not in rules.BACKEND_KINDS} == {
        word.value for word in words.AlertKind
    }


def test_a_kind_that_is_no_word_of_ours_is_refused() -> None:
    assert rules.parse_alert_kind("fall") is AlertKind.FALL
    with pytest.raises(AlertKindUnknownError):
        rules.parse_alert_kind("listen")


def test_only_a_cry_for_help_and_its_taking_back_are_never_merged() -> None:
    never = {kind for kind in AlertKind if not rules.window_of(kind)}
    assert never == {AlertKind.SOS, AlertKind.SOS_CANCELLED}


def test_who_may_not_locate_learns_of_no_zone() -> None:
    assert {"zone_left", "zone_entered"}.isdisjoint(rules.kinds_visible_with(frozenset({"message", "manage"})))
    assert set(rules.kinds_visible_with(frozenset({"message", "locate"}))) == {kind.value for kind in AlertKind}
    assert rules.kinds_visible_with(frozenset({"manage"})) == []


def test_only_an_sos_and_an_unreadable_call_are_escalated_and_one_round_at_a_time() -> None:
    minute = timedelta(seconds=60)
    for kind in AlertKind:
        due = rules.first_escalation_at(kind, NOW, another_is_escalating=False)
        assert due == (NOW + minute if kind in {AlertKind.SOS, AlertKind.UNREADABLE} else None)
    assert rules.first_escalation_at(AlertKind.SOS, NOW, another_is_escalating=True) is None


def test_guardians_are_called_in_order_each_once_until_nobody_is_left() -> None:
    called: list[str] = []
    while (one := rules.next_guardian_to_call(["a", "b", "c"], called)) is not None:
        called.append(one)
        due = rules.next_escalation_at(["a", "b", "c"], called, NOW)
        assert due == (None if len(called) == 3 else NOW + timedelta(seconds=60))
    assert called == ["a", "b", "c"]
    # Somebody who joins meanwhile is called, somebody who leaves is not called twice.
    assert rules.next_guardian_to_call(["d", "a"], called) == "d"
    assert rules.next_guardian_to_call([], called) is None


@pytest.mark.parametrize(
    ("before_pct", "level_pct", "calls"),
    [(None, 15, True), (None, 16, False), (16, 15, True), (15, 14, False), (14, 80, False), (80, 3, True)],
)
def test_a_battery_calls_once_when_it_gets_low(before_pct: int | None, level_pct: int, *, calls: bool) -> None:
    assert rules.is_new_low_battery(before_pct, level_pct) is calls
