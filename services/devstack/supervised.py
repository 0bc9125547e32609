"""One supervised process: started with its log, started again when it dies, asked whether it is ready."""

from __future__ import annotations

import http.client
import json
import random
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.devstack.tied import Child, start_child, stop_child, tied

STOP_GRACE_S = 10.0
SHORTEST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STEADY_AFTER_S = 30.0  # one that ran this long starts again at once: its earlier deaths are another story
LOG_LIMIT_BYTES = 10_000_000
HTTP_OK = 200


@dataclass
class SupervisedProcess:
    """A subcommand of `smartwatch` as a child process. Not safe for several threads: its owner holds a lock."""

    name: str
    health_port_setting: str
    log_file: Path
    child: Child | None = None
    started_at_s: float = 0.0  # monotonic
    deaths: int = 0  # in a row, since it last ran steadily
    restarts: int = 0
    kept_down: bool = False
    due_at_s: float = field(default=0.0)  # monotonic; when to start it again

    @property
    def process_id(self) -> int | None:
        """The process while it runs."""
        return self.child.pid if self.child is not None and self.child.poll() is None else None

    def start(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start it. Call only while it does not run."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT_BYTES:
            self.log_file.rename(self.log_file.with_suffix(".log.1"))
        command = tied([sys.executable, "-m", "services.cli", self.name], signal.SIGTERM)
        with self.log_file.open("ab") as log:
            self.child = start_child(command, log=log, environment=environment, folder=folder)
        self.started_at_s = time.monotonic()
        self.due_at_s = 0.0

    def stop(self) -> int | None:
        """Ask it to end, wait, then kill it; its exit code, None when it never ran. A repeat does nothing."""
        return None if self.child is None else stop_child(self.child, (signal.SIGTERM, STOP_GRACE_S))

    def note_death(self) -> float:
        """Plan the next start; the delay in seconds: doubling, with jitter so that not all return at one moment."""
        now_s = time.monotonic()
        self.deaths = 1 if now_s - self.started_at_s > STEADY_AFTER_S else self.deaths + 1
        longest_s = min(LONGEST_DELAY_S, SHORTEST_DELAY_S * 2.0 ** min(self.deaths - 1, 10))
        delay_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter keeps no secret
        self.due_at_s = now_s + delay_s
        return delay_s

    def log_tail(self, lines: int = 3) -> str:
        """The end of its log, for a person who has to find out why it died."""
        try:
            return " | ".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def fetch_unready_reasons(port: int, timeout_s: float = 3.0) -> dict[str, str]:
    """Each dependency that is not well, and why; empty when the process behind this port is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return {"process": f"no answer on port {port} ({type(error).__name__})"}
    finally:
        connection.close()
    if answer.status == HTTP_OK:
        return {}
    try:
        told = json.loads(body)
    except json.JSONDecodeError:
        told = None
    unwell = {str(name): str(reason) for name, reason in _reasons(told).items() if reason != "ok"}
    return unwell or {"process": f"answered {answer.status}"}


def _reasons(told: object) -> Mapping[str, object]:
    """The dependencies in an answer, which is flat or has them one level down."""
    if not isinstance(told, dict):
        return {}
    for value in told.values():
        if isinstance(value, dict):
            return value
    return told
