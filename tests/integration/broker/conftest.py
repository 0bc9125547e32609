"""A real Mosquitto for tests, started the way `smartwatch broker` starts it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from services.broker.binary import fetch_mosquitto
from services.broker.configuration import BrokerConfiguration
from services.broker.passwords import BrokerLogin
from services.broker.process import MosquittoProcess
from services.core.platform.crypto.broker_password import mosquitto_hash
from tests.support.mqtt_client import MqttClient, connected

BACKEND_PASSWORD = "backend-password-of-a-test"
ANA, BEN, FACTORY = "w-aaaaaaaaaaaa", "w-bbbbbbbbbbbb", "f-SIM00001"


def login(username: str, password: str = "") -> BrokerLogin:
    """Return a user whose password is its own name unless another is given."""
    return BrokerLogin(username, mosquitto_hash(password or username))


# Hashed once: the same user with another hash is a changed user.
KNOWN = [login(ANA), login(BEN), login(FACTORY)]


@dataclass(frozen=True)
class Broker:
    """A running broker and how to reach it."""

    process: MosquittoProcess
    plain_port: int
    backend_port: int

    def watch(self, username: str = ANA, **options: object) -> AbstractAsyncContextManager[MqttClient]:
        """Connect as a watch whose password is its name."""
        return connected(self.plain_port, username, username, **options)  # type: ignore[arg-type]

    def backend(
        self, client_id: str = "sw-down-test", *, clean_session: bool = True
    ) -> AbstractAsyncContextManager[MqttClient]:
        """Connect as the bridge."""
        return connected(
            self.backend_port, "sw-backend", BACKEND_PASSWORD, client_id=client_id, clean_session=clean_session
        )


@pytest.fixture(scope="session")
def mosquitto() -> Path:
    """Mosquitto as this machine has it, brought into the checkout if it has none."""
    return fetch_mosquitto(print)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for one broker, that the user it runs as under root can enter by itself."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-broker-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def configuration(folder: Path, claim_port: Callable[[], int]) -> BrokerConfiguration:
    """A broker on ports of its own, without TLS."""
    return BrokerConfiguration(folder / "mosquitto", claim_port(), plain_port=claim_port())


def make_process(configuration: BrokerConfiguration, mosquitto: Path) -> MosquittoProcess:
    """Return a broker that is not started yet and does not wait for a folder in use."""
    return MosquittoProcess(configuration, mosquitto, BACKEND_PASSWORD, folder_wait_s=0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def broker(configuration: BrokerConfiguration, mosquitto: Path) -> AsyncIterator[Broker]:
    """A running broker that knows two watches and a factory identity."""
    process = make_process(configuration, mosquitto)
    await process.start(KNOWN)
    yield Broker(process, configuration.plain_port, configuration.backend_port)
    await process.stop()
