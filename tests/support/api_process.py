"""The API as a process of its own, for what many connections or another event loop ask of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.core.platform.clock import system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.ports import claimed_ports

# A start takes 3 s on a machine with nothing else to do.
READY_WITHIN_S = 180.0


@dataclass(frozen=True)
class RunningApi:
    """An API process: where it listens, and its process id."""

    port: int
    pid: int
    health_port: int

    def resident_bytes(self) -> int:
        """Return how much memory the process holds now, as the kernel counts it."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.asynccontextmanager
async def api_process(settings: Settings) -> AsyncIterator[int]:
    """Run an API process on the database and blobs of these settings; yield its port."""
    async with running_api(settings) as api:
        yield api.port


@contextlib.asynccontextmanager
async def running_api(settings: Settings, code: Path | None = None) -> AsyncIterator[RunningApi]:
    """Run an API process on the database and blobs of these settings; ``code``: another checkout, with its .venv."""
    with claimed_ports() as claim_port:
        async with _running_on(settings, claim_port(), claim_port(), code) as api:
            yield api


@contextlib.asynccontextmanager
async def _running_on(
    settings: Settings, port: int, health_port: int, code: Path | None
) -> AsyncIterator[RunningApi]:  # fmt: skip
    environment = {
        **os.environ,
        "SMARTWATCH_ENVIRONMENT": "test",
        "SMARTWATCH_DATABASE_URL": settings.database_url,
        "SMARTWATCH_BLOB_URL": settings.blob_url,
        "SMARTWATCH_API_PORT": str(port),
        "SMARTWATCH_API_HEALTH_PORT": str(health_port),
        "SMARTWATCH_LOG_LEVEL": "ERROR",
        # The tests are the proxy: each phone says with X-Forwarded-For where it is.
        "SMARTWATCH_TRUSTED_PROXIES": "127.0.0.1",
        "SMARTWATCH_ERASURE_LEDGER": str(settings.erasure_ledger),
    }
    python = sys.executable if code is None else str(code / ".venv" / "bin" / "python")
    process = await asyncio.create_subprocess_exec(python, "-m", "services.cli", "api", env=environment, cwd=code)
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(READY_WITHIN_S):
            while not await _is_ready(client, port):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.05)
        yield RunningApi(port, process.pid, health_port)
    finally:
        process.send_signal(signal.SIGTERM)
        # The server ends its streams, and then itself by the same signal.
        assert await process.wait() == -signal.SIGTERM


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@contextlib.asynccontextmanager
async def database_of_today(settings: Settings) -> AsyncIterator[Database]:
    """The same database by the machine's own clock, which those processes read."""
    database = Database(settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=system_clock)
    yield database
    await database.close()
