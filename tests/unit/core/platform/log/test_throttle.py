"""A storm of failures of one kind is one line a minute, which says how many there were."""

from __future__ import annotations

from services.core.platform.log.throttle import LogThrottle


def test_the_first_of_a_kind_is_logged_and_the_next_after_a_minute_counts_the_others() -> None:
    now_s = 0.0
    throttle = LogThrottle(interval_s=60, clock=lambda: now_s)
    assert throttle.suppressed_before("a") == 0
    assert [throttle.suppressed_before("a") for _ in range(2_000)] == [None] * 2_000
    assert throttle.suppressed_before("b") == 0, "another kind is another line"
    now_s = 60.0
    assert throttle.suppressed_before("a") == 2_000
    now_s = 120.0
    assert throttle.suppressed_before("a") == 0
