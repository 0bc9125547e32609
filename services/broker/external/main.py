"""``smartwatch broker-auth``: answers an external broker's questions, and kicks the watches whose access has ended.

Any number may run, on any machines. All of them answer; one, which holds a lease, kicks.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from typing import Final

import structlog

from services.broker.errors import BrokerError
from services.broker.external.authority import Authority, Backend
from services.broker.external.kicks import ExternalBroker
from services.broker.external.server import Endpoint, QuietServer
from services.broker.sync import UserSync
from services.broker.users import PostgresUsers
from services.core.devices.watches.queries import usernames_without_access
from services.core.platform.db.database import Database
from services.core.platform.leases.actions import hold_lease, new_holder
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.retrying import run_with_retries
from services.core.platform.settings import Settings

LEASE_NAME: Final = "broker-kicks"

log = structlog.get_logger()


class NotExternalError(BrokerError):
    """The settings say that the broker is our own Mosquitto, which asks nobody."""

    code = "broker_not_external"


class Kicks:
    """Kicks while it holds the lease; another process follows within seconds when this one ends."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._holder = new_holder()
        self._sync: UserSync | None = None
        self._broker: ExternalBroker | None = None

    async def run(self) -> None:
        """Run until cancelled, through the loss of lease and database."""
        while True:
            await run_with_retries(self._run_once, self._report)

    async def well(self) -> str | None:
        """Return why revoked watches may still be connected; standing by is well."""
        if self._sync is None or self._broker is None:
            return None
        return self._broker.unkicked or await self._sync.in_step()

    async def _run_once(self) -> None:
        async with hold_lease(self._database, LEASE_NAME, self._holder) as lease:
            self._broker = ExternalBroker(
                self._settings, self._database.vault, self._database.clock, self._without_access
            )
            self._sync = UserSync(self._broker, PostgresUsers(self._database))
            parts = [self._sync.run(), self._broker.run(), lease.lost.wait()]
            running = [asyncio.ensure_future(part) for part in parts]
            try:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                self._sync = self._broker = None
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _without_access(self, since: datetime) -> set[str]:
        async with self._database.begin() as work:
            return await usernames_without_access(work, since)

    @staticmethod
    def _report(error: Exception, failures: int) -> None:
        log.warning("lost", part="kicks", error=type(error).__qualname__, attempt=failures)


async def run_broker_auth(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; raises NotExternalError, and OSError when the port is taken."""
    if settings.broker != "external":
        raise NotExternalError(
            "SMARTWATCH_BROKER is not external: Mosquitto asks nobody, `smartwatch broker` keeps its users"
        )
    database = Database.of(settings)
    server = QuietServer(
        Endpoint(Authority(database, Backend.of(settings)), settings.asker_networks()),
        settings.broker_auth_host, settings.broker_auth_port,
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    kicks = Kicks(settings, database)

    async def postgres_well() -> str | None:
        await database.ping()
        return None

    health = HealthServer.of(
        settings, settings.broker_health_port, {"postgres": postgres_well, "kicks": kicks.well},
        MetricsPage("broker-auth", disks_of(settings)).render,
    )  # fmt: skip
    kicking = asyncio.create_task(kicks.run())
    try:
        await health.start()
        log.info("broker_auth_started")
        await server.run_until_stopped()
    finally:
        kicking.cancel()
        await asyncio.gather(kicking, return_exceptions=True)
        await health.stop()
        await database.close()
    log.info("broker_auth_stopped")
