"""One supervised process: started with its log, restarted when it dies, replaced when it hangs."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.devstack.tied import Child, start_child, stop_child, tied

STOP_GRACE_S = 10.0
REPLACE_GRACE_S = 3.0  # a process that hangs ends no work
SHORTEST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STEADY_AFTER_S = 30.0  # after a run of this length the count of deaths starts anew
LOG_LIMIT_BYTES = 10_000_000


@dataclass
class SupervisedProcess:
    """A subcommand of `smartwatch` as a child process. Not thread-safe: its owner holds a lock."""

    name: str
    health_port_setting: str
    log_file: Path
    child: Child | None = None
    words: tuple[str, ...] = ()  # of the subcommand; empty: its name
    settings: Mapping[str, str] = field(default_factory=dict)  # of this process alone
    started_at_s: float = 0.0  # monotonic
    deaths: int = 0  # in a row, since it last ran steadily
    restarts: int = 0
    kept_down: bool = False
    due_at_s: float = field(default=0.0)  # monotonic; when to start it again

    @property
    def process_id(self) -> int | None:
        """The process id while the process runs."""
        return self.child.pid if self.child is not None and self.child.poll() is None else None

    def start(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start the process. Call only while it does not run."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT_BYTES:
            self.log_file.rename(self.log_file.with_suffix(".log.1"))
        command = tied([sys.executable, "-m", "services.cli", *(self.words or (self.name,))], signal.SIGTERM)
        with self.log_file.open("ab") as log:
            self.child = start_child(command, log=log, environment=environment, folder=folder)
        self.started_at_s = time.monotonic()
        self.due_at_s = 0.0

    def stop(self) -> int | None:
        """Send SIGTERM, wait, then kill; return the exit code, None when it never ran. A repeat does nothing."""
        return None if self.child is None else stop_child(self.child, (signal.SIGTERM, STOP_GRACE_S))

    def replace(self) -> None:
        """End a process that hangs: SIGTERM, then SIGKILL, which ends a frozen one. The supervisor starts it again."""
        if self.child is not None:
            stop_child(self.child, (signal.SIGTERM, REPLACE_GRACE_S))

    def note_death(self) -> float:
        """Plan the next start and return the delay in seconds: it doubles, with jitter so that starts spread out."""
        now_s = time.monotonic()
        self.deaths = 1 if now_s - self.started_at_s > STEADY_AFTER_S else self.deaths + 1
        longest_s = min(LONGEST_DELAY_S, SHORTEST_DELAY_S * 2.0 ** min(self.deaths - 1, 10))
        delay_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter keeps no secret
        self.due_at_s = now_s + delay_s
        return delay_s

    def log_tail(self, lines: int = 3) -> str:
        """Return the last lines of the log for an error message."""
        try:
            return " | ".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""
