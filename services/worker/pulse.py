"""Health of a loop: its last progress, and the sweeps that keep failing in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

# One failure may be a collision of two transactions; what fails twice in a row keeps failing.
KEEPS_FAILING_AFTER: Final = 2


class Pulse:
    """The state of one loop, read by the health page.

    A loop beats at every step. One that has not beaten for ``silence_max_s`` is hung, which a restart mends. What fails
    again and again is named and does not count as hung: a restart would only interrupt the other loops.
    """

    def __init__(self, loop_name: str, silence_max_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.loop_name = loop_name
        self._silence_max_s = silence_max_s
        self._clock = clock
        self._beat_at_s = clock()
        self._failures: dict[str, int] = {}

    def beat(self) -> None:
        """Record that the loop moves."""
        self._beat_at_s = self._clock()

    def record_failure(self, name: str) -> int:
        """Record that ``name`` failed; return how often in a row it has."""
        self._failures[name] = self._failures.get(name, 0) + 1
        return self._failures[name]

    def record_success(self, name: str) -> None:
        """Record that ``name`` works."""
        self._failures.pop(name, None)

    @property
    def is_hung(self) -> bool:
        """Whether the loop has not moved for longer than any of its steps may take."""
        return self._clock() - self._beat_at_s > self._silence_max_s

    @property
    def failing(self) -> list[str]:
        """The names of what keeps failing, in alphabetical order."""
        return sorted(name for name, count in self._failures.items() if count >= KEEPS_FAILING_AFTER)
