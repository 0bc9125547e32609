"""Profiles of the product's processes by row: which functions take their CPU (`run.py --profile`)."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FOLDER_OF_SAMPLER: Final = Path(__file__).parent / "profiling"
_SHOWN: Final = 25
_WITHIN_S: Final = 10.0
_PROCESSES: Final = ("bridge", "api", "worker", "broker")
_CHECKOUT: Final = Path(__file__).resolve().parents[3].as_posix() + "/"


class Profiles:
    """Has the processes write their samples where a measurement begins and ends, and adds them up by row."""

    def __init__(self, samples: Path, results: Path) -> None:
        self._samples = samples
        self._results = results
        self._stacks: dict[str, Counter[tuple[str, ...]]] = {}

    def install(self) -> None:
        """Set the environment of the processes that are started from now on."""
        self._samples.mkdir(parents=True, exist_ok=True)
        os.environ["BENCH_PROFILES"] = str(self._samples)
        os.environ["PYTHONPATH"] = str(_FOLDER_OF_SAMPLER)

    def begin(self, process_ids: Mapping[str, int]) -> None:
        """Drop the samples so far."""
        self._collect(process_ids)

    def end(self, process_ids: Mapping[str, int]) -> None:
        """Add the samples since `begin` to those of the row."""
        for name, stacks in self._collect(process_ids).items():
            self._stacks.setdefault(name, Counter()).update(stacks)

    def write(self, row: str) -> None:
        """Write the functions of each process that took the most in this row, and begin the next one."""
        self._results.mkdir(parents=True, exist_ok=True)
        parts = [_report(name, self._stacks[name]) for name in _PROCESSES if self._stacks.get(name)]
        (self._results / f"{row}.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        self._stacks = {}

    def _collect(self, process_ids: Mapping[str, int]) -> dict[str, Counter[tuple[str, ...]]]:
        files = {
            name: self._samples / f"{name}-{process_id}.json"
            for name, process_id in process_ids.items() if name in _PROCESSES
        }  # fmt: skip
        for name, file in files.items():
            file.unlink(missing_ok=True)
            os.kill(process_ids[name], signal.SIGUSR2)
        collected = {}
        until_s = time.monotonic() + _WITHIN_S
        for name, file in files.items():
            while not file.exists() and time.monotonic() < until_s:
                time.sleep(0.005)
            if file.exists():
                stacks = json.loads(file.read_text(encoding="utf-8"))
                collected[name] = Counter({tuple(stack): count for stack, count in stacks})
        return collected


def _report(name: str, stacks: Counter[tuple[str, ...]]) -> str:
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[_short(stack[0])] += count
        for function in set(map(_short, stack)):
            below[function] += count
    total = stacks.total()

    def lines(counts: Counter[str]) -> list[str]:
        return [f"{100 * count / total:5.1f} %  {function}" for function, count in counts.most_common(_SHOWN)]

    ours = Counter({function: count for function, count in below.items() if _is_ours(function)})
    return "\n".join(
        [
            f"{name}: {total} samples", "  by itself", *lines(own), "  with what it calls, the product's own",
            *lines(ours),
        ]
    )  # fmt: skip


def _is_ours(function: str) -> bool:
    # Every stack begins with the command.
    return function.startswith("services/") and not function.startswith("services/cli/")


def _short(function: str) -> str:
    return function.removeprefix(_CHECKOUT).rpartition("site-packages/")[2].rpartition("lib/python3")[2]
