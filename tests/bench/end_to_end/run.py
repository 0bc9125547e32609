"""``make bench``: the product against baselines, in turns, end to end. ``ONLY=voice`` runs the rows of that name.

Times depend on the machine and on what else it does; CPU a message by process does much less. Both are printed and
written to var/bench-results/ as JSON. A row that fails is reported and the next one runs. The program ends with 1 when
a row failed or exceeds its bar.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from services.devstack.installation import Installation
from tests.bench.end_to_end.bench import Bench
from tests.bench.end_to_end.lab import count_statements
from tests.bench.end_to_end.loads import Measured
from tests.bench.end_to_end.profiles import Profiles
from tests.bench.end_to_end.report import exceeded, suggested_bars, summary, table
from tests.bench.end_to_end.rows import SIZES, reads, uplinks
from tests.bench.end_to_end.storm import raise_descriptors

_RESULTS: Final = Path("var/bench-results")
_CLIP: Final = Path(__file__).parent / "clip.amr"
# Measured on an idle machine of two cores: seconds to fill the database up to a size.
_FILL_S: Final = {1: 4, 10: 15, 100: 200}
# A step that takes so many times what was planned is ended.
_PATIENCE: Final = 8
_PATIENCE_MIN_S: Final = 180


@dataclass(frozen=True)
class Step:
    """A part of the run: how long it takes on an idle machine, and its row of the results."""

    name: str
    planned_s: float
    run: Callable[[], Awaitable[dict[str, Any]]]


class Progress:
    """Prints lines with the time since the start and the rest that is left, by the pace of the steps so far."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._planned_s = self._done_s = 0.0

    def plan(self, steps: Sequence[Step]) -> None:
        """Set what is to be done."""
        self._planned_s = sum(step.planned_s for step in steps)

    def say(self, line: str) -> None:
        """Print a line."""
        spent_s = time.monotonic() - self._began_s
        pace = spent_s / self._done_s if self._done_s else 1.0
        left_s = max(0.0, self._planned_s - self._done_s) * pace
        print(f"[{spent_s / 60:5.1f} min, {left_s / 60:4.1f} left] {line}", flush=True)

    def finish(self, step: Step) -> None:
        """Count a step as done."""
        self._done_s += step.planned_s


def _steps(bench: Bench, arguments: argparse.Namespace) -> list[Step]:
    only = tuple(arguments.only.split(","))
    rounds = arguments.rounds
    steps: list[Step] = []
    rows = [
        row for row in (*uplinks(arguments.seconds, _CLIP.read_bytes()), *reads(arguments.seconds))
        if row.name.startswith(only)
    ]  # fmt: skip
    if "start".startswith(only):
        steps.append(Step("start", 1, bench.cost_of_start))
    for times in map(int, arguments.sizes.split(",")):
        if not rows and not "idle".startswith(only):
            break
        steps.append(Step(f"fill {times}x", _FILL_S.get(times, 2 * times), lambda times=times: bench.grow_to(times)))  # type: ignore[misc]
        for row in rows:
            sides = 1 + len(row.baselines(times))
            steps.append(
                Step(
                    f"{row.name} {times}x", 2 + rounds * sides * (arguments.seconds + row.besides_s),
                    lambda row=row: bench.run(row, rounds),  # type: ignore[misc]
                )
            )  # fmt: skip
    if "transcoding".startswith(only):
        steps.append(Step("transcoding", 3 + 2.0 * rounds, lambda: _transcoding(rounds)))
    if "storm".startswith(only):
        planned_s = 15 + rounds * arguments.storm / 80
        steps.append(Step("storm", planned_s, lambda: bench.run_storm(arguments.storm, rounds)))
    if "memory".startswith(only):
        steps.append(Step("memory", 10 + arguments.memory / 60, lambda: bench.run_memory(arguments.memory)))
    return steps


async def _transcoding(rounds: int) -> dict[str, Any]:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.end_to_end.transcoding", str(rounds), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await program.communicate()
    sides: dict[str, list[dict[str, float]]] = json.loads(printed)

    def measured(of: dict[str, float]) -> Measured:
        return Measured(int(of["count"]), of["span_s"], [of["latency_s"]], {"decoding": of["cpu_s"]})

    result = {name: summary([measured(of) for of in rounds_of]) for name, rounds_of in sides.items()}
    return {"row": "transcoding", "what": "15 s from AMR to a phone's M4A, examined and rendered", **result}


async def _run(installation: Installation, folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    os.environ.update(installation.environment)
    profiles = Profiles(Path(os.environ["BENCH_PROFILES"]), _RESULTS / "profiles") if arguments.profile else None
    progress = Progress()
    bench = Bench(installation, folder, say=progress.say, profiles=profiles)
    results: list[dict[str, Any]] = []
    steps = _steps(bench, arguments)
    progress.plan(steps)
    async with bench.opened():
        for step in steps:
            within_s = max(_PATIENCE_MIN_S, _PATIENCE * step.planned_s)
            try:
                async with asyncio.timeout(within_s):
                    results.append(await step.run())
            except Exception as error:  # noqa: BLE001 - the other rows are measured all the same
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                progress.say(f"{step.name} failed: {reason}")
                name, _, times = step.name.partition(" ")
                results.append({"row": name, "times": int(times.removesuffix("x") or 0), "error": reason[:200]})
            progress.finish(step)
            _keep(results, arguments)
    return results


def _keep(results: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Write what is there so far: a run that is ended keeps its rows."""
    _RESULTS.mkdir(parents=True, exist_ok=True)
    file = _RESULTS / f"{arguments.only or 'all'}.json"
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Start an installation of its own, run the rows, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="beginnings of the names of rows, with commas between")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="how many times the rows, ascending")
    parser.add_argument("--storm", type=int, default=2000, help="watches that come back at once")
    parser.add_argument("--memory", type=int, default=5000, help="idle watches that are weighed")
    parser.add_argument(
        "--profile", action="store_true",
        help="write the functions that take the most, by row and process; the samples add to the CPU of the table",
    )  # fmt: skip
    arguments = parser.parse_args()
    raise_descriptors()
    Path("var").mkdir(exist_ok=True)
    # An installation of its own, which is deleted at the end: rows of an earlier run would be counted as data.
    with TemporaryDirectory(prefix="bench-", dir="var", ignore_cleanup_errors=True) as folder:
        # Postgres runs as another user where this program runs as root.
        Path(folder).chmod(0o755)
        if arguments.profile:
            Profiles(Path(folder, "samples").absolute(), _RESULTS / "profiles").install()
        installation = Installation.acquire(Path(folder), "installation")
        assert installation.postgres is not None
        asyncio.run(count_statements(installation.postgres))
        with installation:
            results = asyncio.run(_run(installation, Path(folder), arguments))
    print(table(results))
    print(f"\nBars by this run: {suggested_bars(results)}")
    if wrong := exceeded(results):
        print("\n".join(["", *wrong]))
        raise SystemExit(1)


if __name__ == "__main__":
    main()
