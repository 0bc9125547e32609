"""Rules of alerts, without a database."""

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


def test_only_an_sos_and_an_unreadable_call_are_escalated() -> None:
    assert {kind for kind in AlertKind if rules.is_escalated(kind)} == {AlertKind.SOS, AlertKind.UNREADABLE}


def test_a_text_says_when_the_watch_called_on_the_childs_wall_clock() -> None:
    assert rules.time_of_call(NOW, "Asia/Shanghai", NOW + timedelta(hours=6)) == "16:00"
    assert rules.time_of_call(NOW, "Asia/Shanghai", NOW + timedelta(hours=9)) == "2026-03-02 16:00"
    assert rules.time_of_call(NOW, "Europe/Istanbul", NOW) == "11:00"


@pytest.mark.parametrize(
    ("before_pct", "level_pct", "calls"),
    [(None, 15, True), (None, 16, False), (16, 15, True), (15, 14, False), (14, 80, False), (80, 3, True)],
)
def test_a_battery_calls_once_when_it_gets_low(before_pct: int | None, level_pct: int, *, calls: bool) -> None:
    assert rules.is_new_low_battery(before_pct, level_pct) is calls
