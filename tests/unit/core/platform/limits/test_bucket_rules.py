"""The arithmetic of a token bucket, with numbers worked by hand, and the page that publishes every limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.api.limits_page import limits_page
from services.core.platform.limits.rules import Bucket, Limit, Limits, take, whole_seconds

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
THREE_A_MINUTE = Limit(3, 3, timedelta(minutes=1), "phone", "codes")


def _after(*moments_s: float) -> list[float]:
    """Return how long each of these requests must wait, seconds."""
    bucket: Bucket | None = None
    waits = []
    for moment_s in moments_s:
        charged = take(THREE_A_MINUTE, bucket, NOW + timedelta(seconds=moment_s))
        bucket = charged.bucket
        waits.append(charged.wait.total_seconds())
    return waits


def test_a_burst_passes_and_then_one_each_twenty_seconds() -> None:
    assert _after(0, 0, 0, 0, 19, 20, 20, 40) == [0, 0, 0, 20, 1, 0, 20, 0]


def test_waiting_long_fills_the_bucket_and_no_more() -> None:
    assert _after(0, 0, 0, 3600, 3600, 3600, 3600) == [0, 0, 0, 0, 0, 0, 20]


def test_a_refused_request_takes_nothing() -> None:
    assert _after(0, 0, 0, *[10] * 50, 20) == [0, 0, 0, *[10] * 50, 0]


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    assert _after(0, 0, 0, -3600, 0, 20) == [0, 0, 0, 20, 20, 0]


def test_a_dear_request_waits_until_all_its_tokens_are_there() -> None:
    charged = take(THREE_A_MINUTE, Bucket(1.0, NOW), NOW, cost=3)
    assert (charged.bucket.tokens, charged.wait) == (1.0, timedelta(seconds=40))


def test_clients_are_told_whole_seconds_never_too_few_and_never_none() -> None:
    assert [whole_seconds(timedelta(seconds=wait)) for wait in (0, 0.2, 1, 1.01)] == [1, 1, 1, 2]


def test_every_limit_lets_the_next_one_through_within_two_hours() -> None:
    # A limit that takes longer would be a lock, and whoever asks in somebody else's name would turn the key.
    longest_s = 2.5 * 3600
    # Three changes of number in 30 days: counted for a guardian who has shown the PIN, so nobody else can use them up.
    slow = {"NUMBER_CHANGES_OF_GUARDIAN"}
    assert {limit.name for limit in Limits if 1 / limit.value.tokens_per_s > longest_s} == slow


def test_the_page_of_limits_is_what_the_code_says() -> None:
    page = (Path(__file__).parents[5] / "docs" / "limits.md").read_text(encoding="utf-8")
    assert page == limits_page(), "write it anew: python -m services.api.limits_page > docs/limits.md"
