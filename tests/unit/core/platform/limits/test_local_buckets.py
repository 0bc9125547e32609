"""Limits that each process counts in its memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.core.platform.limits.memory import LocalBuckets
from services.core.platform.limits.rules import Limits

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
LIMIT = Limits.REQUESTS_OF_GUARDIAN


def test_a_bucket_grants_its_burst_and_then_says_how_long_the_next_token_takes() -> None:
    buckets = LocalBuckets()
    waits = [buckets.charge(LIMIT, "mother", NOW) for _ in range(LIMIT.value.burst + 1)]
    assert waits == [0.0] * LIMIT.value.burst + [0.5]
    assert buckets.charge(LIMIT, "father", NOW) == 0
    assert buckets.charge(LIMIT, "mother", NOW + timedelta(seconds=0.5)) == 0


def test_the_bucket_that_was_used_last_is_kept_when_there_are_too_many() -> None:
    buckets = LocalBuckets(max_buckets=2)
    for whose in ("mother", "father", "mother", "aunt"):
        buckets.charge(LIMIT, whose, NOW, LIMIT.value.burst // 2)
    assert len(buckets) == 2
    assert buckets.charge(LIMIT, "mother", NOW, LIMIT.value.burst) > 0
    assert buckets.charge(LIMIT, "father", NOW, LIMIT.value.burst) == 0


def test_money_and_secrets_are_behind_limits_that_all_processes_share() -> None:
    local = {limit for limit in Limits if not limit.value.is_shared}
    assert local == {
        Limits.REQUESTS_OF_GUARDIAN, Limits.REQUESTS_OF_STAFF,
        Limits.MESSAGES_OF_WATCH, Limits.BYTES_OF_WATCH, Limits.RETRIES_OF_WATCH,
    }  # fmt: skip
