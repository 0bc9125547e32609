"""Log lines that an attack or an outage would repeat thousands of times: one a minute of each kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

INTERVAL_S: Final = 60.0
# Kinds remembered. Beyond it the oldest is forgotten, so that kinds made of foreign text fill no memory.
KINDS_MAX: Final = 1_000


class RateLimiter:
    """Decides whether a line of a kind may be written now; ``clock`` returns seconds that never go back."""

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        # Kind to (time of the last line, lines left out since).
        self._kinds: dict[object, tuple[float, int]] = {}

    def allow(self, kind: object) -> int | None:
        """Return the number of lines of this kind left out since the last one, or None: leave this one out as well."""
        now_s = self._clock()
        last_s, suppressed = self._kinds.pop(kind, (now_s - self._interval_s, 0))
        if now_s - last_s < self._interval_s:
            self._kinds[kind] = (last_s, suppressed + 1)
            return None
        self._kinds[kind] = (now_s, 0)
        if len(self._kinds) > KINDS_MAX:
            del self._kinds[next(iter(self._kinds))]
        return suppressed


class RateLimitedLog:
    """Writes one line a minute of each event name; the next line says how many were left out (``suppressed``)."""

    def __init__(self, limiter: RateLimiter | None = None) -> None:
        self._limiter = limiter or RateLimiter()
        self._log = structlog.get_logger()

    def warning(self, event: str, **fields: object) -> None:
        """Log at warning, once a minute for this event."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log at error, once a minute for this event."""
        self._write("error", event, fields)

    def critical(self, event: str, **fields: object) -> None:
        """Log at critical, once a minute for this event."""
        self._write("critical", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        suppressed = self._limiter.allow((level, event))
        if suppressed is not None:
            if suppressed:
                fields["suppressed"] = suppressed
            getattr(self._log, level)(event, **fields)
