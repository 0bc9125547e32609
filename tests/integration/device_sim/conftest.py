"""A real Mosquitto with a scripted backend, fresh for every test."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from services.broker.binary import fetch_mosquitto
from services.broker.certificates import development_certificates
from services.broker.configuration import BrokerConfiguration
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.integration.device_sim.api_server import Server
from tests.integration.device_sim.scripted_backend import Bench, at_broker


@pytest.fixture(scope="session")
def mosquitto() -> Path:
    """Mosquitto as this machine has it, brought into the checkout if it has none."""
    return fetch_mosquitto(print)


@pytest.fixture
def broker_folder() -> Iterator[Path]:
    """A folder for one broker, that the user it runs as under root can enter by itself."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-sim-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def configuration(broker_folder: Path, claim_port: Callable[[], int]) -> BrokerConfiguration:
    """A broker on ports of its own, without TLS."""
    return BrokerConfiguration(broker_folder / "mosquitto", claim_port(), plain_port=claim_port())


@pytest_asyncio.fixture(loop_scope="session")
async def bench(configuration: BrokerConfiguration, mosquitto: Path) -> AsyncIterator[Bench]:
    """A broker without TLS and the backend at it."""
    async with at_broker(configuration, mosquitto) as bench:
        yield bench


@contextlib.asynccontextmanager
async def _tls_bench(
    folder: Path, mosquitto: Path, claim_port: Callable[[], int], made_at: datetime
) -> AsyncIterator[tuple[Bench, Path]]:
    files = development_certificates(folder / "certificates", "127.0.0.1", made_at)
    assert files.ca_file is not None
    configuration = BrokerConfiguration(
        folder / "mosquitto",
        claim_port(),
        tls_port=claim_port(),
        certificate_file=files.certificate_file,
        key_file=files.key_file,
    )
    async with at_broker(configuration, mosquitto) as bench:
        yield bench, files.ca_file


@pytest_asyncio.fixture(loop_scope="session")
async def tls_bench(
    broker_folder: Path, mosquitto: Path, claim_port: Callable[[], int]
) -> AsyncIterator[tuple[Bench, Path]]:
    """A broker that watches reach by TLS, the backend at it, and the authority they trust."""
    async with _tls_bench(broker_folder, mosquitto, claim_port, datetime.now(UTC)) as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="session")
async def expired_bench(
    broker_folder: Path, mosquitto: Path, claim_port: Callable[[], int]
) -> AsyncIterator[tuple[Bench, Path]]:
    """The same with a chain of which every certificate has ended."""
    async with _tls_bench(broker_folder, mosquitto, claim_port, datetime.now(UTC) - timedelta(days=12 * 365)) as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="session")
async def server(settings: Settings, database: Database, claim_port: Callable[[], int]) -> AsyncIterator[Server]:
    """The API on a port of its own, on the database of this module."""
    server = Server(settings, database, claim_port())
    await server.start()
    yield server
    await server.stop()
