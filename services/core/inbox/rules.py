"""When something that waits for a watch is told again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Silence after an announcement, in seconds, before the next: from the watch protocol's page.
REPEAT_AFTER_S = (60, 120, 300)
# A watch that answered `later` has no room: it is asked again after this, or at its next hello.
LATER_S = 300
# More than this waiting for one child is refused at the door, so that nothing has to be dropped behind it.
WAITING_MAX_ITEMS = 500


@dataclass(frozen=True)
class Announcement:
    """How often the first waiting item was announced to whom, and when it may be announced again."""

    announced_to: str | None
    next_announce_at: datetime | None


def may_announce(item: Announcement, username: str, now: datetime) -> bool:
    """Say whether the first waiting item is to be announced to ``username`` now: new to it, or silent long enough."""
    if item.announced_to != username or item.next_announce_at is None:
        return True
    return item.next_announce_at <= now


def next_announcement_at(announcements: int, now: datetime) -> datetime:
    """Return when silence after the n-th announcement (1, 2, ...) leads to the next one."""
    return now + timedelta(seconds=REPEAT_AFTER_S[min(announcements, len(REPEAT_AFTER_S)) - 1])
