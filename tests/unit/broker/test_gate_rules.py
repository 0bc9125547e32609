"""The gate's rules: failures by address, short delays, and which connection is closed for a newcomer."""

from __future__ import annotations

import pytest

from services.broker.gate_rules import (
    ADDRESSES_MAX,
    DELAY_MAX_S,
    FREE_FAILURES,
    LOGIN_REMEMBERED_S,
    PENDING_PER_ADDRESS,
    PENDING_PER_KNOWN_ADDRESS_MAX,
    WINDOW_S,
    Failures,
    Pending,
    RecentLogins,
    address_key,
    delay_s,
)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unknown", "unknown"),
    ],
)
def test_what_one_subscriber_has_is_counted_as_one(address: str, key: str) -> None:
    assert address_key(address) == key


def test_a_few_failures_are_free_then_each_costs_more_up_to_two_seconds() -> None:
    delays = [delay_s(failures) for failures in range(FREE_FAILURES * 3)]
    assert delays[: FREE_FAILURES + 1] == [0.0] * (FREE_FAILURES + 1)
    assert delays[FREE_FAILURES + 1] > 0
    assert delays == sorted(delays)
    assert delays[-1] == DELAY_MAX_S <= 2


def test_failures_are_forgotten_after_their_time_and_concern_their_address_only() -> None:
    failures = Failures()
    assert [failures.record("a", now) for now in (0.0, 1.0, 2.0)] == [1, 2, 3]
    assert failures.count("b", 2.0) == 0
    assert failures.count("a", WINDOW_S + 0.5) == 2
    assert failures.count("a", WINDOW_S + 2.5) == 0
    assert len(failures) == 0


def test_whoever_comes_from_very_many_addresses_fills_no_memory() -> None:
    failures = Failures()
    logins = RecentLogins()
    for number in range(ADDRESSES_MAX + 500):
        failures.record(str(number), 0.0)
        logins.record(str(number), 0.0)
    assert len(failures) == ADDRESSES_MAX
    assert failures.count("0", 0.0) == 0
    assert logins.count("0", 0.0) == 0
    assert logins.count(str(ADDRESSES_MAX), 0.0) == 1
    for _ in range(10_000):
        failures.record("one", 0.0)
    assert failures.count("one", 0.0) < 1000


def test_a_login_is_remembered_for_an_hour_after_the_last_one() -> None:
    logins = RecentLogins()
    assert logins.count("a", 0.0) == 0
    logins.record("a", 0.0)
    logins.record("a", LOGIN_REMEMBERED_S - 1)
    assert logins.count("a", LOGIN_REMEMBERED_S + 1) == 2
    assert logins.count("b", 1.0) == 0
    assert logins.count("a", 2 * LOGIN_REMEMBERED_S) == 0
    logins.record("a", 3 * LOGIN_REMEMBERED_S)
    assert logins.count("a", 3 * LOGIN_REMEMBERED_S) == 1


def filled(total_max: int, *, key: str, recent_logins: int = 0, count: int) -> Pending[int]:
    pending: Pending[int] = Pending(total_max)
    for number in range(count):
        assert pending.add(number, key, recent_logins) is None
    return pending


def test_beyond_the_bound_of_an_address_its_oldest_connection_is_closed_and_the_newcomer_stays() -> None:
    pending = filled(10_000, key="a", count=PENDING_PER_ADDRESS)
    assert pending.add(-1, "b", 0) is None
    assert pending.add(1000, "a", 0) == 0
    pending.remove(0, "a")
    assert pending.of("a") == PENDING_PER_ADDRESS
    assert pending.add(1001, "a", 0) == 1


def test_an_address_with_logins_may_keep_more_up_to_a_bound() -> None:
    pending = filled(10_000, key="a", recent_logins=50, count=PENDING_PER_ADDRESS + 50)
    assert pending.add(1000, "a", 50) == 0
    many = filled(10_000, key="a", recent_logins=9_999, count=PENDING_PER_KNOWN_ADDRESS_MAX)
    assert many.add(5_000, "a", 9_999) == 0


def test_strangers_from_many_addresses_close_one_another_before_those_of_an_address_with_logins() -> None:
    pending: Pending[int] = Pending(10)
    for number in range(5):
        assert pending.add(number, "known", 3) is None
    for number in range(5, 10):
        assert pending.add(number, f"stranger {number}", 0) is None
    for number in range(10, 100):
        victim = pending.add(number, f"stranger {number}", 0)
        assert victim == number - 5
        pending.remove(victim, f"stranger {victim}")
        assert len(pending) == 10
    assert pending.of("known") == 5


def test_without_strangers_left_the_oldest_of_all_is_closed() -> None:
    pending = filled(3, key="known", recent_logins=1, count=3)
    assert pending.add(3, "other", 1) == 0
    assert Pending(3).oldest() is None


def test_a_connection_that_logged_in_or_ended_is_forgotten_and_a_repeat_changes_nothing() -> None:
    pending = filled(10, key="a", count=3)
    for _ in range(2):
        pending.remove(1, "a")
        assert len(pending) == 2
        assert pending.of("a") == 2
    pending.remove(0, "a")
    pending.remove(2, "a")
    assert pending.oldest() is None
    assert pending.of("a") == 0
