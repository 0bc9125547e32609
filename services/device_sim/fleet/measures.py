"""Figures of a process of a fleet: percentiles, memory, and whether the simulator was the limit itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

_LAG_EVERY_S: Final = 0.05
# Beyond this lag, or this share of a core, the simulator and not the system under test makes the figures.
OWN_LIMIT_LAG_S: Final = 0.05
OWN_LIMIT_CPU_SHARE: Final = 0.9


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 without values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident_bytes() -> int | None:
    """Return the memory of this process; None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    return None


class OwnCost:
    """Measures how late the loop wakes and how much of a core the process takes; use it as `async with`."""

    def __init__(self) -> None:
        self.lags_s: list[float] = []
        self.cpu_share = 0.0

    async def __aenter__(self) -> Self:
        self._began_s, self._began_cpu_s = time.monotonic(), time.process_time()
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.cpu_share = (time.process_time() - self._began_cpu_s) / max(0.001, time.monotonic() - self._began_s)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before_s = loop.time()
            await asyncio.sleep(_LAG_EVERY_S)
            self.lags_s.append(max(0.0, loop.time() - before_s - _LAG_EVERY_S))
