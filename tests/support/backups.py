"""A system on this machine that can be backed up, destroyed and restored: real Postgres, real files, the real API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx

from services.backup.errors import BackupError
from services.backup.folder import BackupFolder
from services.backup.process import Follower
from services.backup.programs import Programs, programs_of
from services.backup.restoring import Restored, restore
from services.backup.taking import Source, source_of, take_backup
from services.backup.targets import instance_target
from services.core.platform.backup_state import read_backup_state
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import upgrade
from services.core.platform.settings import Environment, Settings
from services.devstack.instance import acquire_instance
from services.devstack.postgres import LocalPostgres
from tests.support.http import Parent
from tests.support.own_server import OwnServer

WAIT_S = 200.0
ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder `var` that `nobody` can reach, as the local Postgres needs where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-backup-"))
    folder.chmod(0o755)
    (folder / "var").mkdir(mode=0o755)
    try:
        yield folder / "var"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class System:
    """One system below `base`, in the form of an instance of `smartwatch up`, without its other processes."""

    def __init__(self, base: Path, name: str) -> None:
        self.base = base
        self.name = name
        self.folder = base / name
        self.postgres: LocalPostgres | OwnServer = LocalPostgres(self.folder / "postgres", durable=False)
        instance = acquire_instance(base, name)
        self._secrets = instance.secrets()
        instance.release()

    async def start(self) -> None:
        """Start the database and bring its schema to the newest."""
        await asyncio.to_thread(self.postgres.start)
        await asyncio.to_thread(upgrade, self.postgres.owner_dsn(), role="smartwatch")

    @property
    def settings(self) -> Settings:
        return Settings(
            environment=Environment.TEST, database_url=self.postgres.dsn(), trusted_proxies="127.0.0.1",
            backup_database_url=self.postgres.backup_dsn(), backup_dir=self.base / "backup",
            blob_url=f"file:{self.folder / 'blobs'}", erasure_ledger=self.folder / "erasures.jsonl",
            master_key=self._secrets["master_key"],
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The settings for a command of its own."""
        settings = self.settings
        named = {
            "ENVIRONMENT": "test", "DATABASE_URL": settings.database_url, "MASTER_KEY": self._secrets["master_key"],
            "BACKUP_DATABASE_URL": settings.backup_database_url, "BACKUP_DIR": str(settings.backup_dir),
            "BLOB_URL": settings.blob_url, "ERASURE_LEDGER": str(settings.erasure_ledger),
        }  # fmt: skip
        return {f"SMARTWATCH_{name}": value for name, value in named.items()}

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        database = Database.of(self.settings)
        try:
            yield database
        finally:
            await database.close()

    @contextlib.asynccontextmanager
    async def source(self) -> AsyncIterator[Source]:
        async with self.database() as database:
            yield source_of(self.settings, database, durable=False)

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
        """The API of this system, without a socket."""
        from services.api.app import create_app  # noqa: PLC0415 - as in conftest

        async with self.database() as database:
            app = create_app(self.settings, database)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
            ):
                yield client, database

    @contextlib.asynccontextmanager
    async def followed(self, folder: Path | None = None) -> AsyncIterator[Follower]:
        """Receive log, sound and erasures for the block, as `smartwatch backup run` does."""
        async with self.source() as source:
            follower = Follower(_into(source, folder))
            task = asyncio.create_task(follower.run())
            try:
                yield follower
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def take(self, kind: str, folder: Path | None = None) -> str:
        async with self.source() as source:
            return (await take_backup(_into(source, folder), kind)).backup_id

    async def write_log(self, *, segments: int) -> None:
        """Fill so many segments of the log."""
        connection = await asyncpg.connect(self.postgres.superuser_dsn())
        try:
            await connection.execute("CREATE TABLE IF NOT EXISTS filling (content text)")
            for _ in range(segments):
                await connection.execute("INSERT INTO filling VALUES ('something')")
                await connection.execute("SELECT pg_switch_wal()")
        finally:
            await connection.close()

    def destroy(self) -> None:
        """Lose the machine: everything but the backup folder is gone."""
        self.postgres.kill()
        self.postgres.stop()
        shutil.rmtree(self.folder)


def _into(source: Source, folder: Path | None) -> Source:
    """Return the source with another backup folder, if one is given."""
    elsewhere = replace(source, folder=BackupFolder(folder)) if folder else source
    elsewhere.folder.prepare()
    return elsewhere


def command(base: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start `smartwatch` with these words beside the folder `var`."""
    # A session of its own: a backup has the lowest priority, and Linux weighs it within its session only. In that of
    # the tests it would load for minutes on a busy machine.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}
    return subprocess.Popen(  # noqa: S603 - our own program, by an argument list
        [sys.executable, "-m", "services.cli", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=base.parent,
        env=outside | environment | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip


@contextlib.contextmanager
def running(base: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run such a command during the block; one that is left running is killed, and what it printed is shown."""
    with command(base, *words, **environment) as process:
        try:
            yield process
        finally:
            process.kill()
            sys.stderr.write("\n".join(process.communicate()))


def bring_keys(lost_secrets: str, base: Path, name: str) -> None:
    """Put the keys of a lost system where those of a new one are."""
    (base / name).mkdir()
    (base / name / "secrets.json").write_text(lost_secrets)


async def restore_into(
    base: Path, name: str, to: str, *, backup: Path | None = None, durable: bool = False
) -> Restored:
    """Restore the backups of `base` into a new system of that name."""
    with instance_target(base, name) as target:
        programs: Programs = programs_of(target.settings)
        folder = BackupFolder(backup or base / "backup")
        return await restore(folder, programs, replace(target, durable=durable), to, lambda _: None)


async def refusal(base: Path, name: str, to: str, *, backup: Path | None = None) -> BackupError:
    """Return why a restore is refused."""
    try:
        await restore_into(base, name, to, backup=backup)
    except BackupError as error:
        return error
    raise AssertionError("it was restored")


async def received(folder: Path, since: datetime) -> float:
    """Wait until everything committed before a time is in the backup folder; return the seconds it took."""
    begun_s = time.monotonic()

    def reached() -> bool:
        state = read_backup_state(folder)
        return state is not None and state.received_until is not None and state.received_until >= since

    await until(reached, f"received until {since}")
    return time.monotonic() - begun_s


async def until(holds: Callable[[], bool], what: str, *, wait_s: float = WAIT_S) -> None:
    end_s = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < end_s, f"never came true: {what}"
        await asyncio.sleep(0.05)


async def texts_of(parent: Parent) -> list[str | None]:
    """Return the texts that a parent sees, the newest first; None stands for a recording."""
    page = await parent.told("GET", f"{parent.child}/messages")
    return [message["text"] for message in page["messages"]]


def moment() -> datetime:
    """Return a time after everything so far and before everything that follows."""
    time.sleep(0.01)
    now = datetime.now(UTC)
    time.sleep(0.01)
    return now + timedelta(milliseconds=5)
