"""The threads that watch a running installation: what died is started again, what hangs is replaced."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from services.devstack.readiness import OwnFaultJudge, Readiness
from services.devstack.supervised import SupervisedProcess

WATCH_EVERY_S = 0.05
ASK_READINESS_EVERY_S = 2.0


class Guard:
    """Watches processes from `start` until `ending` is set.

    `turn` is the lock of the installation: `start_process` and `restart_postgres` are called while it is held.
    """

    def __init__(
        self,
        processes: Mapping[str, SupervisedProcess],
        *,
        turn: threading.RLock,
        ending: threading.Event,
        announce: Callable[[str], None],
        start_process: Callable[[str], None],
        restart_postgres: Callable[[], None],
        readiness_of: Callable[[SupervisedProcess], Readiness],
        own_fault_after_s: float,
    ) -> None:
        self._processes = processes
        self._turn = turn
        self._ending = ending
        self._announce = announce
        self._start_process = start_process
        self._restart_postgres = restart_postgres
        self._readiness_of = readiness_of
        self._own_fault_after_s = own_fault_after_s
        self._watchers: list[threading.Thread] = []

    @property
    def is_running(self) -> bool:
        """Whether the threads were started, and not joined since."""
        return bool(self._watchers)

    def start(self) -> None:
        """Start both threads. All processes must be ready."""
        self._watchers = [
            threading.Thread(target=self._watch_children, name="watches-children", daemon=True),
            threading.Thread(target=self._watch_readiness, name="watches-readiness", daemon=True),
        ]
        for watcher in self._watchers:
            watcher.start()

    def join(self) -> None:
        """Wait for the threads, after `ending` was set; the caller does not hold the turn. A repeat does nothing."""
        for watcher in self._watchers:
            watcher.join()
        self._watchers = []

    def restart_what_died(self) -> None:
        """Note each death, and start again what is due. The caller holds the turn."""
        for process in self._processes.values():
            if process.child is None or process.kept_down or process.child.poll() is None:
                continue
            if not process.due_at_s:
                delay_s = process.note_death()
                code = process.child.returncode
                self._announce(
                    f"{process.name} has ended ({_how_it_ended(code)}); starting it again in {delay_s:.1f} s"
                )
            elif time.monotonic() >= process.due_at_s:
                process.restarts += 1
                self._start_process(process.name)

    def _watch_children(self) -> None:
        while not self._ending.wait(WATCH_EVERY_S):
            with self._turn:
                self._restart_postgres()
                self.restart_what_died()

    def _watch_readiness(self) -> None:
        """Replace each process that is unready by its own fault for too long; a dead one is the other watcher's."""
        judges: dict[int, OwnFaultJudge] = {}
        for process in self._processes.values():
            if process.process_id is not None:
                # All were ready at the end of the start.
                judges[process.process_id] = OwnFaultJudge(after_s=self._own_fault_after_s, was_ready=True)
        # All at once: one that does not answer must not delay the verdict on the others.
        with ThreadPoolExecutor(len(self._processes), thread_name_prefix="asks-readiness") as side_by_side:
            while not self._ending.wait(ASK_READINESS_EVERY_S):
                running = {
                    process.process_id: process
                    for process in self._processes.values()
                    if process.process_id is not None and not process.kept_down
                }
                answers = side_by_side.map(self._readiness_of, running.values())
                for (process_id, process), readiness in zip(running.items(), answers, strict=True):
                    judge = judges.setdefault(process_id, OwnFaultJudge(after_s=self._own_fault_after_s))
                    if judge.is_to_be_replaced(readiness):
                        self._replace(process, process_id, readiness.reasons)
                judges = {process_id: judges[process_id] for process_id in running if process_id in judges}

    def _replace(self, process: SupervisedProcess, process_id: int, reasons: Mapping[str, str]) -> None:
        with self._turn:
            if process.process_id != process_id or process.kept_down or self._ending.is_set():
                return
            self._announce(f"{process.name} is unready by its own fault ({_as_words(reasons)}); replacing it")
            process.replace()


def _as_words(reasons: Mapping[str, str]) -> str:
    return ", ".join(f"{part}: {reason}" for part, reason in reasons.items())


def _how_it_ended(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
