"""`smartwatch broker` as it runs: a process of its own between a real Postgres and a real Mosquitto."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.db.migrate import upgrade
from services.devstack.ports import is_answering
from services.devstack.postgres import LocalPostgres
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import connected, refused
from tests.support.ports import claimed_ports

SERIAL, SECRET = "SIM00001", "a-secret-of-a-watch"
BACKEND_SECRET = "a-secret-of-the-backend"

# A process of its own imports everything anew: 1 s, and 8 s were seen on a machine busy with other tests.
_CHANGED_WITHIN_S = 40.0


@dataclass
class Running:
    """One `smartwatch broker`, its database, its doors."""

    postgres: LocalPostgres
    folder: Path
    binary: Path
    ports: dict[str, int]
    log_file: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self, *, open_files: int | None = None) -> None:
        """Start the process, with a limit of open files if given; it is ready later."""
        environment = os.environ | {
            "SMARTWATCH_ENVIRONMENT": "test",
            "SMARTWATCH_DATABASE_URL": self.postgres.dsn(),
            "SMARTWATCH_MOSQUITTO_DIR": str(self.folder / "mosquitto"),
            "SMARTWATCH_MOSQUITTO_BINARY": str(self.binary),
            "SMARTWATCH_MQTT_BACKEND_PASSWORD": BACKEND_SECRET,
            "SMARTWATCH_MQTT_BACKEND_PORT": str(self.ports["backend"]),
            "SMARTWATCH_MOSQUITTO_TLS_PORT": str(self.ports["tls"]),
            "SMARTWATCH_MOSQUITTO_INNER_PORT": str(self.ports["inner"]),
            "SMARTWATCH_MOSQUITTO_PLAIN_PORT": str(self.ports["plain"]),
            "SMARTWATCH_BROKER_HEALTH_PORT": str(self.ports["health"]),
        }
        with self.log_file.open("ab") as log:
            limit = f"ulimit -n {open_files};" if open_files else ""
            self.process = await asyncio.create_subprocess_exec(
                "sh", "-c", f'{limit} exec "$0" -m services.cli broker', sys.executable, env=environment, stderr=log
            )

    async def stop(self) -> int:
        """Tell it to stop and return its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), _CHANGED_WITHIN_S)

    async def readiness(self) -> tuple[int, dict[str, str]]:
        """Return status and checks of /readyz; status 0 while nobody answers."""
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{self.ports['health']}/readyz")
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()["checks"]

    def events(self) -> Counter[str]:
        """Return how often each event was logged."""
        return Counter(json.loads(line)["event"] for line in self.log_file.read_text().splitlines())

    async def is_ready(self) -> bool:
        return (await self.readiness())[0] == 200

    async def sql(self, statement: str, *arguments: object) -> None:
        """Change a row as any process of the product might."""
        connection = await asyncpg.connect(self.postgres.dsn())
        await connection.execute(statement, *arguments)
        await connection.close()


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can enter."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-broker-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(open_folder: Path, mosquitto: Path) -> AsyncIterator[Running]:
    """A broker process on a database of its own, which tests may kill; one watch is registered."""
    folder = open_folder
    with claimed_ports() as claim_port, LocalPostgres(folder / "postgres", durable=False) as postgres:
        with ThreadPoolExecutor(1) as pool:
            await asyncio.get_running_loop().run_in_executor(
                pool, partial(upgrade, postgres.owner_dsn(), role="smartwatch")
            )
        ports = {name: claim_port() for name in ("backend", "tls", "inner", "plain", "health")}
        broker = Running(postgres, folder, mosquitto, ports, folder / "log")
        programme_id, site_id = uuid.uuid4(), uuid.uuid4()
        await broker.sql(
            "INSERT INTO programme (programme_id, name, created_at) VALUES ($1, 'Programme', now())", programme_id
        )
        await broker.sql(
            "INSERT INTO site (site_id, programme_id, name, country, timezone, locale, kind, created_at)"
            " VALUES ($1, $2, 'Site', 'CN', 'Asia/Shanghai', 'zh', 'factory', now())",
            site_id,
            programme_id,
        )
        await broker.sql(
            "INSERT INTO watch"
            " (watch_id, serial, model, site_id, state, factory_password_hash, registered_at, refused_packets)"
            " VALUES ($1, $2, 'sim-1', $3, 'registered', $4, now(), 0)",
            uuid.uuid4(),
            SERIAL,
            site_id,
            mosquitto_hash(SECRET),
        )
        await broker.start()
        await becomes_true(broker.is_ready, _CHANGED_WITHIN_S)
        yield broker
        assert await broker.stop() == 0


async def watch_enters(running: Running) -> bool:
    return not await refused(running.ports["plain"], f"f-{SERIAL}", SECRET)


async def watch_is_out(running: Running) -> bool:
    return not await watch_enters(running)


async def test_its_page_names_every_dependency(running: Running) -> None:
    assert await running.readiness() == (200, {"mosquitto": "ok", "postgres": "ok", "users_in_step": "ok"})


