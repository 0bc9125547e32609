"""The row of transcoding: 15 s from AMR to a phone's M4A in a confined process, against the libraries in this process.

    python -m tests.bench.end_to_end.transcoding ROUNDS

Prints one line of JSON: clips, CPU and time of both sides by round. It is a program of its own because it counts the
CPU of everything below it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from services.core.platform.audio.decoding import examine
from services.core.platform.audio.rendering import render
from services.core.platform.audio.rules import Form
from services.core.platform.audio.sandbox import AudioSandbox
from tests.bench.end_to_end.lab import CpuMeter

_CLIP: Final = Path(__file__).parent / "clip.amr"
_CLIPS: Final = 5


async def main() -> None:
    """Measure both sides in turns."""
    clip = _CLIP.read_bytes()

    def bare() -> None:
        examine(clip)
        render(clip, Form.PHONE, None)

    sides: dict[str, list[dict[str, float]]] = {"product": [], "bare": []}
    meter = CpuMeter(lambda: {"all": os.getpid()})
    async with AudioSandbox() as sandbox:
        works: dict[str, Callable[[], Awaitable[object]]] = {
            "product": lambda: sandbox.transcode(clip, Form.PHONE), "bare": lambda: asyncio.to_thread(bare),
        }  # fmt: skip
        for work in works.values():
            await work()
        for _ in range(int(sys.argv[1])):
            for side, work in works.items():
                meter.restart()
                began_s = time.perf_counter()
                latencies_s = []
                for _ in range(_CLIPS):
                    clip_began_s = time.perf_counter()
                    await work()
                    latencies_s.append(time.perf_counter() - clip_began_s)
                sides[side].append(
                    {
                        "count": _CLIPS, "cpu_s": meter.spent_s()["all"], "span_s": time.perf_counter() - began_s,
                        "latency_s": sorted(latencies_s)[_CLIPS // 2],
                    }
                )  # fmt: skip
    print(json.dumps(sides))


if __name__ == "__main__":
    asyncio.run(main())
