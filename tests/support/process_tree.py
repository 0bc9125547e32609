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


class CpuMeter:
    """Measures what a process and everything below it use of the processors, from one reading to the next."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id
        self._ticks = self._read()

    def spent_s(self) -> float:
        """Return the processor seconds since the last call, or since the meter was made.

        A process that has ended counts with what its parent learned when it waited for it. One that nobody waited for
        counts as it was at the last reading: it makes no reading negative.
        """
        before, self._ticks = self._ticks, self._read()
        own = sum(ticks - before.get(process, (0, 0))[0] for process, (ticks, _) in self._ticks.items())
        ended = sum(ticks - before.get(process, (0, 0))[1] for process, (_, ticks) in self._ticks.items())
        counted = sum(sum(before[process]) for process in before.keys() - self._ticks.keys())
        return (own + max(0, ended - counted)) / os.sysconf("SC_CLK_TCK")

    def _read(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return ticks by process, its number and start: its own, and those of ended children it has waited for."""
        ticks = {}
        for each in {self._process_id, *descendants(self._process_id)}:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # After the name, which may hold anything; at 11: user, system, and both of the ended children.
                fields = Path("/proc", str(each), "stat").read_text().rpartition(")")[2].split()
                user, system, user_of_ended, system_of_ended = map(int, fields[11:15])
                ticks[each, int(fields[19])] = (user + system, user_of_ended + system_of_ended)
        return ticks