async def test_who_is_registered_can_log_in(running: Running) -> None:
    assert await watch_enters(running)
    assert await refused(running.ports["plain"], f"f-{SERIAL}", "wrong")


@pytest.mark.parametrize("told", [True, False], ids=["told at once", "found by the poll"])
async def test_access_taken_away_is_gone_within_five_seconds(running: Running, *, told: bool) -> None:
    async with connected(running.ports["plain"], f"f-{SERIAL}", SECRET) as watch:
        await running.sql("UPDATE watch SET state = 'lost'")
        if told:
            await running.sql("SELECT pg_notify('broker_users', '')")
        await watch.is_thrown_out(within_s=0.5 if told else 5)
    await running.sql("UPDATE watch SET state = 'registered'")
    await becomes_true(lambda: watch_enters(running), within_s=5)


async def test_without_its_database_it_goes_on_with_the_last_users_and_says_so(running: Running) -> None:
    async with connected(running.ports["plain"], f"f-{SERIAL}", SECRET) as watch:
        running.postgres.kill()

        async def says_so() -> bool:
            status, checks = await running.readiness()
            return status == 503 and checks["postgres"] != "ok" and checks["mosquitto"] == "ok"

        await becomes_true(says_so)
        await watch.publish(f"sw/v1/f-{SERIAL}/up/pairing", "still here")
        running.postgres.start()
        await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
        assert watch.connected
    assert await watch_enters(running)


async def kill_mosquitto(running: Running) -> None:
    """Kill the child process and wait until another one serves."""
    children = await _output("pgrep", "-P", str(running.process.pid if running.process else 0), "-x", "mosquitto")
    os.kill(int(children), signal.SIGKILL)
    await becomes_true(lambda: watch_enters(running), _CHANGED_WITHIN_S)
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)


async def test_mosquitto_killed_is_back_by_itself(running: Running) -> None:
    await kill_mosquitto(running)


async def test_started_again_after_a_kill_it_serves_again(running: Running) -> None:
    assert running.process is not None
    running.process.kill()
    await running.process.wait()
    await running.start()
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
    assert await watch_enters(running)


async def restart_without_database(running: Running) -> None:
    """Stop, and start while Postgres is down; return once the process has noted that, while Postgres stays down."""
    assert await running.stop() == 0
    noted_before = running.events()["broker_users_unknown"]
    assert not is_answering(running.ports["plain"])
    running.postgres.kill()
    await running.start()

    async def bridge_enters() -> bool:
        return not await refused(running.ports["backend"], "sw-backend", BACKEND_SECRET, client_id="sw-down-1")

    await becomes_true(bridge_enters, _CHANGED_WITHIN_S)
    await becomes_true(lambda: running.events()["broker_users_unknown"] > noted_before, _CHANGED_WITHIN_S)


async def test_started_without_its_database_it_serves_the_bridge_and_learns_the_watches_later(running: Running) -> None:
    await restart_without_database(running)
    assert await watch_is_out(running)
    # No watch is refused for what the broker does not know: the public port is closed.
    assert not is_answering(running.ports["tls"])
    running.postgres.start()
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
    assert await watch_enters(running)
    assert is_answering(running.ports["tls"])


async def test_out_of_open_files_it_serves_on_and_writes_few_lines(running: Running) -> None:
    assert await running.stop() == 0
    await running.start(open_files=320)
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
    assert running.process is not None
    before = running.events()
    # The gate bounds its connections at 32 here. The health page has no bound, and takes what is left.
    ports = [running.ports["tls"]] * 300 + [running.ports["health"]] * 400
    silent = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    await becomes_true(lambda: running.events()["library_warning"] > before["library_warning"])
    await running.sql("UPDATE watch SET state = 'lost'")  # has the broker compare and write its files
    assert await watch_enters(running)
    for _, writer in silent:
        writer.transport.abort()
    await becomes_true(lambda: watch_is_out(running))
    await running.sql("UPDATE watch SET state = 'registered'")
    await becomes_true(lambda: watch_enters(running), _CHANGED_WITHIN_S)
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
    more = running.events() - before
    assert more["mosquitto_ended"] == 0
    assert more["broker_access_file_broken"] == 0
    assert more.total() < 30
    assert running.process.returncode is None


async def test_its_log_is_structured_and_holds_no_secret(running: Running) -> None:
    # Whatever ran before: all that is logged happens once more.
    await kill_mosquitto(running)
    await restart_without_database(running)
    running.postgres.start()
    await becomes_true(running.is_ready, _CHANGED_WITHIN_S)
    text = running.log_file.read_text()
    for secret in (SECRET, BACKEND_SECRET, "$7$", running.postgres.dsn()):
        assert secret not in text
    events = {json.loads(line)["event"] for line in text.splitlines()}
    assert {"mosquitto_started", "mosquitto_ended", "broker_users_unknown", "broker_stopped"} <= events


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode().strip()
