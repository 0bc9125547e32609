"""The one clock of all processes: aware UTC, movable by tests.

A test writes ``{"offset_s": 3600, "rate": 1.0, "since": <unix seconds>}`` to the file that ``clock_file`` names; every
process reads it afresh, so that days can pass for all of them at once. Settings refuse the file outside tests.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.core.platform.settings import Settings

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the machine's time as aware UTC."""
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """Return a clock moved by the offset and rate in ``path``; a missing file means no shift."""

    def now() -> datetime:
        real_s = time.time()
        try:
            shift = json.loads(path.read_text())
        except FileNotFoundError:
            return datetime.fromtimestamp(real_s, UTC)
        since_s = float(shift.get("since", real_s))
        elapsed_s = (real_s - since_s) * float(shift.get("rate", 1.0))
        return datetime.fromtimestamp(since_s, UTC) + timedelta(seconds=elapsed_s + float(shift["offset_s"]))

    return now


def clock_of(settings: Settings) -> Clock:
    """Return the clock these settings ask for."""
    return system_clock if settings.clock_file is None else file_clock(settings.clock_file)
