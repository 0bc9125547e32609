"""Samples the stack of a process of the product by its own CPU time; loaded by its path before everything else.

`run.py --profile` puts this folder in front of PYTHONPATH and names a folder in BENCH_PROFILES. A process whose command
is one of the product's takes a sample of its main thread each 2 ms of its CPU, all threads together. SIGUSR2 writes the
samples since the last one as JSON and begins anew.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

_EVERY_S = 0.002
_PROCESSES = ("api", "bridge", "worker", "broker")


class _Sampler:
    def __init__(self, name: str, folder: Path) -> None:
        self._file = folder / f"{name}-{os.getpid()}.json"
        self._stacks: Counter[tuple[CodeType, ...]] = Counter()
        self._is_writing = False

    def sample(self, _: int, frame: FrameType | None) -> None:
        """Count the stack, innermost function first."""
        if self._is_writing:
            return
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        self._stacks[tuple(stack)] += 1

    def write(self, *_: object) -> None:
        """Write the samples, complete or not at all, and begin anew."""
        self._is_writing = True
        stacks, self._stacks = self._stacks, Counter()
        named = [
            [[f"{code.co_filename}:{code.co_qualname}" for code in stack], count] for stack, count in stacks.items()
        ]
        unfinished = self._file.with_suffix(".coming")
        unfinished.write_text(json.dumps(named), encoding="utf-8")
        unfinished.rename(self._file)
        self._is_writing = False


_folder = os.environ.get("BENCH_PROFILES")
if _folder and sys.orig_argv[-1] in _PROCESSES:
    _sampler = _Sampler(sys.orig_argv[-1], Path(_folder))
    signal.signal(signal.SIGUSR2, _sampler.write)
    signal.signal(signal.SIGPROF, _sampler.sample)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    # At its end Python gives signals their defaults back, and that of SIGPROF kills.
    atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)
