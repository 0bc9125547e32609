"""The processes below one, all of which a test pauses at the same moment."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def descendants(process_id: int) -> set[int]:
    """Return all processes below one, as they are at this moment."""
    found: set[int] = set()
    for task in Path("/proc", str(process_id), "task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):
            for child in map(int, task.read_text().split()):
                found |= {child} | descendants(child)
    return found


@contextlib.contextmanager
def paused(process_id: int) -> Iterator[None]:
    """Stop a process and everything below it for the block."""
    everything = {process_id, *descendants(process_id)}
    _signal(everything, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(everything, signal.SIGCONT)


def _signal(process_ids: set[int], number: signal.Signals) -> None:
    for process_id in process_ids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, number)
