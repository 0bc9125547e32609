"""Runs the files of tests side by side, in processes that are forked after one collection.

Loading and collecting six thousand tests takes twenty seconds of a processor. Processes that each collect for
themselves pay that each; forked ones share what the first has loaded. The tests of a file stay in one process and in
their order. A process takes its next file when it begins the last test of the one before: pytest has to know the next
test to decide which fixtures end with this one.

Loaded by `-p tests.support.side_by_side`; without `--processes` it does nothing.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Final

import pytest

from tests.support.process_tree import CpuMeter

# Files of these folders share one running product in each process that runs them; starting it takes eleven seconds of a
# processor, and it takes a twenty-fifth of one while it idles. Two processes run these files, the others the rest.
ON_ONE_INSTALLATION: Final = frozenset({"e2e", "faults"})
_INSTALLATIONS: Final = 2
_FORK: Final = multiprocessing.get_context("fork")
# One file in the queue. A pipe hands out whole tickets, because it only ever holds whole ones.
_TICKET_BYTES: Final = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("side by side")
    group.addoption(
        "--processes", type=int, default=0, metavar="N", help="run the files of tests in N forked processes"
    )
    group.addoption(
        "--begin-at-end-of", type=int, default=None, metavar="DESCRIPTOR",
        help="load the tests, and run them once this descriptor's other end is closed",
    )  # fmt: skip
    group.addoption(
        "--dearest", type=int, default=0, metavar="N",
        help="tell which N files cost the processors most, and how far apart the processes ended",
    )  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all tests in forked processes, if that is asked for and nothing failed to load."""
    processes = session.config.getoption("processes")
    if processes < 1 or session.testsfailed or session.config.option.collectonly:
        return None
    descriptor = session.config.getoption("begin_at_end_of")
    if descriptor is not None:
        with os.fdopen(descriptor, "rb") as pipe:
            pipe.read()
    run = _Run(session, processes)
    run.run()
    for line in run.dearest(session.config.getoption("dearest")):
        session.config.get_terminal_writer().line(line)
    return True


