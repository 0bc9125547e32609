"""Make the database's files of a chain of backups and replay the log on them, by a server that nobody else can reach.

The server listens on a socket in a folder of its own, which its user and root may enter.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from services.backup.choosing import Choice
from services.backup.errors import BackupError
from services.backup.folder import BackupFolder, is_full_disk
from services.backup.programs import Programs, clean_environment
from services.backup.server import lsn_number
from services.backup.sums import digest_of, read_sums
from services.backup.verifying import faults_of_log, verify_base
from services.devstack.postgres_user import ServerUser
from services.devstack.tied import Child, start_child, stop_child, tied

_POLL_S = 0.1
_READY_LINE = 8
_TELL_EVERY_S = 30.0
_ENDED_EARLY = "recovery ended before configured recovery target was reached"
_LAST_TIME = re.compile(r"last completed transaction was at log time ([0-9: .+-]+)")
_CONFIGURATION = """\
listen_addresses = ''
unix_socket_directories = '{run}'
hba_file = '{run}/pg_hba.conf'
ident_file = '{run}/pg_ident.conf'
restore_command = 'cp "{run}/history/%f" "%p"'
recovery_target_timeline = 'current'
recovery_target_action = 'promote'
hot_standby = off
archive_mode = off
wal_level = replica
shared_buffers = '256MB'
max_wal_size = '4GB'
max_connections = 20
# In the folder of rows: /dev/shm may be closed to the server's user (a bare chroot), or small (a container).
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
shared_preload_libraries = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
"""


@dataclass(frozen=True)
class Recovered:
    """A server that has replayed the log and may be written; it ends with the block that made it."""

    run: Path

    def url(self, role: str, database: str) -> str:
        """Return the address of a database for a role; no password is asked for."""
        return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(self.run), safe='')}"


async def lay_out(choice: Choice, programs: Programs, data: Path) -> None:
    """Verify the chain and write the database's files with the log that follows; raises BackupError."""
    for backup in choice.chain:
        await verify_base(programs, choice.line, backup)
    faults = [*faults_of_log(choice.line, choice.newest.first_segment)]
    if faults:
        raise BackupError(
            "backup_damaged",
            "The received log is damaged or incomplete: restore to a time before it.",
            tuple(faults[:20]),
        )
    bases = [choice.line.base(backup) for backup in choice.chain]
    try:
        if len(bases) == 1:
            await asyncio.to_thread(shutil.copytree, bases[0], data)
            await asyncio.to_thread(data.chmod, 0o700)
        else:
            await programs.run("pg_combinebackup", "--no-sync", f"--output={data}", *bases)
        await asyncio.to_thread(_copy_log, choice, data / "pg_wal")
        (data / "recovery.signal").touch(mode=0o600)
    except OSError as error:
        raise target_unwritable(error) from error


def _copy_log(choice: Choice, target: Path) -> None:
    """Copy the log from the first segment that is needed; the incomplete newest one gets the name of a complete one."""
    first = choice.newest.first_segment
    sums = read_sums(choice.line.wal)
    for name in choice.line.segments():
        if name >= first:
            shutil.copyfile(choice.line.wal / name, target / name)
            if name in sums and digest_of(target / name) != sums[name]:
                raise BackupError("backup_damaged", f"Segment {name} of the log is damaged.")
    for partial in sorted(choice.line.wal.glob("[0-9A-F]*.partial")):
        name = partial.name.removesuffix(".partial")
        # Completed while it was copied: the complete one is there already.
        if name >= first and not (choice.line.wal / name).exists():
            shutil.copyfile(partial, target / name)


@contextmanager
def recovered(
    choice: Choice,
    folder: BackupFolder,
    user: ServerUser,
    data: Path,
    announce: Callable[[str], None],
    *,
    durable: bool,
) -> Iterator[Recovered]:
    """Replay the log, and run the server for the block; its files are on the disk afterwards. Raises BackupError."""
    run = Path(tempfile.mkdtemp(prefix="smartwatch-restore-"))
    try:
        _prepare_run(choice, folder, run)
        user.own(run)
        user.own(data)
        server = _start(user, data, run, _target_setting(choice))
        try:
            try:
                _wait_until_ready(server, data, run, announce)
            except _EndedBeforeTargetError:
                # No transaction lies between the last one received and the target: all of the log is wanted.
                server = _start(user, data, run, "")
                _wait_until_ready(server, data, run, announce)
            _check_reach(choice, data, run)
            yield Recovered(run)
        finally:
            stop_child(server, (signal.SIGINT, 300.0), (signal.SIGQUIT, 10.0))
        if durable:
            _sync(data, user)
    finally:
        shutil.rmtree(run, ignore_errors=True)


