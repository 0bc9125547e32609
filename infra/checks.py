"""Every check of this repository, one after the other.

    checks.py quick    `make check`: format, lint, types, layers, left-overs and the unit tests
    checks.py all      `make test`: the same, with every test that is not marked long

`quick` shuffles the tests; `all` keeps the order of the files unless a seed is given. Further arguments go to pytest:
`checks.py all --randomly-seed=SEED`. A failed check does not stop the others: one run shows every fault. The last lines
printed are the seed and pytest's own.
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
FOLDERS = {"quick": "tests/unit", "all": "tests"}
SEED_LINE = "Using --randomly-seed="


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


def pages() -> bool:
    command = [sys.executable, "infra/web/pages.py", "check"]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode == 0


class Pytest:
    """Runs tests, prints their output as it comes, and keeps the seed of their order and pytest's closing line."""

    def __init__(self, folder: str, arguments: list[str]) -> None:
        self.seed = ""
        self.closing_line = ""
        # One worker more than processors: much of a test is waiting for another process; a unit test waits for none.
        # The tests of a file stay in one worker, for the database that they share. Workers take the files in the order
        # that conftest.py gives.
        processors = os.cpu_count() or 1
        workers = str(min(4, processors if folder == FOLDERS["quick"] else processors + 1))
        side_by_side = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
        self._command = [sys.executable, "-m", "pytest", *side_by_side, *arguments, folder]

    def run(self) -> bool:
        with subprocess.Popen(self._command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                if line.startswith(SEED_LINE):
                    self.seed = line.removeprefix(SEED_LINE).strip()
                if line.strip():
                    self.closing_line = line.strip()
        return process.returncode == 0


def main() -> int:
    extent, *arguments = sys.argv[1:] or ["all"]
    if extent not in FOLDERS:
        print(f"usage: checks.py {'|'.join(FOLDERS)} [arguments of pytest]", file=sys.stderr)
        return 2
    if extent == "all" and not any(argument.startswith("--randomly-seed") for argument in arguments):
        # A few of the newest integration tests still read what an earlier test of their file left.
        arguments = ["-p", "no:randomly", *arguments]
    tests = Pytest(FOLDERS[extent], arguments)
    checks = (
        Check("format (ruff format)", program("ruff", "format", "--check", ".")),
        Check("lint (ruff check)", program("ruff", "check", ".")),
        Check("types (mypy)", program("mypy")),
        Check("layers (import-linter)", program("lint-imports")),
        Check("left-overs", leftovers),
        Check("pages (types, unit tests, built files)", pages),
        Check(f"tests (pytest {FOLDERS[extent]})", tests.run),
    )
    outcomes = []
    for check in checks:
        print(f"\n== {check.name}", flush=True)
        start_s = time.monotonic()
        holds = check.run()
        outcomes.append(Outcome(check.name, holds, time.monotonic() - start_s))
    print()
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.holds else 'FAILED'} {outcome.duration_s:7.1f} s  {outcome.name}")
    if tests.seed:
        print(f"order of the tests: --randomly-seed={tests.seed}")
    print(tests.closing_line, flush=True)
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
