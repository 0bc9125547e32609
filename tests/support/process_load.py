"""Memory and descriptors of every process below an installation, sampled from /proc, and how much they grow."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Load:
    """Resources of all processes of one name at one time."""

    at_s: float
    resident_mib: float
    descriptors: int


@dataclass
class LoadSamples:
    """The samples of one run: for each process, and for its children of each program, one series."""

    series: dict[str, list[Load]] = field(default_factory=dict)

    def sample(self, roots: Mapping[str, int | None], at_s: float) -> None:
        """Add a sample of each process by name and of the processes below it (``worker/python``), by program."""
        for name, process_id in roots.items():
            if process_id is None:
                continue
            samples: dict[str, list[tuple[float, int]]] = {}
            for number in (process_id, *_descendants(process_id)):
                # A process may end between two reads.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    program = (_PROC / str(number) / "comm").read_text().strip()
                    key = name if number == process_id else f"{name}/{program}"
                    samples.setdefault(key, []).append((resident_mib(number), descriptors(number)))
            for key, values in samples.items():
                self.series.setdefault(key, []).append(
                    Load(at_s, sum(value[0] for value in values), sum(value[1] for value in values))
                )


def resident_mib(process_id: int) -> float:
    """Return the resident memory of a process in MiB, without shared memory.

    Postgres allocates its shared buffers once, and each backend counts those pages which it has touched.
    """
    fields = dict(
        line.split(":", 1) for line in (_PROC / str(process_id) / "status").read_text().splitlines() if ":" in line
    )
    if "VmRSS" not in fields:
        raise ProcessLookupError  # a zombie has no memory
    return (int(fields["VmRSS"].split()[0]) - int(fields["RssShmem"].split()[0])) / 1024


def descriptors(process_id: int) -> int:
    """Return how many descriptors a process has open."""
    return len(list((_PROC / str(process_id) / "fd").iterdir()))


def growth(times_s: Sequence[float], values: Sequence[float]) -> float:
    """Return how much a series grows from its first to its last time, by the straight line that fits it best."""
    return statistics.linear_regression(times_s, values).slope * (times_s[-1] - times_s[0])


def second_half(loads: Sequence[Load]) -> Sequence[Load]:
    """Return the samples after the warm-up, which is the first half of the run."""
    middle_s = (loads[0].at_s + loads[-1].at_s) / 2
    return [load for load in loads if load.at_s >= middle_s]


def _descendants(process_id: int) -> list[int]:
    process_ids: list[int] = []
    for task in (_PROC / str(process_id) / "task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in task.read_text().split():
                process_ids += [int(child), *_descendants(int(child))]
    return process_ids
