"""`smartwatch bridge` as a process of its own, which a test kills, freezes and wakes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from tests.support.ports import claimed_ports
from tests.support.watch import Stand

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
# An interpreter that imports the backend on a machine with other work.
START_DEADLINE_S: Final = 60.0


class BridgeProcess:
    """A running bridge and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def reads_uplinks(self) -> bool:
        """Whether it has become the reader of uplinks at some time."""
        return "uplink_connected" in self.log

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGKILL, SIGSTOP or SIGCONT."""
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait()

    def cpu_s(self) -> float:
        """Return how many seconds of a core the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        # User and system time are the 14th and 15th field of the line, in clock ticks.
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024


@contextlib.asynccontextmanager
async def bridge_process(
    stand: Stand, log: Path, *, reads: bool, backend_port: int | None = None
) -> AsyncIterator[BridgeProcess]:  # fmt: skip
    """Run a bridge for the block, from the moment at which it reads uplinks or, without ``reads``, stands by.

    ``backend_port`` is the way to the broker, if not the direct one.
    """
    with claimed_ports() as claim_port:
        environment = _environment(stand, backend_port, claim_port())
        async with _running(environment, log, reads=reads) as bridge:
            yield bridge


def _environment(stand: Stand, backend_port: int | None, health_port: int) -> dict[str, str]:
    settings = {
        "environment": "test", "database_url": stand.settings.database_url, "blob_url": stand.settings.blob_url,
        "erasure_ledger": str(stand.settings.erasure_ledger),
        "mqtt_backend_port": str(backend_port or stand.settings.mqtt_backend_port),
        "mqtt_backend_password": stand.settings.mqtt_backend_password.get_secret_value(),
        "bridge_health_port": str(health_port),
    }  # fmt: skip
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}
    return outside | {f"SMARTWATCH_{name.upper()}": value for name, value in settings.items()}


@contextlib.asynccontextmanager
async def _running(environment: dict[str, str], log: Path, *, reads: bool) -> AsyncIterator[BridgeProcess]:
    process = _start(environment, log)
    bridge = BridgeProcess(process, log)
    try:
        word = "uplink_connected" if reads else "downlink_connected"
        async with asyncio.timeout(START_DEADLINE_S):
            while word not in bridge.log:
                assert process.poll() is None, bridge.log
                await asyncio.sleep(0.05)
        yield bridge
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 20)


def _start(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "services.cli", "bridge"]
    with log.open("wb") as sink:
        return subprocess.Popen(command, env=environment, cwd=_CHECKOUT, stdout=sink, stderr=sink)  # noqa: S603 - our own command