class Tickets:
    """Files that no process has taken yet, by their numbers, in a pipe that several processes read."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._reader, writer = os.pipe()
        # Some hundred files: far less than a pipe holds, so that this does not wait for a reader.
        os.write(writer, b"".join(number.to_bytes(_TICKET_BYTES, "big") for number in numbers))
        os.close(writer)

    def take(self) -> int | None:
        """Return the number of the next file, or None after the last."""
        ticket = os.read(self._reader, _TICKET_BYTES)
        return int.from_bytes(ticket, "big") if ticket else None

    def drop(self) -> None:
        """Leave nothing to take."""
        while self.take() is not None:
            pass


@dataclass
class _Cost:
    """What a file has cost: seconds of a processor, and of the clock while its process worked on it."""

    cpu_s: float = 0.0
    span_s: float = 0.0


@dataclass
class _Worker:
    """A forked process, and the tests that it has taken and not finished, in the order in which it runs them."""

    process: ForkProcess
    events: Connection
    queues: list[Tickets]
    unfinished: list[pytest.Item] = field(default_factory=list)
    is_done: bool = False


class _Run:
    """All files of a session, run by forked processes whose events this process passes to its own plugins."""

    def __init__(self, session: pytest.Session, processes: int) -> None:
        self._session = session
        self._config = session.config
        self._files = [list(items) for _, items in groupby(session.items, key=lambda item: item.path)]
        numbers = range(len(self._files))
        sharing = [number for number in numbers if ON_ONE_INSTALLATION & set(self._files[number][0].path.parts)]
        self._sharing, self._others = Tickets(sharing), Tickets([number for number in numbers if number not in sharing])
        self._count = min(processes, len(self._files))
        self._started = 0
        self._workers: list[_Worker] = []
        self._costs: defaultdict[str, _Cost] = defaultdict(_Cost)
        self._ends_s: list[float] = []

    def run(self) -> None:
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            # The name of a file before its tests: their results come mixed.
            reporter.showfspath = False
        try:
            for number in range(self._count):
                self._start([], [self._sharing, self._others] if number < _INSTALLATIONS else [self._others])
            while self._workers:
                ready = wait([worker.events for worker in self._workers])
                for worker in [worker for worker in self._workers if worker.events in ready]:
                    if not self._hear(worker):
                        self._end(worker)
                if self._session.shouldfail or self._session.shouldstop:
                    self._others.drop()
                    self._sharing.drop()
        finally:
            self._stop()
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)

    def dearest(self, count: int) -> list[str]:
        """Return lines with the files that cost most; a file pays for what it starts, whoever else uses it.

        Two more lines show how well the processes shared the work: a file that costs little of a processor in much time
        waits, and a process that ends long before the last has left the others alone.
        """
        if not count:
            return []
        costs = sorted(self._costs.items(), key=lambda cost: -cost[1].cpu_s)
        lines = [f"{cost.cpu_s:7.1f} s of a processor in {cost.span_s:6.1f} s  {file}" for file, cost in costs[:count]]
        cpu_s, span_s = (sum(getattr(cost, name) for _, cost in costs) for name in ("cpu_s", "span_s"))
        ends = ", ".join(f"{max(self._ends_s) - end_s:.1f}" for end_s in sorted(self._ends_s))
        return [
            "", *lines, f"{cpu_s:7.1f} s of a processor in {span_s:6.1f} s  all {len(costs)} files",
            f"processes ended this many seconds before the last: {ends}",
        ]  # fmt: skip

    def _start(self, first: list[pytest.Item], queues: list[Tickets]) -> None:
        """Fork a process that runs these tests before it takes files, from one queue after the other."""
        reader, writer = _FORK.Pipe(duplex=False)
        # Made here, for all processes in the same folder.
        base = self._config._tmp_path_factory.getbasetemp() / f"process-{self._started}"  # type: ignore[attr-defined]  # noqa: SLF001 - as pytest-xdist does
        base.mkdir(mode=0o700)
        self._started += 1

        def work() -> None:
            os.setpgrp()  # an interrupt from the terminal comes once, from the first process
            # A shell lets its background commands ignore interrupts; this process has to be stoppable.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._config._tmp_path_factory._basetemp = base  # type: ignore[attr-defined]  # noqa: SLF001
            _work(self._session, self._files, queues, first, writer)

        process = _FORK.Process(target=work)
        with warnings.catch_warnings():
            # Python 3.12 warns of threads: those of OpenBLAS, which prepares for forks.
            warnings.simplefilter("ignore", DeprecationWarning)
            sys.stdout.flush()
            process.start()
        writer.close()
        self._workers.append(_Worker(process, reader, queues, list(first)))

    def _hear(self, worker: _Worker) -> bool:
        """Pass on one event of a process; return False if the process has ended."""
        try:
            event, *content = worker.events.recv()
        except EOFError:
            return False
        hook = self._config.hook
        if event == "file":
            worker.unfinished += self._files[content[0]]
        elif event == "start":
            hook.pytest_runtest_logstart(nodeid=content[0], location=content[1])
        elif event == "report":
            report = hook.pytest_report_from_serializable(config=self._config, data=content[0])
            hook.pytest_runtest_logreport(report=report)
        elif event == "finish":
            del worker.unfinished[0]
            hook.pytest_runtest_logfinish(nodeid=content[0], location=content[1])
        elif event == "cost":
            file, cpu_s, span_s = content
            self._costs[file].cpu_s += cpu_s
            self._costs[file].span_s += span_s
        elif event == "warning":
            text, when, nodeid, location = content
            message = warnings.WarningMessage(pytest.PytestWarning(text), pytest.PytestWarning, "", 0)
            hook.pytest_warning_recorded.call_historic(
                kwargs={"warning_message": message, "when": when, "nodeid": nodeid, "location": location}
            )
        elif event == "done":
            worker.is_done = True
        return True

    def _end(self, worker: _Worker) -> None:
        """Forget a process that has ended; one that crashed fails its test and is replaced for the tests after it."""
        self._workers.remove(worker)
        worker.process.join()
        self._ends_s.append(time.monotonic())
        if worker.is_done:
            return
        how = f"The process of this test ended with code {worker.process.exitcode}"
        if not worker.unfinished:
            raise RuntimeError(f"{how}, after the test")
        crashed, *others = worker.unfinished
        self._config.hook.pytest_runtest_logreport(
            report=pytest.TestReport(crashed.nodeid, crashed.location, {}, "failed", f"{how}.", "call")
        )
        self._start(others, worker.queues)

    def _stop(self) -> None:
        """Interrupt what still runs, as the first process was, and wait until it has torn its fixtures down."""
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process.pid or 0, signal.SIGINT)
        for worker in self._workers:
            worker.events.close()
            worker.process.join()


class _Events:
    """Sends what happens in a forked process to the first."""

    def __init__(self, config: pytest.Config, writer: Connection) -> None:
        self._config = config
        self.send = writer.send
        # pytest tells a new plugin all warnings of before, which the first process has had.
        self.hears_warnings = False

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self.send(("start", nodeid, location))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.send(("report", self._config.hook.pytest_report_to_serializable(config=self._config, report=report)))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self.send(("finish", nodeid, location))

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: tuple[str, int, str] | None
    ) -> None:
        if not self.hears_warnings:
            return
        self.send(
            ("warning", f"{warning_message.category.__name__}: {warning_message.message}", when, nodeid, location)
        )


def _work(
    session: pytest.Session, files: list[list[pytest.Item]], queues: list[Tickets], first: list[pytest.Item],
    writer: Connection,
) -> None:  # fmt: skip
    """Run tests in a forked process until all files are taken."""
    config = session.config
    _be_silent(config)
    events = _Events(config, writer)
    config.pluginmanager.register(events)
    events.hears_warnings = True

    def items() -> Iterator[pytest.Item]:
        yield from first
        for tickets in queues:
            while not (session.shouldfail or session.shouldstop) and (number := tickets.take()) is not None:
                events.send(("file", number))
                yield from files[number]

    try:
        coming = items()
        item = next(coming, None)
        meter, began_s = CpuMeter(os.getpid()), time.monotonic()
        while item is not None:
            following = next(coming, None)
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if following is None or following.path != item.path:
                ended_s = time.monotonic()
                events.send(("cost", item.nodeid.partition("::")[0], meter.spent_s(), ended_s - began_s))
                began_s = ended_s
            item = following
    finally:
        # For an interrupt: after the last test nothing is left.
        session._setupstate.teardown_exact(None)  # noqa: SLF001 - as the session's own end does
    events.send(("done",))


def _be_silent(config: pytest.Config) -> None:
    """Print nothing, since the first process prints, and capture output in files of this process's own."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if not capture.is_globally_capturing():
        return
    capture.stop_global_capturing()
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    capture.start_global_capturing()
    capture.suspend_global_capture()
