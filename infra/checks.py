"""Every check of this repository.

    checks.py quick    `make check`: format, lint, types, layers, left-overs and the unit tests
    checks.py all      `make test`: the same, with every test that is not marked long

Both shuffle the tests: `quick` by a new seed each time, `all` by a fixed one, so that a failure on one machine repeats
on another. Further arguments go to pytest: `checks.py all --randomly-seed=SEED`. A failed check does not stop the
others: one run shows every fault. The checks without tests run beside the tests at a lower priority, for which waiting
tests leave room; their output is printed whole. What the tests start is brought while they are loaded, and they begin
when it is there. The last lines printed are the seed and pytest's own.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
FOLDERS = {"quick": "tests/unit", "all": "tests"}
# Change it now and then: each seed is another order of the tests in every file.
SEED_OF_ALL = 4242
SEED_LINE = "Using --randomly-seed="


@dataclass(frozen=True)
class Check:
    """A name a person knows it by, and the command that succeeds when it holds."""

    name: str
    command: tuple[str | Path, ...]


@dataclass(frozen=True)
class Outcome:
    name: str
    holds: bool
    duration_s: float


# It waits for the network, and loading the tests for a processor: 20 s that neither spends after the other.
PROGRAMS = Check("programs of the tests", (sys.executable, "infra/programs.py"))
# The longest first, so that the others run beside it.
CHECKS = (
    Check("types (mypy)", (BIN / "mypy",)),
    Check("pages (types, unit tests, built files)", (sys.executable, "infra/web/pages.py", "check")),
    Check("layers (import-linter)", (BIN / "lint-imports",)),
    Check("lint (ruff check)", (BIN / "ruff", "check", ".")),
    Check("format (ruff format)", (BIN / "ruff", "format", "--check", ".")),
    Check("left-overs", (sys.executable, "infra/leftovers.py")),
)


def run_check(check: Check) -> Outcome:
    """Run a check, and print its name and output together once it has ended."""
    start_s = time.monotonic()
    done = subprocess.run(
        ("nice", "-n", "10", *check.command),
        cwd=CHECKOUT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    print(f"\n== {check.name}\n{done.stdout.rstrip()}", flush=True)
    return Outcome(check.name, done.returncode == 0, time.monotonic() - start_s)


class Pytest:
    """Runs tests, prints their output as it comes, and keeps the seed of their order and pytest's closing line."""

    def __init__(self, extent: str, arguments: list[str]) -> None:
        self.seed = ""
        self.closing_line = ""
        # Three processes more than processors: a test mostly waits for another process; a unit test waits for none.
        processes = (os.cpu_count() or 1) + (3 if extent == "all" else 0)
        self._command = [
            sys.executable, "-m", "pytest",
            # Loading it takes a second, for the long tests alone.
            "-p", "no:schemathesis",
            "-p", "tests.support.side_by_side", "--processes", str(min(6, processes)), *arguments, FOLDERS[extent],
        ]  # fmt: skip

    def run(self, after: Future[Outcome] | None = None) -> bool:
        """Load the tests, and run them once what comes before them is done, if anything does."""
        reader, writer = os.pipe()
        if after is None:
            os.close(writer)
        else:
            after.add_done_callback(lambda _: os.close(writer))
        command = [*self._command, "--begin-at-end-of", str(reader)]
        with subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, bufsize=1, pass_fds=[reader]
        ) as process:
            os.close(reader)
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
        arguments = [f"--randomly-seed={SEED_OF_ALL}", *arguments]
    print(f"running: {', '.join(check.name for check in CHECKS)}", flush=True)
    tests = Pytest(extent, arguments)
    name = f"tests (pytest {FOLDERS[extent]})"
    with ThreadPoolExecutor(2) as beside, ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as side_by_side:
        checks = beside.submit(lambda: list(side_by_side.map(run_check, CHECKS)))
        # The tests start what this brings.
        programs = beside.submit(run_check, PROGRAMS) if extent == "all" else None
        print(f"\n== {name}", flush=True)
        start_s = time.monotonic()
        outcome_of_tests = Outcome(name, tests.run(after=programs), time.monotonic() - start_s)
        outcomes = [programs.result()] if programs is not None else []
        outcomes += [*checks.result(), outcome_of_tests]
    print()
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.holds else 'FAILED'} {outcome.duration_s:7.1f} s  {outcome.name}")
    if tests.seed:
        print(f"order of the tests: --randomly-seed={tests.seed}")
    print(tests.closing_line, flush=True)
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
