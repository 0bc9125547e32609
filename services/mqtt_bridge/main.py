"""``smartwatch bridge``: uplink and downlink, each on its own, kept alive through the loss of broker and database."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.leases.actions import IDLE_IN_TRANSACTION_S
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.metrics.registry import counter
from services.core.platform.retrying import run_with_retries
from services.core.platform.settings import Settings
from services.mqtt_bridge.downlink import DownlinkPublisher
from services.mqtt_bridge.uplink import UplinkReader

_LOST = counter("bridge_losses", "Connections or leases that were lost, by part.", part=("uplink", "downlink"))

log = structlog.get_logger()


class Bridge:
    """One bridge: a reader of uplinks that waits for the lease, and a publisher that shares the downlink."""

    def __init__(self, settings: Settings, database: Database, blobs: BlobStore) -> None:
        self.uplink = UplinkReader(settings, database, blobs)
        self.downlink = DownlinkPublisher(settings, database, self.uplink.few_hellos)
        self._database = database
        self._blobs = blobs

    async def run(self) -> None:
        """Run until cancelled; the loss of broker or database is waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_running("uplink", self.uplink.run_once))
            tasks.create_task(keep_running("downlink", self.downlink.run_once))
            tasks.create_task(self.uplink.trace.run())

    async def uplink_well(self) -> str | None:
        """Return why uplinks are not read here; standing by is well."""
        return None if self.uplink.connected or self.uplink.standby else "not connected to the broker"

    async def downlink_well(self) -> str | None:
        """Return why nothing can be published."""
        return None if self.downlink.connected else "not connected to broker and database"

    async def blobs_well(self) -> str | None:
        """Raise unless clips can be stored."""
        await self._blobs.ping()
        return None

    async def database_well(self) -> str | None:
        """Raise unless the database answers."""
        await self._database.ping()
        return None


def metrics_page(bridge: Bridge, settings: Settings) -> MetricsPage:
    """Return the page of a bridge; the backlog is that of the bridge that reads, a bridge that stands by has none."""
    page = MetricsPage("bridge", disks_of(settings))
    uplink, downlink = bridge.uplink, bridge.downlink
    page.gauge(
        "bridge_connected", "1 while this part is connected to the broker.",
        lambda: {"uplink": float(uplink.connected), "downlink": float(downlink.connected)}, label="part",
    )  # fmt: skip
    page.gauge("uplink_backlog_messages", "Uplinks read and not acknowledged.", lambda: uplink.backlog.messages)
    page.gauge("uplink_backlog_bytes", "Their size.", lambda: uplink.backlog.size_bytes)
    return page


async def keep_running(name: str, run_once: Callable[[], Awaitable[None]]) -> None:
    """Run again whenever it ends or fails; ends by a cancellation only."""

    def report(error: Exception, failures: int) -> None:
        inner: BaseException = error
        # A task group's own name says nothing: name the first error inside.
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        _LOST.count(part=name)
        log.warning("lost", part=name, error=type(inner).__qualname__, attempt=failures)

    while True:
        await run_with_retries(run_once, report)


async def run_bridge(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = Database.of(settings, idle_in_transaction_s=IDLE_IN_TRANSACTION_S)
    blobs = BlobStore.of(settings)
    bridge = Bridge(settings, database, blobs)
    health = HealthServer.of(
        settings,
        settings.bridge_health_port,
        {
            "postgres": bridge.database_well,
            "uplink": bridge.uplink_well,
            "downlink": bridge.downlink_well,
            "blobs": bridge.blobs_well,
        },
        metrics_page(bridge, settings).render,
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
