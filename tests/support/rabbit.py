"""A real RabbitMQ that asks our endpoint, and everything of ours around it, for tests of an external broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from services.broker.certificates import development_certificates
from services.broker.external.authority import Authority, Backend
from services.broker.external.main import Kicks
from services.broker.external.server import Endpoint, QuietServer
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.devstack.debian13 import NotBroughtError
from services.devstack.rabbitmq.bringing import bring_rabbitmq
from services.devstack.rabbitmq.node import NodePorts, RabbitCluster
from tests.support.world import Home


def rabbitmq_or_reason() -> Path:
    """Return the folder of RabbitMQ. Without one, root fails and a normal user's test is skipped with the reason."""
    try:
        return bring_rabbitmq(print)
    except NotBroughtError as error:
        if os.geteuid() == 0:
            raise
        pytest.skip(f"cluster not played: {error}")


class Answering:
    """The endpoint in this process; a test may end it and start it again."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None
        # How long each question waits for its answer.
        self.delay_s = 0.0

    def start(self) -> None:
        """Answer from now on."""
        endpoint = Endpoint(Authority(self._database, Backend.of(self._settings)), self._settings.asker_networks())
        prompt = endpoint.application

        async def after_delay(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(self.delay_s)
            await prompt(scope, receive, send)

        endpoint.application = after_delay  # type: ignore[assignment]
        self._server = QuietServer(endpoint, self._settings.broker_auth_host, self._settings.broker_auth_port)
        self._serving = asyncio.create_task(self._server.run_until_stopped())

    async def stop(self) -> None:
        """Answer nothing any more; a repeat does nothing."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None


@dataclass
class RabbitStand:
    """A running cluster and endpoint, the settings of bridges, and the database."""

    cluster: RabbitCluster
    settings: Settings
    database: Database
    tls_ca_file: Path
    folder: Path
    answering: Answering

    @contextlib.asynccontextmanager
    async def watch(self, home: Home, node: int = 0) -> AsyncIterator[SimWatch]:
        """Switch a family's watch on for the block, at one node, by TLS."""
        watch = SimWatch(
            self.folder / home.serial, "127.0.0.1", self.cluster.ports[node].tls, str(self.tls_ca_file),
            serial=home.serial, secret=home.secret, timings=Timings.quick(),
        )  # fmt: skip
        async with watch:
            yield watch


@contextlib.asynccontextmanager
async def rabbit_stand(
    settings: Settings, database: Database, claim_port: Callable[[], int], nodes: int = 1
) -> AsyncIterator[RabbitStand]:
    """Run a cluster of so many nodes, the endpoint and the kicks for the block."""
    program = await asyncio.to_thread(rabbitmq_or_reason)
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-rabbit-"))
    certificates = development_certificates(folder / "certificates", "127.0.0.1")
    assert certificates.ca_file is not None
    ports = [NodePorts(claim_port(), claim_port(), claim_port()) for _ in range(nodes)]
    auth_port = claim_port()
    cluster = RabbitCluster(
        folder / "rabbitmq", program, ports, claim_port(), [f"http://127.0.0.1:{auth_port}"], certificates=certificates
    )
    ours = settings.model_copy(
        update={
            "broker": "external", "broker_addresses": cluster.addresses, "broker_auth_port": auth_port,
            "mqtt_backend_port": ports[0].mqtt, "watch_port": ports[0].tls,
        }
    )  # fmt: skip
    answering = Answering(ours, database)
    kicking = asyncio.create_task(Kicks(ours, database).run())
    try:
        answering.start()
        await asyncio.to_thread(cluster.start)
        yield RabbitStand(cluster, ours, database, certificates.ca_file, folder, answering)
    finally:
        await asyncio.to_thread(cluster.stop, at_once=True)
        await answering.stop()
        kicking.cancel()
        await asyncio.gather(kicking, return_exceptions=True)
        shutil.rmtree(folder, ignore_errors=True)
