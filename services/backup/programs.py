"""Postgres' own programs: where they are, and how they are run without a password among the arguments."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from services.backup.errors import BackupError, LogGapError
from services.core.platform.settings import Settings
from services.devstack.postgres_user import PostgresUnavailableError, find_programs
from services.devstack.tied import Child, start_child, stop_child, tied

_FULL_DISK = ("No space left on device", "Disk quota exceeded", "File too large", "could not write")
_GONE = ("has already been removed", "is not in this server's history", "ahead of the WAL flush position")
_LINES_SHOWN = 3
_NICENESS = "15"


@dataclass(frozen=True)
class Programs:
    """The folder of `pg_basebackup` and the others, all of one version."""

    folder: Path

    def path(self, name: str) -> str:
        """Return the path of a program; raises BackupError when it is missing."""
        program = self.folder / name
        if not program.exists():
            raise BackupError(
                "backup_program_missing",
                f"{program} is missing: install Postgres' programs in the server's version, or correct "
                "SMARTWATCH_POSTGRES_PROGRAMS.",
            )
        return str(program)

    def major_version(self) -> int:
        """Return the major version of the programs."""
        shown = subprocess.run(  # noqa: S603 - our own argument list
            [self.path("pg_basebackup"), "--version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
        match = re.search(r"(\d+)", shown)
        if match is None:
            raise BackupError("backup_program_missing", f"{self.folder / 'pg_basebackup'} does not run.")
        return int(match[1])

    async def run(self, name: str, *arguments: str | Path, url: str = "", politely: bool = False) -> str:
        """Run a program to its end and return what it printed; raises BackupError with its last lines.

        The program ends with this process, and when the call is cancelled. ``politely`` leaves the processor to others:
        the server sends no faster than the program takes.
        """
        with tempfile.TemporaryFile() as log:
            child = self.start(name, *arguments, log=log, url=url, politely=politely)
            try:
                code = await asyncio.to_thread(child.wait)
            finally:
                await asyncio.to_thread(stop_child, child, (signal.SIGTERM, 5.0))
            log.seek(0)
            printed = log.read().decode(errors="replace")
        if code != 0:
            raise failure_of(name, printed)
        return printed

    def start(self, name: str, *arguments: str | Path, log: IO[bytes], url: str = "", politely: bool = False) -> Child:
        """Start a program that ends with this process."""
        address, password = without_password(url)
        words = [self.path(name), *map(str, arguments), *([f"--dbname={address}"] if url else [])]
        environment = clean_environment() | ({"PGPASSWORD": password} if password else {})
        if politely and shutil.which("nice"):
            words = ["nice", "-n", _NICENESS, *words]
        return start_child(tied(words, signal.SIGTERM), log=log, environment=environment)


def programs_of(settings: Settings) -> Programs:
    """Return the configured programs, those of the wheel, or those on the path; raises BackupError."""
    if settings.postgres_programs is not None:
        return Programs(settings.postgres_programs)
    try:
        return Programs(find_programs())
    except PostgresUnavailableError:
        program = shutil.which("pg_basebackup")
    if program is None:
        raise BackupError(
            "backup_program_missing",
            "pg_basebackup was not found: install Postgres' programs in the server's version, and set "
            "SMARTWATCH_POSTGRES_PROGRAMS to their folder.",
        )
    # Debian's wrapper lies on the path; the programs themselves lie in the folder of their version.
    return Programs(Path(program).resolve().parent)


def failure_of(name: str, printed: str) -> BackupError:
    """Return the error for what a program printed before it failed."""
    lines = [line for line in printed.splitlines() if line.strip()][-_LINES_SHOWN:]
    if any(sign in printed for sign in _GONE):
        return LogGapError()
    if any(sign in printed for sign in _FULL_DISK):
        return BackupError(
            "backup_disk_full",
            "The disk of the backup folder is full or cannot be written: make room. Earlier backups are unchanged.",
            tuple(lines),
        )
    if "pg_hba.conf" in printed or "must be superuser or" in printed or "permission denied" in printed:
        return BackupError(
            "backup_refused",
            "The server refuses replication to the role of SMARTWATCH_BACKUP_DATABASE_URL.",
            tuple(lines),
        )
    return BackupError("backup_failed", f"{name} failed: {lines[-1] if lines else 'it said nothing'}", tuple(lines))


def without_password(url: str) -> tuple[str, str]:
    """Return a postgresql:// address without its password, and the password: arguments are shown by `ps`."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=f"{name}{at}{place}")), unquote(password)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would redirect the programs or translate what they print."""
    redirecting = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGDATA", "PGPASSWORD", "PGSERVICE", "LC_", "LANG")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(redirecting) and not name.startswith("SMARTWATCH_")
    }
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
