"""When a code may be sent and counts, what a phone number is, how a session goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.people.accounts.errors import PinRefusedError
from services.core.people.accounts.rules import (
    CODE_TRIES,
    DEVICE_LIFETIME,
    LIMITED_LIFETIME,
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    Challenge,
    PresentedToken,
    RefreshVerdict,
    StoredSession,
    check_pin,
    code_counts,
    device_is_known,
    judge_refresh,
    number_range,
    session_is_live,
    wait_before_next_code,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_second_code_waits_a_minute() -> None:
    assert wait_before_next_code(None, NOW) == timedelta(0)
    assert wait_before_next_code(NOW - 59 * SECOND, NOW) == SECOND
    assert wait_before_next_code(NOW - 60 * SECOND, NOW) == timedelta(0)


def test_a_number_stands_in_a_range() -> None:
    assert number_range("+8613800138000") == "+861380013"


@pytest.mark.parametrize(
    "pin",
    ["", "12345", "1234567890123", "000000", "123456", "98765432", "890123", "12a456", "\N{FULLWIDTH DIGIT SEVEN}" * 6],
)
def test_a_pin_that_anybody_would_try_first_is_refused(pin: str) -> None:
    with pytest.raises(PinRefusedError):
        check_pin(pin)


def test_other_pins_are_taken() -> None:
    assert [check_pin(pin) for pin in ("730418", "112233", "135790", "121212121212")]


def test_a_device_is_known_for_sixty_days_after_its_last_use_once_it_was_trusted() -> None:
    assert device_is_known(NOW, NOW, NOW + DEVICE_LIFETIME - SECOND)
    assert not device_is_known(NOW, NOW, NOW + DEVICE_LIFETIME)
    assert not device_is_known(None, NOW, NOW)


@pytest.mark.parametrize(
    ("challenge", "counts"),
    [
        (Challenge(NOW + SECOND, ended=False, tries=0), True),
        (Challenge(NOW + SECOND, ended=False, tries=CODE_TRIES - 1), True),
        (Challenge(NOW + SECOND, ended=False, tries=CODE_TRIES), False),
        (Challenge(NOW, ended=False, tries=0), False),
        (Challenge(NOW + SECOND, ended=True, tries=0), False),
    ],
)
def test_a_code_counts_for_ten_minutes_five_tries_and_once(challenge: Challenge, counts: bool) -> None:  # noqa: FBT001
    assert code_counts(challenge, NOW) is counts


@pytest.mark.parametrize(
    ("token", "verdict"),
    [
        (PresentedToken(NOW + SECOND, None, successor_used=False), RefreshVerdict.ROTATE),
        (PresentedToken(NOW, None, successor_used=False), RefreshVerdict.EXPIRED),
        (PresentedToken(NOW + SECOND, NOW - REFRESH_GRACE, successor_used=False), RefreshVerdict.REPEAT),
        (PresentedToken(NOW + SECOND, NOW - REFRESH_GRACE - SECOND, successor_used=False), RefreshVerdict.REUSED),
        (PresentedToken(NOW + SECOND, NOW, successor_used=True), RefreshVerdict.REUSED),
        (PresentedToken(NOW - SECOND, NOW - 99 * SECOND, successor_used=False), RefreshVerdict.REUSED),
    ],
)
def test_a_refresh_token_works_once_and_is_repeated_only_while_its_answer_may_be_lost(
    token: PresentedToken, verdict: RefreshVerdict
) -> None:
    assert judge_refresh(token, NOW) is verdict


def test_a_session_lives_until_it_is_ended_or_not_refreshed_for_thirty_days() -> None:
    assert session_is_live(StoredSession(NOW, NOW - REFRESH_LIFETIME + SECOND), NOW)
    assert not session_is_live(StoredSession(NOW, NOW - REFRESH_LIFETIME), NOW)
    assert not session_is_live(StoredSession(NOW, NOW, ended_at=NOW), NOW)


def test_a_limited_session_stands_for_a_day_however_often_it_is_refreshed() -> None:
    limited = StoredSession(NOW, NOW + LIMITED_LIFETIME, limited=True)
    assert session_is_live(limited, NOW + LIMITED_LIFETIME - SECOND)
    assert not session_is_live(limited, NOW + LIMITED_LIFETIME)
