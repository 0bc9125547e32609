"""How long a watch waits, and what it repeats. No clock, no socket."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from services.device_sim.watch.repeats import PartsCollector, RepeatSchedule
from services.device_sim.watch.timings import Timings, backoff_s


def chance(seed: int) -> random.Random:
    """Jitter that is the same in every run."""
    return random.Random(seed)


def test_the_field_uses_the_numbers_of_the_protocol_page() -> None:
    timings = Timings()
    waits_s = timings.hello_waits_s(random.Random(1))
    assert all(least <= wait_s <= least * 1.2 for wait_s, least in zip(waits_s, (20, 40, 80, 20), strict=True))
    assert timings.hello_waits_s(random.Random(2)) != waits_s
    assert (timings.reconnect_first_s, timings.reconnect_max_s) == (5, 600)
    assert timings.refused_ask_status_s == 60
    assert (timings.receipt_first_s, timings.receipt_max_s) == (30, 900)
    assert 60 <= timings.keepalive_s <= 1200


@pytest.mark.parametrize("seed", range(20))
def test_waits_double_with_jitter_and_stay_between_the_first_and_the_last(seed: int) -> None:
    source = chance(seed)
    waits = [backoff_s(attempt, 30, 900, source) for attempt in range(40)]
    assert all(30 <= wait <= 900 for wait in waits)
    assert all(30 * 2**attempt <= wait <= 45 * 2**attempt for attempt, wait in enumerate(waits[:4]))
    assert all(wait >= 675 for wait in waits[5:])


def test_two_watches_that_lost_one_broker_do_not_come_back_together() -> None:
    waits = {round(backoff_s(0, 5, 600, chance(seed)), 3) for seed in range(100)}
    assert len(waits) > 90


def test_thousands_of_failed_attempts_do_not_overflow() -> None:
    assert backoff_s(100_000, 5, 600, chance(1)) <= 600


def test_what_is_not_answered_is_said_again_after_growing_waits() -> None:
    schedule: RepeatSchedule[str] = RepeatSchedule(30, 900, chance(1))
    schedule.add("text", 0)
    said_at = []
    now = 0.0
    for _ in range(8):
        assert schedule.due(now) == ["text"]
        schedule.mark_said("text", now)
        said_at.append(now)
        assert schedule.due(now) == []
        following = schedule.next_at()
        assert following is not None
        now = following
    gaps = [after - before for before, after in pairwise(said_at)]
    assert gaps[0] >= 30
    assert gaps[:5] == sorted(gaps[:5])
    assert max(gaps) <= 900


def test_an_answer_ends_the_repeats_even_if_it_came_before_the_puback() -> None:
    schedule: RepeatSchedule[str] = RepeatSchedule(30, 900, chance(1))
    schedule.add("text", 0)
    schedule.forget("text")
    schedule.mark_said("text", 1)
    assert schedule.next_at() is None


def test_what_is_said_is_said_in_the_order_in_which_it_was_recorded() -> None:
    schedule: RepeatSchedule[int] = RepeatSchedule(30, 900, chance(1))
    for number in (3, 1, 2):
        schedule.add(number, 0)
    schedule.add(3, -100)
    assert schedule.due(0) == [3, 1, 2]


def test_planning_anew_begins_the_waits_from_the_first() -> None:
    schedule: RepeatSchedule[str] = RepeatSchedule(30, 900, chance(1))
    schedule.add("text", 0)
    for now in (0, 100, 300):
        schedule.mark_said("text", now)
    schedule.plan_anew("text", 1000)
    schedule.mark_said("text", 1000)
    following = schedule.next_at()
    assert following is not None
    assert following <= 1045


def test_parts_make_a_whole_in_any_order_and_with_repeats() -> None:
    collector: PartsCollector[str] = PartsCollector()
    assert collector.add("v3", 2, 3, "b") is None
    assert collector.add("v3", 2, 3, "b") is None
    assert collector.add("v3", 3, 3, "c") is None
    assert collector.add("v3", 1, 3, "a") == ["a", "b", "c"]


def test_parts_of_another_version_begin_afresh() -> None:
    collector: PartsCollector[str] = PartsCollector()
    assert collector.add(3, 1, 2, "old") is None
    assert collector.add(4, 2, 2, "new 2") is None
    assert collector.add(4, 1, 2, "new 1") == ["new 1", "new 2"]
    assert collector.add(4, 1, 1, "whole") == ["whole"]
