"""Rules of commands, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.devices.commands import rules
from services.core.devices.commands.rules import CommandKind, CommandState
from services.protocol import words
from services.protocol.limits import COMMAND_TTL_MAX_S

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_the_kinds_are_the_wires_but_for_those_that_nobody_gives() -> None:
    assert {kind.value for kind in CommandKind} == {word.value for word in words.CommandKind} - {"firmware", "wipe"}


def test_the_answers_are_the_wires_words() -> None:
    assert set(rules.ANSWERS) == {word.value for word in words.AckState}


def test_every_command_has_an_end() -> None:
    assert all(0 < rules.ttl_s(kind) <= COMMAND_TTL_MAX_S for kind in CommandKind)


@pytest.mark.parametrize(
    ("asked_at", "wait_s"),
    [
        ([], 0),
        ([_ago(seconds=31)], 0),
        ([_ago(seconds=29)], 1),
        ([_ago(minutes=59) + timedelta(minutes=2 * n) for n in range(19)], 0),
        ([_ago(minutes=59) + timedelta(minutes=2 * n) for n in range(20)], 60),
    ],
)
def test_locating_has_a_pause_and_an_hourly_limit(asked_at: list[datetime], wait_s: int) -> None:
    assert rules.wait_before_next(CommandKind.LOCATE, asked_at, NOW) == timedelta(seconds=wait_s)


@pytest.mark.parametrize("state", CommandState)
def test_an_answer_is_final_and_a_guess_of_ours_is_not(state: CommandState) -> None:
    is_open = state in rules.OPEN_STATES
    assert rules.may_move(state, CommandState.DONE) is (is_open or state is CommandState.EXPIRED)
    assert rules.may_move(state, CommandState.EXPIRED) is is_open
    assert not rules.may_move(state, state)
    assert not rules.may_move(state, CommandState.WAITING)


def test_it_is_sent_once_a_connection_and_never_after_the_watch_has_it() -> None:
    assert rules.is_to_be_sent(CommandState.WAITING, None, None)
    assert not rules.is_to_be_sent(CommandState.SENT, NOW, _ago(seconds=5))
    assert rules.is_to_be_sent(CommandState.SENT, _ago(seconds=5), NOW)
    assert not rules.is_to_be_sent(CommandState.DELIVERED, _ago(seconds=5), NOW)
    assert not rules.is_to_be_sent(CommandState.EXPIRED, None, NOW)
