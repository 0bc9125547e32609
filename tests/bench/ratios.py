"""Speed as a ratio: ours against a baseline that is measured in the same run, on the same machine, in turns.

Machines differ and are noisy; how many times slower than the bare parts we are does not change with them.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

_REPORT = Path("var/bench.jsonl")


@dataclass(frozen=True)
class Ratio:
    """How long ours takes and how long the baseline does; medians in milliseconds."""

    what: str
    baseline: str
    ours_ms: float
    baseline_ms: float

    @property
    def times(self) -> float:
        """How many times as long ours takes."""
        return self.ours_ms / self.baseline_ms


async def measure_ratio(
    what: str, ours: Callable[[], Awaitable[object]], baseline_is: str, baseline: Callable[[], Awaitable[object]],
    *, rounds: int = 60, clock: Callable[[], float] = time.perf_counter,
) -> Ratio:  # fmt: skip
    """Run both in turns, so that whatever else the machine does meets both, and return the ratio of their medians.

    ``clock``: `time.process_time` for work of this process alone, which other programs disturb less.
    """
    spans: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for span, run in zip(spans, (ours, baseline), strict=True):
            started_at_s = clock()
            await run()
            span.append((clock() - started_at_s) * 1000)
    return report(Ratio(what, baseline_is, statistics.median(spans[0]), statistics.median(spans[1])))


def report(ratio: Ratio) -> Ratio:
    """Print a ratio and keep it in ``var/bench.jsonl``."""
    print(  # noqa: T201 - it is what the run is for
        f"\n{ratio.what}: {ratio.ours_ms:.2f} ms, {ratio.times:.1f} x {ratio.baseline} ({ratio.baseline_ms:.2f} ms)"
    )
    _REPORT.parent.mkdir(exist_ok=True)
    with _REPORT.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({**asdict(ratio), "times": round(ratio.times, 2)}) + "\n")
    return ratio
