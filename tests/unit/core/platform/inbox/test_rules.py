"""When an item is announced again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.platform.inbox.rules import REPEAT_AFTER_S, Announcement, may_announce, next_announcement_at
from services.protocol import limits

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Announcement(None, None), True),
        (Announcement("w-old", NOW + timedelta(hours=1)), True),
        (Announcement("w-me", None), True),
        (Announcement("w-me", NOW), True),
        (Announcement("w-me", NOW + timedelta(seconds=1)), False),
    ],
)
def test_one_announcement_is_outstanding_at_a_time(item: Announcement, *, expected: bool) -> None:
    assert may_announce(item, "w-me", NOW) is expected


def test_the_waits_are_those_of_the_protocol_and_stay_at_the_last() -> None:
    assert REPEAT_AFTER_S == limits.ANNOUNCE_REPEAT_S
    waits = [(next_announcement_at(number, NOW) - NOW).total_seconds() for number in (1, 2, 3, 4, 99)]
    assert waits == [60, 120, 300, 300, 300]
