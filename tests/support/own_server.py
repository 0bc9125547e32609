"""A database server of the operator's own: Postgres' programs, the roles of infra/, and the lines of docs/backup.md."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
from pathlib import Path

from services.devstack.postgres import processes_in
from services.devstack.postgres_user import (
    NOBODY_ID,
    ServerUser,
    copy_programs,
    find_programs,
    find_server_user,
    prefix_of,
)
from services.devstack.tied import Child, start_child, stop_child, tied

CHECKOUT = Path(__file__).parents[2]
ROLES = CHECKOUT / "infra" / "postgres-roles.sql"
DATABASE = "smartwatch"
_LOCAL = "127.0.0.1/32"


def _block_of(page: str, opening: str) -> str:
    """Return the block of docs/backup.md that begins with these words."""
    [block] = re.findall(rf"```\n\s*({re.escape(opening)}.*?)```", page, re.DOTALL)
    return "\n".join(line.strip() for line in block.splitlines()) + "\n"


class OwnServer:
    """One server on loopback, started and stopped like any server of a distribution. Each role has its password."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.passwords = {
            name: secrets.token_hex(16) for name in ("postgres", "smartwatch_owner", "smartwatch", "smartwatch_backup")
        }
        self._page = (CHECKOUT / "docs" / "backup.md").read_text()
        self._child: Child | None = None
        folder.mkdir(parents=True, exist_ok=True)
        user, refused = find_server_user(folder)
        if user is None:
            # Below a closed folder `nobody` cannot load the wheel's programs, as a distribution's can be by anybody.
            programs = copy_programs(find_programs(), folder / "programs")
            user = ServerUser("nobody", prefix_of(NOBODY_ID, NOBODY_ID), NOBODY_ID, programs, folder)
            assert not user.can_run(), [*refused, user.can_run()]
        self.user: ServerUser = user

    @property
    def environment(self) -> dict[str, str]:
        """The setting that names the server's programs, for the commands that back up and restore."""
        return {"SMARTWATCH_POSTGRES_PROGRAMS": str(self.user.programs)}

    @property
    def data(self) -> Path:
        return self.folder / "main"

    @property
    def user_option(self) -> list[str]:
        """Root's options of `smartwatch restore --data-dir`."""
        return ["--server-user", str(self.user.owner_id)] if self.user.owner_id else []

    def url(self, role: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{DATABASE}"

    def dsn(self) -> str:
        return self.url("smartwatch")

    def owner_dsn(self) -> str:
        return self.url("smartwatch_owner")

    def backup_dsn(self) -> str:
        return self.url("smartwatch_backup")

    def make(self) -> None:
        """Do what docs/deployment.md and docs/backup.md tell the operator to do once."""
        self.data.mkdir(mode=0o700)
        self.user.own(self.data)
        password_file = self.folder / "password"
        password_file.write_text(self.passwords["postgres"])
        self.user.own(password_file)
        access = ("--username=postgres", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync")
        self._run("initdb", f"--pgdata={self.data}", "--encoding=UTF8", "--locale=C", *access)
        password_file.unlink()
        lines = _block_of(self._page, "hostssl replication").replace("hostssl", "host")
        with (self.data / "pg_hba.conf").open("a") as access_file:
            access_file.write(re.sub(r"\d+\.\d+\.\d+\.\d+/32", _LOCAL, lines))
        self.start()
        self.psql("postgres", f"CREATE DATABASE {DATABASE}")
        given = {
            "SMARTWATCH_OWNER_PASSWORD": self.passwords["smartwatch_owner"],
            "SMARTWATCH_APP_PASSWORD": self.passwords["smartwatch"],
            "SMARTWATCH_BACKUP_PASSWORD": self.passwords["smartwatch_backup"],
        }
        self.psql(DATABASE, file=ROLES, further=given)
        # Each by itself: no transaction may hold them.
        for statement in re.findall(r"^\s*(ALTER SYSTEM .*?;)", self._page, re.MULTILINE):
            self.psql("postgres", statement)
        self.stop()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers; a repeat does nothing."""
        if self._child is not None and self._child.poll() is None:
            return
        self.user.own(self.data)
        options = [f"--port={self.port}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
        command = tied([str(self.user.programs / "postgres"), "-D", str(self.data), *options], signal.SIGINT)
        with (self.folder / "log").open("ab") as log:
            self._child = start_child([*self.user.prefix, *command], log=log, environment={"LC_ALL": "C"})
        ready = [str(self.user.programs / "pg_isready"), "--host=127.0.0.1", f"--port={self.port}", "--quiet"]
        while subprocess.run(ready, check=False).returncode != 0:  # noqa: S603 - Postgres' own program
            assert self._child.poll() is None, (self.folder / "log").read_text()[-2000:]

    def stop(self) -> None:
        if self._child is not None:
            stop_child(self._child, (signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
            self._child = None

    def kill(self) -> None:
        """Lose every process of it at once, as a machine without power does.

        One that outlives the first would hold the shared memory, and the next start would be refused.
        """
        assert self._child is not None
        self._child.kill()
        self._child.wait()
        while processes_in(self.data):
            self._signal_all(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop every process of it, as a machine that swaps does."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal every process of it: some end between the look and the signal, others begin."""
        signalled: set[int] = set()
        while new := set(processes_in(self.data)) - signalled:
            for process_id in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, number)
            signalled |= new

    def psql(
        self, database: str, statement: str = "", *, file: Path | None = None, further: dict[str, str] | None = None
    ) -> str:
        """Run statements as the superuser and return what they print."""
        arguments = [f"--file={file}"] if file else [f"--command={statement}"]
        address = f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
        environment = os.environ | {"PGPASSWORD": self.passwords["postgres"]} | (further or {})
        done = subprocess.run(  # noqa: S603 - Postgres' own program
            [str(self.user.programs / "psql"), "-v", "ON_ERROR_STOP=1", "-tA", address, *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def superuser_dsn(self) -> str:
        return f"postgresql://postgres:{self.passwords['postgres']}@127.0.0.1:{self.port}/postgres"

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self.user.prefix, str(self.user.programs / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603
        assert done.returncode == 0, done.stderr
