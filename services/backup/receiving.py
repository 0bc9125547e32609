"""Receive the server's log as it is written, by `pg_receivewal` and a replication slot, into the line of its history.

The slot keeps on the server what has not arrived yet. A segment is complete when the next one begins; its digest is
recorded then.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections import deque
from collections.abc import Collection
from datetime import datetime
from typing import IO, Final

import structlog

from services.backup.errors import LogGapError
from services.backup.folder import BackupFolder, Line
from services.backup.programs import Programs, failure_of
from services.backup.server import SEGMENT_BYTES, SLOT, Progress, drop_slot, identify_source, lsn_text
from services.backup.sums import append_sums, digest_of, read_sums
from services.devstack.tied import Child, stop_child

_STOP_GRACE_S: Final = 5.0
_FIRST_LOOK_S: Final = 0.5
# Positions that were written and not yet received; one a second.
_WAITING: Final = 600

log = structlog.get_logger()


def _remove_unfinished(line: Line) -> None:
    """Remove a segment that was being made when the disk was full: it is empty, and the receiver refuses it."""
    for partial in line.wal.glob("*.partial"):
        if partial.stat().st_size not in {0, SEGMENT_BYTES}:
            partial.unlink()


class LogReceiver:
    """One `pg_receivewal`, started again when it ends. Not thread-safe."""

    def __init__(self, folder: BackupFolder, programs: Programs, url: str, addresses: Collection[str] = ()) -> None:
        self._folder = folder
        self._programs = programs
        self._url = url
        self._addresses = addresses
        self._child: Child | None = None
        self._log: IO[bytes] | None = None
        self._waiting: deque[tuple[datetime, int]] = deque(maxlen=_WAITING)
        self._recorded: set[str] = set()
        self._needs_new_line = False
        self.line: Line | None = None
        self.received_lsn = ""

    async def ensure_running(self) -> Line:
        """Start the receiver unless it runs, and return the line it writes; raises BackupError with why it ended."""
        if self._child is not None and self._child.poll() is None and self.line is not None:
            return self.line
        await self._explain_end()
        server = await identify_source(self._url, self._addresses)
        line = None if self._needs_new_line else self._folder.line_of(server)
        if line is None:
            line = self._folder.begin_line(server)
            log.info("backup_line_begun")
        self._needs_new_line = False
        if line != self.line:
            self.line = line
            self._recorded = {*read_sums(line.wal)}
            self._waiting.clear()
        await asyncio.to_thread(_remove_unfinished, line)
        slot = (f"--slot={SLOT}", "--no-password")
        await self._programs.run(
            "pg_receivewal", f"--directory={line.wal}", *slot, "--create-slot", "--if-not-exists", url=self._url
        )
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._child = self._programs.start(
            "pg_receivewal", f"--directory={line.wal}", *slot, "--synchronous", "--no-loop", "--status-interval=1",
            log=self._log, url=self._url,
        )  # fmt: skip
        await asyncio.sleep(_FIRST_LOOK_S)
        if self._child.poll() is not None:
            await self._explain_end()
        return line

    async def _explain_end(self) -> None:
        """Raise the reason for which the receiver ended; nothing is raised before its first start."""
        if self._child is None or self._log is None:
            return
        await asyncio.to_thread(self._child.wait)
        self._log.seek(0)
        printed = self._log.read().decode(errors="replace")
        self._log.close()
        self._child, self._log = None, None
        failure = failure_of("pg_receivewal", printed)
        if isinstance(failure, LogGapError):
            # Received segments stay; the next segment begins a new line.
            self._needs_new_line = True
            await drop_slot(self._url)
        raise failure

    def received_until(self, progress: Progress) -> datetime | None:
        """Return the newest time of the server's clock whose log is on this disk; None: not known yet."""
        until = None
        if progress.slot_lost:
            self._needs_new_line = True
        self._waiting.append((progress.now, progress.written_lsn))
        if progress.received_lsn is None:
            return None
        self.received_lsn = lsn_text(progress.received_lsn)
        while self._waiting and self._waiting[0][1] <= progress.received_lsn:
            until = self._waiting.popleft()[0]
        return until

    async def record_completed(self) -> None:
        """Record the digest of each segment that was completed since the last call."""
        line = self.line
        if line is None:
            return
        completed = [name for name in await asyncio.to_thread(line.segments) if name not in self._recorded]
        for name in completed:
            digest = await asyncio.to_thread(digest_of, line.wal / name)
            await asyncio.to_thread(append_sums, line.wal, {name: digest})
            self._recorded.add(name)

    async def stop(self) -> None:
        """Stop the receiver; a repeat does nothing."""
        if self._child is not None:
            await asyncio.to_thread(stop_child, self._child, (signal.SIGINT, _STOP_GRACE_S))
            self._child = None
        if self._log is not None:
            self._log.close()
            self._log = None
