"""When to announce a waiting item again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Waiting time after an unanswered announcement, in seconds; the values of the watch protocol's page.
REPEAT_AFTER_S = (60, 120, 300)
# Waiting time after a `later` from a watch without room; its next hello ends it.
LATER_S = 300
# After this many failed transfers an item is set aside for a while, and the next item is announced.
TRANSFERS_MAX = 5
ASIDE_S = 900
# With this many items waiting for one child, new items are rejected, so that no accepted item is ever dropped.
WAITING_MAX_ITEMS = 500


@dataclass(frozen=True)
class Announcement:
    """The identity to which the first waiting item was announced, and the earliest time of the next announcement."""

    announced_to: str | None
    next_announce_at: datetime | None


def may_announce(item: Announcement, username: str, now: datetime) -> bool:
    """Return whether to announce the first waiting item to ``username``: not announced yet, or unanswered for long."""
    if item.announced_to != username or item.next_announce_at is None:
        return True
    return item.next_announce_at <= now


def next_announcement_at(announcements: int, now: datetime) -> datetime:
    """Return when to repeat an announcement that was unanswered for the n-th time (1, 2, ...)."""
    return now + timedelta(seconds=REPEAT_AFTER_S[min(announcements, len(REPEAT_AFTER_S)) - 1])


@dataclass(frozen=True)
class Transfer:
    """Progress of an item's transfer; ``first_chunk`` is the highest chunk at which a fetch began (-1: none yet).

    A watch fetches from the first chunk it lacks, so a fetch with a higher start shows progress.
    """

    first_chunk: int = -1
    stalls: int = 0
    restarts: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether the item is to be set aside."""
        return self.stalls + self.restarts >= TRANSFERS_MAX


def after_fetch(before: Transfer, first_chunk: int) -> Transfer:
    """Return the progress after a fetch that begins at ``first_chunk``.

    A higher start is progress. A start at 0 after progress means that the watch discarded its chunks. Any other start
    repeats an earlier request: the chunks sent in response did not arrive.
    """
    if first_chunk > before.first_chunk:
        return Transfer(first_chunk, 0, before.restarts)
    if first_chunk == 0 and before.first_chunk > 0:
        return Transfer(0, 0, before.restarts + 1)
    return Transfer(before.first_chunk, before.stalls + 1, before.restarts)
