"""A ring holds the newest lines of each watch."""

from __future__ import annotations

from datetime import UTC, datetime

from services.core.devices.traces.rules import LINES_MAX, Seen, SeenOfWatch, newest

AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_newest_lines_of_each_watch_are_kept_in_their_order() -> None:
    lines = [SeenOfWatch(f"w-{number % 2}", AT, Seen.HELLO, str(number)) for number in range(2 * LINES_MAX + 10)]
    kept = newest(lines)
    assert kept == lines[10:]
    assert newest([]) == []
