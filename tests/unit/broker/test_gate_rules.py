"""Failures at the gate: counted by address for a while, a few are free, nobody waits longer than a watch does."""

from __future__ import annotations

import pytest

from services.broker.gate_rules import (
    ADDRESSES_MAX,
    DELAY_MAX_S,
    FREE_FAILURES,
    WINDOW_S,
    Failures,
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


def test_a_few_failures_are_free_then_each_costs_more_up_to_what_a_watch_bears() -> None:
    delays = [delay_s(failures) for failures in range(FREE_FAILURES * 3)]
    assert delays[: FREE_FAILURES + 1] == [0.0] * (FREE_FAILURES + 1)
    assert delays[FREE_FAILURES + 1] > 0
    assert delays == sorted(delays)
    assert delays[-1] == DELAY_MAX_S


def test_failures_are_forgotten_after_their_time_and_concern_their_address_only() -> None:
    failures = Failures()
    assert [failures.note("a", now) for now in (0.0, 1.0, 2.0)] == [1, 2, 3]
    assert failures.count("b", 2.0) == 0
    assert failures.count("a", WINDOW_S + 0.5) == 2
    assert failures.count("a", WINDOW_S + 2.5) == 0
    assert len(failures) == 0


def test_whoever_comes_from_very_many_addresses_fills_no_memory() -> None:
    failures = Failures()
    for number in range(ADDRESSES_MAX + 500):
        failures.note(str(number), 0.0)
    assert len(failures) == ADDRESSES_MAX
    assert failures.count("0", 0.0) == 0
    for _ in range(10_000):
        failures.note("one", 0.0)
    assert failures.count("one", 0.0) < 1000
