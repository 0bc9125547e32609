"""The processes below one, all of which a test pauses at the same moment."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def descendants(process_id: int) -> set[int]:
    """Return all processes below one, as they are at this moment."""
    process_ids: set[int] = set()
    for task in Path("/proc", str(process_id), "task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, task.read_text().split()):
                process_ids |= {child} | descendants(child)
    return process_ids


@contextlib.contextmanager
def paused(process_id: int) -> Iterator[None]:
    """Stop a process and everything below it for the block."""
    family = {process_id, *descendants(process_id)}
    _signal(family, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(family, signal.SIGCONT)


def _signal(process_ids: set[int], number: signal.Signals) -> None:
    for process_id in process_ids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, number)


def cpu_s(process_id: int) -> float:
    """Return the processor seconds of a process and of everything below it, what has ended and was waited for too."""
    ticks = 0
    for each in {process_id, *descendants(process_id)}:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # After the name, which may hold anything: user, system, and both of the children that have ended.
            fields = Path("/proc", str(each), "stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
