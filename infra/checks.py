"""Every check of this repository, one after the other: `make test`.

A check that fails does not stop the others: one run shows everything there is to mend. The last line printed is
pytest's own.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leftovers import find_leftovers

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """A name a person knows it by, and what to run: True when it holds."""

    name: str
    run: Callable[[], bool]


@dataclass(frozen=True)
class Outcome:
    name: str
    holds: bool
    duration_s: float


def program(name: str, *arguments: str) -> Callable[[], bool]:
    return lambda: subprocess.run([BIN / name, *arguments], cwd=CHECKOUT, check=False).returncode == 0


def leftovers() -> bool:
    found = find_leftovers(CHECKOUT)
    for line in found:
        print(line)
    return not found


class Pytest:
    """Runs the tests, shows them as they go, and remembers pytest's closing line."""

    closing_line = ""

    def run(self) -> bool:
        # Side by side, one more than processors: much of a test is waiting for another process. A file stays together,
        # for what it shares. In the order of folders, for the longest stand in the first of them.
        workers = str(min(4, (os.cpu_count() or 1) + 1))
        side_by_side = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
        command = [sys.executable, "-m", "pytest", "-m", "not long", *side_by_side, *sys.argv[1:]]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                if line.strip():
                    self.closing_line = line.strip()
        return process.returncode == 0


def main() -> int:
    tests = Pytest()
    checks = (
        Check("format (ruff format)", program("ruff", "format", "--check", ".")),
        Check("lint (ruff check)", program("ruff", "check", ".")),
        Check("types of the product (mypy)", program("mypy")),
        Check("types of the set-up (mypy)", program("mypy", "infra")),
        Check("layers (import-linter)", program("lint-imports")),
        Check("left-overs", leftovers),
        Check("tests (pytest)", tests.run),
    )
    outcomes = []
    for check in checks:
        print(f"\n== {check.name}", flush=True)
        start = time.monotonic()
        holds = check.run()
        outcomes.append(Outcome(check.name, holds, time.monotonic() - start))
    print()
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.holds else 'FAILED'} {outcome.duration_s:7.1f} s  {outcome.name}")
    print(tests.closing_line, flush=True)
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
