"""Everything on one machine, supervised: what `smartwatch up`, the demo and the end-to-end tests run.

with Installation.acquire(Path("var"), "default", announce=print) as installation:
    installation.environment   # settings of its processes
    installation.kill("bridge")  # it is started again
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from services.broker.binary import fetch_mosquitto, find_mosquitto
from services.devstack.guard import Guard
from services.devstack.instance import PREFERRED_PORTS, Instance, acquire_instance
from services.devstack.ports import is_free
from services.devstack.postgres import LocalPostgres, PostgresInUseError
from services.devstack.postgres_user import PostgresUnavailableError
from services.devstack.readiness import OWN_FAULT_AFTER_S, Readiness, fetch_readiness
from services.devstack.supervised import SupervisedProcess

PREFIX = "SMARTWATCH_"
CHECKOUT = Path(__file__).resolve().parents[2]
# In the order of starting; the broker is stopped last. The bridge comes last: it would only wait for the broker.
PROCESSES: Mapping[str, str] = {
    "broker": "broker_health_port",
    "api": "api_port",
    "worker": "worker_health_port",
    "bridge": "bridge_health_port",
}
# Of the process that runs where a folder for backups is named.
BACKUP_PORT = "backup_health_port"
READY_DEADLINE_S = 60.0  # measured: 3 to 5 s on two cores, everything included
START_DEADLINE_S = 240.0  # a first start compiles every module, and a slow disk took more than a minute
ASK_EVERY_S = 0.1
DEATHS_BEFORE_GIVING_UP = 5  # while starting; a running installation never gives up


class InstallationError(Exception):
    """The installation could not be started; the message names the part, the reason and the log."""


class Installation:
    """Postgres, broker, API, bridge and worker of one instance, started, watched and stopped together.

    `overrides` are settings (without prefix, in lower case) that win; a `database_url` among them replaces the local
    Postgres. `further` are second processes of the same kinds, with ports among the overrides. Thread-safe.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        overrides: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None,
        durable: bool = True,
        own_fault_after_s: float = OWN_FAULT_AFTER_S,
        further: Collection[SupervisedProcess] = (),
    ) -> None:
        self.instance = instance
        self.overrides = dict(overrides or {})
        self.settings: dict[str, str] = {}
        self.postgres: LocalPostgres | None = None
        if not self.overrides.get("database_url"):
            self.postgres = LocalPostgres(instance.folder / "postgres", durable=durable, announce=announce)
        log = instance.folder / "log"
        self.processes = {name: SupervisedProcess(name, port, log / f"{name}.log") for name, port in PROCESSES.items()}
        self._is_external = self.overrides.get("broker") == "external"
        if self._is_external:
            self.processes["broker"].words = ("broker-auth",)
        for process in further:
            self.processes[process.name] = process
        if self.overrides.get("backup_dir"):
            self.processes["backup"] = SupervisedProcess(
                "backup", BACKUP_PORT, log / "backup.log", words=("backup", "run")
            )
        self._announce = announce
        self._turn = threading.RLock()
        self._ending = threading.Event()
        self._postgres_held_down = False
        self._guard = Guard(
            self.processes,
            turn=self._turn,
            ending=self._ending,
            announce=announce,
            start_process=self._start_process,
            restart_postgres=self._restart_postgres_if_it_died,
            readiness_of=self._readiness_of,
            own_fault_after_s=own_fault_after_s,
        )

    @classmethod
    def acquire(
        cls,
        var: Path,
        name: str = "default",
        *,
        or_next: bool = False,
        overrides: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None,
        durable: bool = True,
        own_fault_after_s: float = OWN_FAULT_AFTER_S,
    ) -> Self:
        """Acquire the instance of that name. Raises InstanceInUseError (see acquire_instance)."""
        instance = acquire_instance(var, name, or_next=or_next)
        return cls(
            instance, overrides=overrides, announce=announce, durable=durable, own_fault_after_s=own_fault_after_s
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------------------- state

    @property
    def ports(self) -> dict[str, int]:
        """Setting name (api_port, mosquitto_tls_port ...) to port."""
        return self.instance.ports

    @property
    def api_url(self) -> str:
        """The address of the API on this machine."""
        return f"http://127.0.0.1:{self.ports['api_port']}"

    @property
    def tls_ca_file(self) -> Path:
        """The certificate authority that watches trust: the configured one, or the development one."""
        configured = self.overrides.get("tls_ca_file")
        return Path(configured) if configured else self.instance.folder / "certificates" / "ca.pem"

    @property
    def database_url(self) -> str:
        """The database address of its processes."""
        return self.settings["database_url"]

    @property
    def environment(self) -> dict[str, str]:
        """The settings as the environment variables of each process."""
        described = {name: value for name, value in self.settings.items() if name != "migration_database_url"}
        return {f"{PREFIX}{name.upper()}": value for name, value in described.items()}

    @property
    def chores_environment(self) -> dict[str, str]:
        """The environment for chores and migrations: also names the owner of the tables."""
        given = self.settings.get("migration_database_url", "")
        owner = given if self.postgres is None else self.postgres.owner_dsn()
        return self.backup_environment | ({f"{PREFIX}MIGRATION_DATABASE_URL": owner} if owner else {})

    @property
    def backup_environment(self) -> dict[str, str]:
        """The environment of the process that makes backups: also names the role that may replicate."""
        if self.postgres is None:
            return self.environment
        return self.environment | {f"{PREFIX}BACKUP_DATABASE_URL": self.postgres.backup_dsn()}

    def process_ids(self) -> dict[str, int | None]:
        """Return process ids by name; None for a process that does not run."""
        with self._turn:
            process_ids = {name: process.process_id for name, process in self.processes.items()}
            return process_ids | ({"postgres": self.postgres.process_id} if self.postgres else {})

    def unready(self) -> dict[str, dict[str, str]]:
        """Return the reasons of each process that is not ready; empty when all are."""
        reasons = {}
        for name, process in self.processes.items():
            if process.process_id is None:
                reasons[name] = {"process": "not running"}
            elif unwell := self._readiness_of(process).reasons:
                reasons[name] = dict(unwell)
        return reasons

    # ------------------------------------------------------------------------- start and stop

    def start(self) -> None:
        """Start everything and wait until each process is ready; a repeat does nothing while it runs.

        On InstallationError, PostgresUnavailableError, PostgresInUseError or MosquittoMissingError nothing runs.
        """
        if self._guard.is_running:
            return
        self._ending.clear()
        try:
            mosquitto = self._find_mosquitto()
            taken_ports: set[int] = set()
            for _ in range(3):
                self._settle(mosquitto, taken_ports)
                taken_ports = self._try_to_start()
                if not taken_ports:
                    break
                self._announce(f"ports {sorted(taken_ports)} were taken by other programs: choosing others")
            else:
                raise InstallationError("ports were taken by other programs during three starts")  # noqa: TRY301 - stopped below
            self.instance.write_environment(self.chores_environment)
            self._guard.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all processes, the broker last, each by SIGTERM and after its grace by SIGKILL; a repeat does nothing.

        The instance is unlocked: acquire it again for another start.
        """
        self._ending.set()
        self._guard.join()
        with self._turn:
            self._stop_processes()
            if self.postgres is not None:
                self.postgres.stop()
        self.instance.release()

    def _stop_processes(self) -> None:
        """Stop the broker last, and the others at once: together they take as long as the slowest of them."""
        others = [process for name, process in self.processes.items() if name != "broker"]
        with ThreadPoolExecutor(len(others)) as pool:
            list(pool.map(SupervisedProcess.stop, others))
        self.processes["broker"].stop()

    def _find_mosquitto(self) -> Path:
        if self._is_external:
            return Path()
        configured = self.overrides.get("mosquitto_binary", "")
        return find_mosquitto(configured) or fetch_mosquitto(self._announce)

    def _settle(self, mosquitto: Path, taken_ports: set[int]) -> None:
        """Decide every setting: random secrets, free ports, folders, the database. Overrides win."""
        names = PREFERRED_PORTS.keys() | {process.health_port_setting for process in self.processes.values()}
        given = {name: int(self.overrides[name]) for name in names if name in self.overrides}
        ports = self.instance.choose_ports(given, taken_ports)
        folder = self.instance.folder
        self.settings = {
            **self.instance.secrets(),
            **{name: str(port) for name, port in ports.items()},
            "environment": "development",
            "public_url": f"http://127.0.0.1:{ports['api_port']}",
            "watch_port": str(ports["mosquitto_tls_port"]),
            "mosquitto_dir": str(folder / "mosquitto"),
            "mosquitto_binary": str(mosquitto),
            "sms_file": str(folder / "sms.jsonl"),
            "blob_url": f"file:{folder / 'blobs'}",
            "erasure_ledger": str(folder / "erasures.jsonl"),
            **self.overrides,
        }
        if self.postgres is not None:
            self.settings["database_url"] = self.postgres.start()

    def _try_to_start(self) -> set[int]:
        """Start the processes and wait for them. Return the ports that other programs took; then all are stopped."""
        self._migrate()
        deadline_s = time.monotonic() + START_DEADLINE_S
        with self._turn:
            for name in self.processes:
                if name != "bridge":
                    self._start_process(name)
            while unready := self._unready_of("broker"):
                self._give_up_or_wait(deadline_s, unready)
                if taken_ports := self._ports_taken():
                    return taken_ports
            self._start_process("bridge")
            while unready := self.unready():
                self._give_up_or_wait(deadline_s, unready)
                if taken_ports := self._ports_taken():
                    return taken_ports
        return set()

    def _readiness_of(self, process: SupervisedProcess) -> Readiness:
        return fetch_readiness(self.ports[process.health_port_setting])

    def _unready_of(self, name: str) -> dict[str, dict[str, str]]:
        return {other: reasons for other, reasons in self.unready().items() if other == name}

    def _start_process(self, name: str) -> None:
        own = self.backup_environment if name == "backup" else self.environment
        process = self.processes[name]
        alone = {f"{PREFIX}{setting.upper()}": value for setting, value in process.settings.items()}
        process.start(_outside() | own | alone, CHECKOUT)

    def _give_up_or_wait(self, deadline_s: float, unready: Mapping[str, Mapping[str, str]]) -> None:
        self._guard.restart_what_died()
        hopeless = [process for process in self.processes.values() if process.deaths >= DEATHS_BEFORE_GIVING_UP]
        for process in hopeless:
            raise InstallationError(f"{process.name} ends at once ({process.log_file}): {process.log_tail()}")
        if time.monotonic() > deadline_s:
            described = "; ".join(f"{name}: {reasons}" for name, reasons in unready.items())
            raise InstallationError(
                f"not ready after {START_DEADLINE_S:.0f} s: {described}. Logs: {self.instance.folder / 'log'}"
            )
        self._ending.wait(ASK_EVERY_S)

    def _ports_taken(self) -> set[int]:
        """Return the ports of dead processes that other programs hold; then all are stopped, to start on other ports.

        Only of those that do not run now: one that was started again holds its ports itself.
        """
        dead = {name: process for name, process in self.processes.items() if process.deaths and not process.process_id}
        suspects = {self.ports[process.health_port_setting] for process in dead.values()}
        if "api" in dead:
            suspects.add(self.ports["api_health_port"])
        if "broker" in dead:
            suspects |= {port for name, port in self.ports.items() if name.startswith("m")}
        taken_ports = {port for port in suspects if not is_free(port)}
        if taken_ports:
            self._stop_processes()
            for process in self.processes.values():
                process.deaths = 0
                process.child = None  # stopped on purpose: no death to report
        return taken_ports

    def _migrate(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "db", "upgrade"],
            capture_output=True,
            text=True,
            check=False,
            env=_outside() | self.chores_environment,
            cwd=CHECKOUT,
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise InstallationError(f"the database could not be brought to the newest schema: {last}")

    def _restart_postgres_if_it_died(self) -> None:
        if self.postgres is None or self._postgres_held_down or self.postgres.is_running():
            return
        self._announce("postgres has ended; starting it again")
        before = self.settings["database_url"]
        try:
            self.settings["database_url"] = self.postgres.start()
        except (PostgresUnavailableError, PostgresInUseError, OSError) as error:
            self._announce(f"postgres could not be started: {error}")
            self._ending.wait(1.0)
            return
        if self.settings["database_url"] != before:
            self._announce("postgres has another port: restarting the others")
            self.instance.write_environment(self.chores_environment)
            for process in self.processes.values():
                process.stop()

    # ------------------------------------------------------------------------- for faults

    def kill(self, name: str) -> None:
        """Kill -9 one process, or `postgres`. It is started again."""
        with self._turn:
            if name == "postgres" and self.postgres is not None:
                self.postgres.kill()
            elif (child := self.processes[name].child) is not None:
                child.kill()
                child.wait()

    @contextlib.contextmanager
    def kept_down(self, name: str, *, how: signal.Signals = signal.SIGTERM) -> Iterator[None]:
        """Stop one process, or `postgres`, for the length of a `with` block; then start it again at once."""
        with self._turn:
            if name == "postgres" and self.postgres is not None:
                self._postgres_held_down = True
                self.postgres.kill() if how is signal.SIGKILL else self.postgres.stop(for_good=False)
            else:
                self.processes[name].kept_down = True
                self.kill(name) if how is signal.SIGKILL else self.processes[name].stop()
        try:
            yield
        finally:
            with self._turn:
                if name == "postgres":
                    self._postgres_held_down = False
                else:
                    process = self.processes[name]
                    process.kept_down = False
                    process.due_at_s = time.monotonic()

    def wait_ready(self, deadline_s: float = READY_DEADLINE_S) -> float:
        """Wait until everything is ready and return the seconds. Raises InstallationError after the deadline."""
        start_s = time.monotonic()
        while unready := self.unready():
            if time.monotonic() - start_s > deadline_s:
                raise InstallationError(f"not ready after {deadline_s:.0f} s: {unready}")
            time.sleep(ASK_EVERY_S)
        return time.monotonic() - start_s


def _outside() -> dict[str, str]:
    """Return the environment of this command without settings of the product.

    The processes keep compiled modules, whatever this command was told: to compile at each start takes 0.2 to 0.4 s.
    """
    dropped = ("PYTHONDONTWRITEBYTECODE", PREFIX)
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
