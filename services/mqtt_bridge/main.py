"""``smartwatch bridge``: uplink and downlink, each on its own, kept alive through the loss of broker and database."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.log.health import HealthServer
from services.core.platform.settings import Settings
from services.mqtt_bridge.downlink import DownlinkTeller
from services.mqtt_bridge.uplink import UplinkReader

log = structlog.get_logger()


class Bridge:
    """One bridge: a reader that waits for its turn, and a teller that shares the work."""

    def __init__(self, settings: Settings, database: Database, blobs: BlobStore) -> None:
        self.uplink = UplinkReader(settings, database, blobs)
        self.downlink = DownlinkTeller(settings, database)
        self._database = database
        self._blobs = blobs

    async def run(self) -> None:
        """Run until cancelled; the loss of broker or database is waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_running("uplink", self.uplink.run_once))
            tasks.create_task(keep_running("downlink", self.downlink.run_once))

    async def uplink_well(self) -> str | None:
        """Say why uplinks are not read here; waiting for one's turn is well."""
        return None if self.uplink.connected or self.uplink.standby else "not connected to the broker"

    async def downlink_well(self) -> str | None:
        """Say why nothing can be told."""
        return None if self.downlink.connected else "not connected to broker and database"

    async def blobs_well(self) -> str | None:
        """Raise unless clips can be stored."""
        await self._blobs.ping()
        return None

    async def database_well(self) -> str | None:
        """Raise unless the database answers."""
        await self._database.ping()
        return None


async def keep_running(name: str, run_once: Callable[[], Awaitable[None]]) -> None:
    """Run again whenever it ends or fails, after a random wait that grows to 10 s and starts small each time."""

    def report(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        # A task group's own name says nothing: name what was inside.
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
        log.warning("lost", part=name, error=type(inner).__qualname__, attempt=state.attempt_number)

    while True:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Exception),
            wait=wait_random_exponential(multiplier=0.2, max=10),
            before_sleep=report,
        ):
            with attempt:
                started_at = asyncio.get_running_loop().time()
                try:
                    await _apart(run_once)
                except Exception:
                    # What ran well for a while is a new loss, not another failed attempt: begin with short waits.
                    if asyncio.get_running_loop().time() - started_at > 30:  # noqa: PLR2004 - seconds
                        attempt.retry_state.attempt_number = 1
                    raise


async def _apart(run_once: Callable[[], Awaitable[None]]) -> None:
    """Run it as a task of its own: failing while it is being cancelled, it would hide the cancellation otherwise."""
    running = asyncio.ensure_future(run_once())
    try:
        await asyncio.wait({running})
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    running.result()


async def run_bridge(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = Database.of(settings)
    blobs = BlobStore.of(settings)
    bridge = Bridge(settings, database, blobs)
    health = HealthServer(
        settings.bridge_health_port,
        {
            "postgres": bridge.database_well,
            "uplink": bridge.uplink_well,
            "downlink": bridge.downlink_well,
            "blobs": bridge.blobs_well,
        },
        host=settings.health_host,
    )
    await health.start()
    running = asyncio.create_task(bridge.run())
    stopping = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for task in (running, stopping):
            task.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        await health.stop()
        await database.close()
    log.info("bridge_stopped")
