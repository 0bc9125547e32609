"""`smartwatch backup run`: receive the log, recordings and erasures within seconds, and take and verify a backup a day.

A fault stops nothing else: it is written to the state, which `smartwatch doctor` reads, and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from services.backup.blobs import RecordingCopies
from services.backup.errors import BackupError
from services.backup.folder import FULL, INCREMENTAL, Backup, Line, Received, is_full_disk, unwritable
from services.backup.ledger import back_up_ledger
from services.backup.receiving import LogReceiver
from services.backup.server import FIRST_WITH_INCREMENTAL, connected, identify, progress_of
from services.backup.taking import Source, source_of, take_backup
from services.backup.verifying import verify
from services.core.platform.backup_state import (
    BackupState,
    BackupStateBrokenError,
    read_backup_state,
    update_backup_state,
)
from services.core.platform.blobs.errors import BlobStoreAwayError
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.errors import CoreError
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.settings import Settings

FOLLOW_EVERY_S: Final = 1.0
LOOK_FOR_BACKUP_EVERY_S: Final = 20.0
RETRY_AFTER_S: Final = 5.0
# A backup that failed is tried again after 20, 40, 80 ... 600 s: it may take long, and most faults pass at once.
RETRY_BACKUP_AFTER_S: Final = (20.0, 600.0)
FULL_AFTER: Final = timedelta(days=6, hours=12)
REPLACE_DAMAGED_AFTER: Final = timedelta(hours=1)
# A loop that has not come round for this long hangs.
HANGS_AFTER_S: Final = 120.0

log = structlog.get_logger()


class Follower:
    """Keeps the folder within seconds of the system."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._receiver = LogReceiver(source.folder, source.programs, source.url, source.addresses)
        self._copies = RecordingCopies(source.folder, source.database, source.store)
        self._copied_until: datetime | None = None
        self._log_until: datetime | None = None
        self.came_round_s = 0.0

    async def run(self) -> None:
        """Follow until cancelled; a fault is recorded, and following goes on after a pause."""
        try:
            while True:
                self.came_round_s = asyncio.get_running_loop().time()
                await self._follow()
                await asyncio.sleep(RETRY_AFTER_S)
        finally:
            await self._receiver.stop()

    async def _follow(self) -> None:
        """Run until something fails, and record it."""
        try:
            line = await self._receiver.ensure_running()
            async with connected(self._source.url) as connection:
                recovered = False
                while True:
                    self.came_round_s = asyncio.get_running_loop().time()
                    line = await self._receiver.ensure_running()
                    await self._round(connection, line)
                    if not recovered:
                        clear_fault(self._source, FOLLOWING)
                        recovered = True
                    await asyncio.sleep(FOLLOW_EVERY_S)
        except Exception as error:  # noqa: BLE001 - every fault is recorded and tried again
            note_fault(self._source, FOLLOWING, error)

    async def _round(self, connection: asyncpg.Connection, line: Line) -> None:
        progress = await progress_of(connection)
        # By the clock of the processes, which dates the rows of recordings.
        begun = self._source.database.clock()
        if self._copied_until is None:
            await self._copies.copy_all()
        else:
            await self._copies.copy_since(self._copied_until)
        self._copied_until = begun
        await asyncio.to_thread(back_up_ledger, self._source.settings, self._source.folder.ledger)
        await self._receiver.record_completed()
        self._log_until = self._receiver.received_until(progress) or self._log_until
        if self._log_until is not None:
            # Recordings and ledger were looked at after the log was: they are at least as new.
            received = Received(lsn=self._receiver.received_lsn, until=self._log_until)
            await asyncio.to_thread(line.note_received, received)
            await asyncio.to_thread(
                update_backup_state,
                self._source.folder.folder,
                {"received_until": received.until, "received_line": line.name, "received_lsn": received.lsn},
            )


FOLLOWING: Final = "receiving"
DAILY: Final = "daily backup"


