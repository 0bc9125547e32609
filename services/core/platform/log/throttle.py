"""Log the same kind of event at most once in a while: a storm of failures must not flood the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 60.0


class LogThrottle:
    """Decides for each kind of event whether it is logged now; what was not logged is counted."""

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._last_at: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def suppressed_before(self, kind: str) -> int | None:
        """Return how many events of this kind were not logged since the last one, or None: do not log this one.

        ``kind`` is a constant or a type's name, never anything that a client sends.
        """
        now = self._clock()
        last_at = self._last_at.get(kind)
        if last_at is not None and now - last_at < self._interval_s:
            self._suppressed[kind] = self._suppressed.get(kind, 0) + 1
            return None
        self._last_at[kind] = now
        return self._suppressed.pop(kind, 0)
