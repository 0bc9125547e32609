"""Token buckets in the memory of one process, for limits that bound load and guard neither money nor a secret.

Each API process counts for itself: with N processes a caller gets between one and N times the limit, depending on how
the proxy spreads its requests, and a restart fills every bucket. A request costs no statement and no commit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.limits.rules import Bucket, Limits, take

# Some 300 bytes each. The least recently used go first: as a rule theirs are full again, which is as good as missing.
MAX_BUCKETS: Final = 20_000


class LocalBuckets:
    """The buckets. One event loop uses them; nothing here waits."""

    def __init__(self, max_buckets: int = MAX_BUCKETS) -> None:
        self._max_buckets = max_buckets
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def charge(self, limit: Limits, whose: str, now: datetime, cost: int = 1) -> float:
        """Charge ``cost`` tokens and return 0, or charge nothing and return the seconds until they are available."""
        key = (limit.name, whose)
        # Removed and added again: a dict keeps the order of insertion, so its first key is the least recently used.
        charged = take(limit.value, self._buckets.pop(key, None), now, cost)
        self._buckets[key] = charged.bucket
        if len(self._buckets) > self._max_buckets:
            del self._buckets[next(iter(self._buckets))]
        return charged.wait.total_seconds()

    def clear(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()


def local_buckets(of: UnitOfWork | Database) -> LocalBuckets:
    """Return the buckets of this process."""
    buckets: LocalBuckets = of.process_memory.setdefault(LocalBuckets, LocalBuckets())
    return buckets