class _EndedBeforeTargetError(Exception):
    """The log ends before the target."""


def _prepare_run(choice: Choice, folder: BackupFolder, run: Path) -> None:
    # Histories that exist: the recovery takes a timeline of its own.
    (run / "history").mkdir()
    for line in folder.lines():
        if line.timeline > choice.line.timeline:
            (run / "history" / f"{line.timeline:08X}.history").write_text("0\t0/0\ttaken\n")
    (run / "pg_hba.conf").write_text("local all all trust\n")
    (run / "pg_ident.conf").touch()
    (run / "postgresql.conf").write_text(_CONFIGURATION.format(run=run))


def _target_setting(choice: Choice) -> str:
    return "" if choice.target is None else choice.target.isoformat(sep=" ")


def _start(user: ServerUser, data: Path, run: Path, target: str) -> Child:
    words = [
        str(user.programs / "postgres"), "-D", str(data), f"--config_file={run / 'postgresql.conf'}",
        # What ALTER SYSTEM or the old server's files set does not hold here.
        "--listen_addresses=", f"--unix_socket_directories={run}", f"--hba_file={run / 'pg_hba.conf'}",
        *([f"--recovery_target_time={target}"] if target else []),
    ]  # fmt: skip
    (data / "postmaster.pid").unlink(missing_ok=True)
    with (run / "log").open("ab") as log:
        return start_child(
            [*user.prefix, *tied(words, signal.SIGINT)], log=log, environment=clean_environment(), folder=Path("/")
        )


def _wait_until_ready(server: Child, data: Path, run: Path, announce: Callable[[str], None]) -> None:
    begun_s = told_s = time.monotonic()
    while not _is_ready(data):
        if server.poll() is not None:
            printed = (run / "log").read_text(errors="replace")
            if _ENDED_EARLY in printed and server.returncode != 0 and not (run / "ended").exists():
                (run / "ended").touch()
                raise _EndedBeforeTargetError
            lines = tuple(line for line in printed.splitlines() if "FATAL" in line or "PANIC" in line)[-3:]
            raise BackupError("restore_failed", "The server that replays the log ended.", lines)
        if time.monotonic() - told_s > _TELL_EVERY_S:
            told_s = time.monotonic()
            announce(f"replaying the log: {told_s - begun_s:.0f} s")
        time.sleep(_POLL_S)


def _is_ready(data: Path) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= _READY_LINE and lines[_READY_LINE - 1].strip() == "ready"


def _check_reach(choice: Choice, data: Path, run: Path) -> None:
    """Raise BackupError when the replay ended before the position that had been received: the log is damaged there."""
    printed = (run / "log").read_text(errors="replace")
    if choice.target is not None and not (run / "ended").exists():
        return  # the target was reached
    received = choice.line.received().lsn
    histories = sorted((data / "pg_wal").glob("*.history"))
    try:
        end = lsn_number(histories[-1].read_text().splitlines()[-1].split("\t")[1])
    except (IndexError, ValueError, OSError):
        return
    if received and end < lsn_number(received):
        times = _LAST_TIME.findall(printed)
        last = f" It can be read until {times[-1].strip()}: name that time in --to." if times else ""
        raise BackupError(
            "backup_damaged", f"The newest segment of the received log is damaged.{last}", (f"ends before {received}",)
        )


def _sync(data: Path, user: ServerUser) -> None:
    """Write everything to the disk: the replay ran without waiting for it."""
    words = [*user.prefix, str(user.programs / "initdb"), "--sync-only", "-D", str(data)]
    with tempfile.TemporaryFile() as log:
        child = start_child(words, log=log, environment=clean_environment(), folder=Path("/"))
        if child.wait() != 0:
            os.sync()


def target_unwritable(error: OSError) -> BackupError:
    """Return the error for a place that cannot take the restored system."""
    what = "The disk of the restored system is full" if is_full_disk(error) else "The restored system cannot be written"
    return BackupError("restore_unwritable", f"{what}: {error.strerror}. The backup is unchanged.")
