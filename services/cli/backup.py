"""`smartwatch backup` and `smartwatch restore`: backups of everything, and the way back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.backup.folder import Backup

# A backup leaves the processor to the processes that serve. What receives has to stay within seconds all the same.
_RECEIVING_NICENESS = 10
_NICENESS = 19

backup_commands = typer.Typer(name="backup", help="Backups of rows, sound and erasures.", no_args_is_help=True)


@backup_commands.command("run")
def run() -> None:
    """Receive log, sound and erasures all the time, and take and verify a backup a day (a process of its own)."""
    # First: to load the program takes longer than to take a small backup.
    os.nice(_RECEIVING_NICENESS)
    with explained():
        settings = cli_run.begin_process("backup")
        from services.backup.process import run_backups

        asyncio.run(run_backups(settings))


@backup_commands.command("full")
def full() -> None:
    """Take a full backup now."""
    _make_backup("full")


@backup_commands.command("incremental")
def incremental() -> None:
    """Take a backup of what changed since the last one (Postgres 17 or newer)."""
    _make_backup("incremental")


@backup_commands.command("verify")
def verify() -> None:
    """Read the newest backup from its first to its last byte; exit code 1 when it is damaged."""
    os.nice(_NICENESS)
    from services.backup.folder import folder_of
    from services.backup.programs import programs_of
    from services.backup.verifying import verify as verify_newest

    settings = cli_run.load_settings()
    with explained():
        backup = asyncio.run(verify_newest(folder_of(settings), programs_of(settings)))
        print(f"{backup.backup_id} is whole: files, log, {backup.recordings} recordings and the ledger of erasures.")


@backup_commands.command("list")
def list_backups() -> None:
    """List the backups and how far the log was received."""
    from services.backup.choosing import shown
    from services.backup.folder import folder_of
    from services.core.platform.backup_state import read_backup_state

    settings = cli_run.load_settings()
    with explained():
        folder = folder_of(settings)
        backups = sorted(
            (backup for line in folder.lines() for backup in line.backups()), key=lambda backup: backup.ended_at
        )
        cli_run.print_table(
            ("backup", "kind", "can be restored from", "recordings"),
            [(backup.backup_id, backup.kind, shown(backup.ended_at), str(backup.recordings)) for backup in backups],
        )
        state = read_backup_state(folder.folder)
        if state is not None and state.received_until is not None:
            print(f"Everything until {shown(state.received_until)} is in the folder.")


Target = Annotated[
    str, typer.Option("--to", help="A time with its zone, such as 2027-03-01T14:30:00+08:00, or latest.")
]


def restore_command(
    to: Target,
    instance: Annotated[str, typer.Option(help="Name of the folder below var/, which must be empty.")] = "default",
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder of a database server of your own, empty; instead of an instance.")
    ] = None,
    server_user: Annotated[
        str, typer.Option(help="As root, with --data-dir: the user of the database server, such as postgres.")
    ] = "",
    store_survived: Annotated[
        bool, typer.Option("--store-survived", help="The audio store is that of the lost system: keep what is in it.")
    ] = False,
) -> None:
    """Restore database, sound and erasures to a time into an empty system; nothing runs until all is complete."""
    from services.backup.choosing import shown
    from services.backup.folder import folder_of
    from services.backup.programs import programs_of
    from services.backup.restoring import RestoreTarget, restore
    from services.backup.targets import instance_target, server_target

    # Not the settings of an instance that runs: the restored system is another one.
    settings = cli_run.load_settings(adopt=False)

    def play(target: RestoreTarget) -> None:
        done = asyncio.run(restore(folder_of(settings), programs_of(settings), target, to, _say))
        until = "the end of the log" if done.choice.target is None else shown(done.choice.target)
        print(
            f"Restored to {until}: {done.recordings} recordings, {done.lost_recordings} lost, {done.erasures} erasures "
            "repeated. Start it, and take a full backup."
        )

    with explained():
        if data_dir is not None:
            programs = programs_of(settings)
            with server_target(
                settings, data_dir, programs, server_user=server_user, store_survived=store_survived
            ) as target:
                play(target)
            return
        with instance_target(Path("var"), instance, store_survived=store_survived) as target:
            play(target)


def _make_backup(kind: str) -> None:
    os.nice(_NICENESS)
    from services.backup.taking import source_of, take_backup
    from services.core.platform.db.database import Database

    settings = cli_run.load_settings()
    with explained():
        cli_run.need_database(settings)

        async def chore() -> Backup:
            database = Database.of(settings)
            try:
                return await take_backup(source_of(settings, database), kind)
            finally:
                await database.close()

        backup = asyncio.run(chore())
        print(f"{backup.backup_id}: taken with {backup.recordings} recordings. `smartwatch backup verify` reads it.")


def _say(line: str) -> None:
    print(f"restore: {line}", flush=True)


@contextmanager
def explained() -> Iterator[None]:
    """Turn a failure of a backup into a mistake of the operator: one line with a code, and lines of detail."""
    from services.backup.errors import BackupError

    try:
        yield
    except BackupError as error:
        raise cli_run.OperatorError(error.code, error.sentence, error.lines) from None
