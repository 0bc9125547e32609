"""The metrics of 5,000 watches are read within 50 ms: nothing in a page grows with the number of watches."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.broker.binary import find_mosquitto
from services.broker.gate import Gate
from services.broker.log_lines import ClientConnected
from services.broker.main import broker_configuration
from services.broker.metrics_page import metrics_page
from services.broker.process import MosquittoProcess
from services.broker.sessions import SessionLimits
from services.core.platform.db.database import Database
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage
from services.core.platform.settings import Settings
from services.worker.queues import QueueSampler
from tests.bench.conftest import make_crowd
from tests.support.api_process import running_api
from tests.support.ports import claimed_ports

WATCHES = 5_000
READ_WITHIN_MS = 50.0


async def read_ms(port: int, rounds: int = 30) -> float:
    """Return the median of reading a page, in milliseconds."""
    spans = []
    async with httpx.AsyncClient() as client:
        for _ in range(rounds):
            started_at_s = time.perf_counter()
            (await client.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status()
            spans.append((time.perf_counter() - started_at_s) * 1000)
    return statistics.median(spans)


async def served_ms(page: MetricsPage) -> float:
    with claimed_ports() as claim_port:
        port = claim_port()
        server = HealthServer(port, {}, metrics=page.render)
        await server.start()
        try:
            return await read_ms(port)
        finally:
            await server.stop()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_each_page_is_read_within_fifty_milliseconds(
    database: Database, database_url: str, settings: Settings, tmp_path: Path
) -> None:
    crowd = await make_crowd(database, WATCHES)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO inbox_item (inbox_item_id, child_id, seq, ref, kind, state, announcements, fetched_from,"
        " fetch_stalls, fetch_restarts, created_at) SELECT gen_random_uuid(), child_id, n, 'r' || n, 'message',"
        " 'waiting', 0, -1, 0, 0, now() FROM child, generate_series(1, 10) AS n"
    )
    await connection.execute(
        "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
        " SELECT k, '', '{}', 2, now(), now(), 0 FROM unnest(ARRAY['watch', 'push', 'sms']) AS k,"
        " generate_series(1, 5000)"
    )
    await connection.close()
    worker = MetricsPage("worker", {"blobs": tmp_path})
    sampler = QueueSampler(database, worker)
    started_at_s = time.perf_counter()
    await sampler.sample()
    sampled_ms = (time.perf_counter() - started_at_s) * 1000

    binary = find_mosquitto()
    assert binary is not None
    own = settings.model_copy(update={"mosquitto_dir": tmp_path / "mosquitto"})
    broker = MosquittoProcess(broker_configuration(own), binary, "x" * 32)
    for number, username in enumerate(crowd.usernames):
        broker.connections.record(ClientConnected("127.0.0.2", 1024 + number, username, username, keeps_session=False))
    gate = Gate("127.0.0.1", 0, 0)
    broker_ms = await served_ms(metrics_page(own, broker, gate, SessionLimits(broker, broker.connections, "x" * 32)))
    worker_ms = await served_ms(worker)
    async with running_api(settings) as api, httpx.AsyncClient(timeout=60) as client:
        url = f"http://127.0.0.1:{api.port}"
        for path in (await client.get(f"{url}/openapi.json")).json()["paths"]:
            await client.get(url + path)
        api_ms = await read_ms(api.health_port)
    print(f"worker {worker_ms:.1f} ms, broker {broker_ms:.1f} ms, API {api_ms:.1f} ms; queues {sampled_ms:.1f} ms")  # noqa: T201 - a bench
    assert max(worker_ms, broker_ms, api_ms) < READ_WITHIN_MS
