"""An item whose transfer fails again and again steps aside; one that makes progress, however slowly, does not."""

from __future__ import annotations

from functools import reduce

import pytest

from services.core.platform.inbox.rules import TRANSFERS_MAX, Transfer, after_fetch


def after(*first_chunks: int) -> Transfer:
    return reduce(after_fetch, first_chunks, Transfer())


def test_windows_that_move_on_are_progress() -> None:
    moved = after(0, 8, 16, 24)
    assert (moved.first_chunk, moved.stalls, moved.restarts) == (24, 0, 0)


def test_a_crawl_of_one_chunk_at_a_time_never_fails() -> None:
    assert not any(after(*range(n)).has_failed for n in range(1, 500))


def test_progress_makes_up_for_stalls() -> None:
    assert after(0, 0, 0, 0, 0, 1).stalls == 0
    assert not after(0, 0, 0, 0, 0, 1, 1, 1, 1, 1).has_failed


@pytest.mark.parametrize("first", [0, 7])
def test_the_same_question_again_and_again_fails_at_the_fifth_repeat(first: int) -> None:
    fetches = [first] * (1 + TRANSFERS_MAX)
    assert after(*fetches).has_failed
    assert not after(*fetches[:-1]).has_failed


def test_throwing_away_what_was_fetched_fails_at_the_fifth_time() -> None:
    whole = [0, 8, 16]
    assert after(*whole * (1 + TRANSFERS_MAX)).has_failed
    assert not after(*whole * TRANSFERS_MAX).has_failed


def test_progress_does_not_make_up_for_what_was_thrown_away() -> None:
    assert after(0, 8, 0, 8, 16, 24).restarts == 1
