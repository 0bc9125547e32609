"""One log line a minute of each kind, whatever happens thousands of times."""

from __future__ import annotations

import logging

import pytest
import structlog

from services.core.platform.log import _LibraryHandler
from services.core.platform.log.rate_limited import INTERVAL_S, KINDS_MAX, RateLimitedLog, RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_line_of_a_kind_is_written_and_the_next_a_minute_later_with_what_was_left_out() -> None:
    clock = Clock()
    log = RateLimitedLog(RateLimiter(clock=clock))
    with structlog.testing.capture_logs() as lines:
        for _ in range(1000):
            log.warning("gate_cannot_accept", error="EMFILE")
            log.error("gate_full")
        clock.now_s = INTERVAL_S
        log.warning("gate_cannot_accept", error="EMFILE")
    assert lines == [
        {"event": "gate_cannot_accept", "error": "EMFILE", "log_level": "warning"},
        {"event": "gate_full", "log_level": "error"},
        {"event": "gate_cannot_accept", "error": "EMFILE", "suppressed": 999, "log_level": "warning"},
    ]


def test_kinds_made_of_foreign_text_fill_no_memory() -> None:
    limiter = RateLimiter(clock=Clock())
    for number in range(KINDS_MAX * 3):
        assert limiter.allow(number) == 0
    assert len(limiter._kinds) == KINDS_MAX  # noqa: SLF001 - what is bounded


def test_a_library_that_repeats_itself_is_written_once_a_minute() -> None:
    handler = _LibraryHandler()
    with structlog.testing.capture_logs() as lines:
        for number in range(50):
            handler.emit(logging.LogRecord("asyncio", logging.ERROR, "", 0, f"accept failed fd={number}", None, None))
        handler.emit(logging.LogRecord("another", logging.ERROR, "", 0, "failed", None, None))
    assert [line["logger"] for line in lines] == ["asyncio", "another"]


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_every_level_that_matters_is_there(level: str) -> None:
    with structlog.testing.capture_logs() as lines:
        getattr(RateLimitedLog(), level)("broker_state_large", size_bytes=1)
    assert lines == [{"event": "broker_state_large", "size_bytes": 1, "log_level": level}]