class Daily:
    """Takes a backup a day, a full one every week, and verifies it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.came_round_s = 0.0

    async def run(self) -> None:
        """Look whether a backup is due, until cancelled."""
        pause_s, failures = 0.0, 0
        shortest_s, longest_s = RETRY_BACKUP_AFTER_S
        while True:
            self.came_round_s = asyncio.get_running_loop().time() + pause_s
            await asyncio.sleep(pause_s)
            pause_s = LOOK_FOR_BACKUP_EVERY_S
            try:
                await self._take_if_due()
                failures = 0
            except Exception as error:  # noqa: BLE001 - every fault is recorded and tried again
                if isinstance(error, BackupError) and error.code == "backup_busy":
                    continue
                note_fault(self._source, DAILY, error)
                pause_s = min(shortest_s * 2**failures, longest_s)
                failures += 1

    async def _take_if_due(self) -> None:
        async with connected(self._source.url) as connection:
            server = await identify(connection)
        line = self._source.folder.line_of(server)
        backups = line.backups() if line else []
        state = read_backup_state(self._source.folder.folder)
        is_damaged = state is not None and bool(state.verify_fault)
        if backups and not (
            is_due(backups[-1], self._source.settings.backup_hour, server.now)
            or (is_damaged and server.now - backups[-1].began_at > REPLACE_DAMAGED_AFTER)
        ):
            return
        full = next((backup for backup in reversed(backups) if backup.kind == FULL), None)
        incremental = (
            full is not None
            and not is_damaged
            and server.now - full.began_at < FULL_AFTER
            and server.major_version >= FIRST_WITH_INCREMENTAL
            and server.summarizes
        )
        self.came_round_s = float("inf")  # as long as a backup takes
        await take_backup(self._source, INCREMENTAL if incremental else FULL, gently=bool(backups))
        await verify(self._source.folder, self._source.programs)
        clear_fault(self._source, DAILY)


def is_due(newest: Backup, hour: int, now: datetime) -> bool:
    """Return whether the hour of the daily backup has come since the newest backup began."""
    today = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    latest = today if today <= now else today - timedelta(days=1)
    return newest.began_at < latest


_faults: dict[str, tuple[str, datetime]] = {}


def note_fault(source: Source, part: str, error: Exception) -> None:
    """Record what keeps a part from working, in the state and once in the log."""
    sentence = sentence_of(error)
    before = _faults.get(part)
    _faults[part] = (sentence, before[1] if before else datetime.now(UTC))
    if before is None or before[0] != sentence:
        log.warning("backup_fault", part=part, error=type(error).__qualname__, sentence=sentence)
    _write_faults(source)


def clear_fault(source: Source, part: str) -> None:
    """Record that a part works."""
    if _faults.pop(part, None) is not None:
        log.info("backup_recovered", part=part)
    _write_faults(source)


def _write_faults(source: Source) -> None:
    text = " ".join(f"{part}: {sentence}" for part, (sentence, _) in sorted(_faults.items()))
    since = min((since for _, since in _faults.values()), default=None)
    with contextlib.suppress(OSError):
        if text:
            source.folder.use_reserve()
        else:
            source.folder.keep_reserve()
        update_backup_state(source.folder.folder, {"fault": text, "fault_since": since})


def sentence_of(error: Exception) -> str:
    """Return a sentence about an error, without anything personal."""
    if isinstance(error, BackupError | CoreError):
        return error.sentence
    if isinstance(error, BlobStoreAwayError):
        return "The audio store does not answer."
    if isinstance(error, OSError) and (error.filename is not None or is_full_disk(error)):
        return unwritable(error).sentence
    if is_database_unavailable(error):
        return "The database does not answer."
    return f"{type(error).__qualname__}."


def ages_of(source: Source) -> Callable[[], Mapping[str, float]]:
    """Return how to read the ages of the newest backup, of its verification, and of what was received."""

    def read() -> Mapping[str, float]:
        try:
            state = read_backup_state(source.folder.folder) or BackupState()
        except (BackupStateBrokenError, OSError):
            return {}
        times = {"backup": state.newest_at, "verified": state.verified_at, "received": state.received_until}
        now = datetime.now(UTC)
        return {part: (now - time).total_seconds() for part, time in times.items() if time is not None}

    return read


async def run_backups(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    async with _opened(settings) as source:
        follower, daily = Follower(source), Daily(source)

        async def hung() -> str | None:
            now_s = asyncio.get_running_loop().time()
            late = [part for part in (follower, daily) if now_s - part.came_round_s > HANGS_AFTER_S]
            return f"hangs: {', '.join(type(part).__name__ for part in late)}" if late else None

        page = MetricsPage("backup", disks_of(settings) | {"backup": source.folder.folder})
        page.gauge("backup_age_seconds", "Age of what the backup folder has, by part.", ages_of(source), label="part")
        page.gauge("backup_faults", "Parts of the backup that do not work.", lambda: len(_faults))
        health = HealthServer.of(
            settings,
            settings.backup_health_port,
            {"hung_loops": hung},
            page.render,
            own_faults={"hung_loops": frozenset()},
        )
        follower.came_round_s = daily.came_round_s = asyncio.get_running_loop().time()
        await health.start()
        try:
            await _until_signal(follower, daily)
        finally:
            await health.stop()
    log.info("backup_stopped")


@contextlib.asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Source]:
    database = Database.of(settings)
    try:
        yield source_of(settings, database)
    finally:
        await database.close()


async def _until_signal(follower: Follower, daily: Daily) -> None:
    is_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, is_to_end.set)
    running = [asyncio.create_task(part.run()) for part in (follower, daily)]
    ending = asyncio.create_task(is_to_end.wait())
    try:
        await asyncio.wait({*running, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
    finally:
        for process in (*running, ending):
            process.cancel()
        await asyncio.gather(*running, ending, return_exceptions=True)
