"""Where a bench runs: a whole installation, a second broker for the baselines, and what all processes spend."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from services.devstack.installation import Installation
from services.devstack.ports import free_port
from services.devstack.postgres import LocalPostgres
from services.protocol.limits import PACKET_MAX_BYTES
from tests.support.process_tree import descendants

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
# The clock of another process: its own CPU time in nanoseconds, all threads included (clock_getcpuclockid).
_SCHEDULED: Final = 2
# The processes below which nothing but decoders run.
_WITH_DECODERS: Final = frozenset({"api", "worker"})


def _cpu_s(process_id: int) -> tuple[float, float]:
    """Return the CPU time of one process and of its ended children in seconds; zeros once it has ended."""
    with contextlib.suppress(OSError):
        own = time.clock_gettime((~process_id << 3) | _SCHEDULED)
        fields = Path("/proc", str(process_id), "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return own, sum(map(int, fields[13:15])) / _TICKS_A_SECOND
    return 0.0, 0.0


def own_cpu_s(process_id: int) -> float:
    """Return the CPU time of one process, without what it started."""
    return _cpu_s(process_id)[0]


class CpuMeter:
    """CPU time by part of a group of processes, each with everything below it."""

    def __init__(self, roots: Callable[[], Mapping[str, int]]) -> None:
        self._roots = roots
        self._before = self._read()

    def restart(self) -> None:
        """Count from now on."""
        self._before = self._read()

    def spent_s(self) -> dict[str, float]:
        """Return the seconds by part since the start."""
        return {name: seconds - self._before.get(name, 0.0) for name, seconds in self._read().items()}

    def _read(self) -> dict[str, float]:
        spent: dict[str, float] = {}
        for name, root in self._roots().items():
            own, ended = _cpu_s(root)
            below = ended + sum(sum(_cpu_s(process_id)) for process_id in descendants(root))
            if name in _WITH_DECODERS:
                # What decodes and encodes sound is a row of its own: the worker makes renditions, the API examines what
                # a guardian sends.
                spent[name], spent["rendition"] = own, spent.get("rendition", 0.0) + below
            else:
                spent[name] = own + below
        return spent


@dataclass(frozen=True)
class Calls:
    """Statements that a role has sent so far, and how many of them were commits."""

    statements: int
    commits: int


class StatementCounter:
    """Counts the statements of one role by pg_stat_statements; BEGIN and COMMIT count as statements."""

    def __init__(self, postgres: asyncpg.Connection, role: str) -> None:
        self._postgres = postgres
        self._role = role

    async def read(self) -> Calls:
        """Return the calls since the server started."""
        row = await self._postgres.fetchrow(
            "SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum(calls) FILTER (WHERE query ~* '^commit'), 0)::bigint"
            " FROM pg_stat_statements WHERE userid = $1::regrole",
            self._role,
        )
        assert row is not None
        return Calls(*row)


async def count_statements(postgres: LocalPostgres) -> None:
    """Load pg_stat_statements before the product starts: Postgres loads it at its own start only."""
    postgres.start()
    connection = await asyncpg.connect(postgres.superuser_dsn("smartwatch"))
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    await connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    await connection.close()
    postgres.stop(for_good=False)


@dataclass(frozen=True)
class Broker:
    """The broker of the baselines: the product's binary, users and rights, and its settings for speed."""

    plain_port: int
    backend_port: int
    tls_port: int
    process_id: int


@contextlib.contextmanager
def second_broker(installation: Installation, folder: Path) -> Iterator[Broker]:
    """Run a broker beside the installation's, with the same users; it ends TLS by itself, with no gate before it."""
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(installation.settings["mosquitto_dir"])
    for name in ("acl", "passwords"):
        shutil.copy(own / name, folder / name)
        (folder / name).chmod(0o700)
    for name in ("server.pem", "server-key.pem"):
        shutil.copy(installation.instance.folder / "certificates" / name, folder / name)
    plain_port = free_port(range(21883, 21983))
    backend_port = free_port(range(21984, 22083))
    tls_port = free_port(range(22184, 22283))
    (folder / "mosquitto.conf").write_text(
        f"{'user root' if os.getuid() == 0 else ''}\nallow_anonymous false\npassword_file passwords\nacl_file acl\n"
        "persistence true\nautosave_interval 1\nset_tcp_nodelay true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        f"max_queued_bytes 67108864\nmax_packet_size {PACKET_MAX_BYTES}\nlog_type error\n"
        f"listener {backend_port} 127.0.0.1\nlistener {plain_port} 127.0.0.1\nuse_username_as_clientid true\n"
        f"listener {tls_port} 127.0.0.1\ncertfile server.pem\nkeyfile server-key.pem\nuse_username_as_clientid true\n",
        encoding="utf-8",
    )
    binary = Path(installation.settings["mosquitto_binary"])
    # Where it was brought along, its libraries are beside it.
    brought = binary.parents[2] if binary.parents[2] != Path("/") else folder
    libraries = sorted({str(file.parent) for file in brought.glob("**/*.so*")})
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen(
            [binary, "-c", "mosquitto.conf"], cwd=folder, env={**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_for(plain_port, process)
        yield Broker(plain_port, backend_port, tls_port, process.pid)
    finally:
        _end(process)


@contextlib.contextmanager
def baseline(log_file: Path, module: str, *words: object) -> Iterator[int]:
    """Run a baseline as a process of its own until the block ends; yields its process id once it is ready.

    Raises AssertionError with its last line when it ended by itself.
    """
    command = [sys.executable, "-m", f"tests.bench.end_to_end.{module}", *map(str, words)]
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", f"{module} did not start: {_last_line(log_file)}"
        yield process.pid
        assert process.poll() is None, f"{module} ended: {_last_line(log_file)}"
    finally:
        _end(process)


def _last_line(log_file: Path) -> str:
    return (log_file.read_text(encoding="utf-8").strip().splitlines() or ["no reason given"])[-1]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the second broker ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError("the second broker does not listen")


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
