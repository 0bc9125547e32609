"""When a waiting item is announced again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Silence after an announcement, in seconds, before the next: from the watch protocol's page.
REPEAT_AFTER_S = (60, 120, 300)
# A watch that answered `later` has no room: it is asked again after this, or at its next hello.
LATER_S = 300
# After this many failed transfers an item steps aside for a while, and the next one is announced.
TRANSFERS_MAX = 5
ASIDE_S = 900
# More than this waiting for one child is refused at the door, so that nothing has to be dropped behind it.
WAITING_MAX_ITEMS = 500


@dataclass(frozen=True)
class Announcement:
    """To which identity the first waiting item was announced, and when it may be announced again."""

    announced_to: str | None
    next_announce_at: datetime | None


def may_announce(item: Announcement, username: str, now: datetime) -> bool:
    """Return whether to announce the first waiting item to ``username`` now: new, or unanswered long enough."""
    if item.announced_to != username or item.next_announce_at is None:
        return True
    return item.next_announce_at <= now


def next_announcement_at(announcements: int, now: datetime) -> datetime:
    """Return when to repeat an announcement that stayed unanswered after the n-th time (1, 2, ...)."""
    return now + timedelta(seconds=REPEAT_AFTER_S[min(announcements, len(REPEAT_AFTER_S)) - 1])


@dataclass(frozen=True)
class Transfer:
    """How the fetching of an item goes: ``first_chunk`` is the furthest chunk a fetch began at (-1: none yet).

    A watch asks from the first chunk it lacks on, so that a fetch that begins further on shows progress.
    """

    first_chunk: int = -1
    stalls: int = 0
    restarts: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether the item is to step aside."""
        return self.stalls + self.restarts >= TRANSFERS_MAX


def after_fetch(before: Transfer, first_chunk: int) -> Transfer:
    """Return how the transfer goes after a fetch that begins at ``first_chunk``.

    Further on than before is progress. From the start again, after having been further, means that the watch threw
    away what it had. Anything else is the same question again: what was sent did not arrive.
    """
    if first_chunk > before.first_chunk:
        return Transfer(first_chunk, 0, before.restarts)
    if first_chunk == 0 and before.first_chunk > 0:
        return Transfer(0, 0, before.restarts + 1)
    return Transfer(before.first_chunk, before.stalls + 1, before.restarts)
