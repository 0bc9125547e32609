"""A bridge between a real Mosquitto and a real Postgres."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio

from services.broker.binary import fetch_mosquitto
from services.broker.configuration import BrokerConfiguration
from services.broker.process import MosquittoProcess
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings
from tests.support.watch import Stand


@pytest_asyncio.fixture(loop_scope="session")
async def stand(settings: Settings, database: Database, claim_port: Callable[[], int]) -> AsyncIterator[Stand]:
    """A broker of its own for each test, on the module's database."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-bridge-"))
    backend_port, plain_port = claim_port(), claim_port()
    password = "backend-password-of-a-test"
    broker = MosquittoProcess(
        BrokerConfiguration(folder / "mosquitto", backend_port, plain_port=plain_port),
        fetch_mosquitto(print), password,
    )  # fmt: skip
    await broker.start()
    ours = Settings(
        environment=Environment.TEST, database_url=settings.database_url, mqtt_backend_port=backend_port,
        mqtt_backend_password=password, blob_url=settings.blob_url, erasure_ledger=settings.erasure_ledger,
    )  # fmt: skip
    yield Stand(broker, ours, database, plain_port)
    await broker.stop()
    shutil.rmtree(folder, ignore_errors=True)
