"""What this machine can carry: looked at before a fleet begins, and told."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLAIN_BYTES: Final = 30 * 1024
TLS_BYTES: Final = 60 * 1024
# Of a process: its standard streams, the loop, the connections of parents come on top.
FILES_SPARE: Final = 64
# A process beyond this many watches is kept busy by its own loop.
_WATCHES_A_PROCESS: Final = 5_000


@dataclass(frozen=True)
class Machine:
    """Limits of this machine; None where the system does not tell."""

    files_a_process: int | None
    ports: int | None
    free_bytes: int | None
    cpus: int

    def fitting(self, watches: int, files: int, processes: int, *, tls: bool) -> tuple[int, list[str]]:
        """Return how many watches fit and a line for each limit that is in the way; `files`: what else is opened."""
        cost = TLS_BYTES if tls else PLAIN_BYTES
        limits = {
            "descriptors": None
            if self.files_a_process is None
            else max(0, (self.files_a_process - FILES_SPARE) * processes - files),
            "local ports to one address": self.ports,
            "free memory": None if self.free_bytes is None else self.free_bytes // cost,
        }
        lines = [f"{name} of this machine are enough for {limit} of {watches} watches; the rest stays away"
                 for name, limit in limits.items() if limit is not None and limit < watches]  # fmt: skip
        return min([watches, *(limit for limit in limits.values() if limit is not None)]), lines

    def processes_for(self, watches: int) -> int:
        """Return how many processes serve so many watches best: more only where cores or descriptors ask for them."""
        needed = 1
        if self.files_a_process is not None:
            needed = -(-watches // max(1, self.files_a_process - FILES_SPARE))
        return max(needed, min(self.cpus, -(-watches // _WATCHES_A_PROCESS)), 1)

    def shown(self) -> str:
        """Return the limits as a line."""
        parts = [
            f"{self.cpus} cores",
            "descriptors unlimited"
            if self.files_a_process is None
            else f"{self.files_a_process} descriptors a process",
        ]
        if self.ports is not None:
            parts.append(f"{self.ports} local ports")
        if self.free_bytes is not None:
            parts.append(f"{self.free_bytes / 2**30:.1f} GiB of memory free")
        return ", ".join(parts)


def this_machine() -> Machine:
    """Return the limits of this machine."""
    return Machine(_hard_files(), _ports(), _free_bytes(), os.cpu_count() or 1)


def raise_file_limit() -> None:
    """Raise the number of open files of this process as far as the system allows."""
    try:
        import resource  # noqa: PLC0415 - exists on POSIX systems only
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # macOS reports no limit and refuses to set it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _hard_files() -> int | None:
    try:
        import resource  # noqa: PLC0415 - exists on POSIX systems only
    except ImportError:
        return None  # Windows has no such limit
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard


def _ports() -> int | None:
    with contextlib.suppress(OSError, ValueError):
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(last) - int(first) + 1
    return None


def _free_bytes() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None
