"""The API while Postgres is away: it says so, loses nothing, and goes on by itself."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from services.api.app import create_app
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import upgrade
from services.core.platform.settings import Environment, Settings
from services.devstack.postgres import LocalPostgres
from tests.support.http import make_family


@pytest.fixture
def server() -> Iterator[LocalPostgres]:
    """A Postgres of this test's own, to be killed."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-tests-"))
    folder.chmod(0o755)
    with LocalPostgres(folder / "postgres") as postgres:
        # In a thread: Alembic runs a loop of its own.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(upgrade, postgres.owner_dsn(), role="smartwatch").result()
        yield postgres
    shutil.rmtree(folder, ignore_errors=True)


async def test_the_api_waits_for_its_database_and_goes_on(server: LocalPostgres) -> None:
    settings = Settings(environment=Environment.TEST, database_url=server.dsn())
    database = Database(settings.database_url, vault=Vault(settings.master_key.get_secret_value()))
    app = create_app(settings, database)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        parent = await make_family(client, database)
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]) == (
            200,
            {"postgres": "ok", "migrations": "ok", "blobs": "ok"},
        )

        await asyncio.to_thread(server.kill)
        assert (await client.get("/healthz")).status_code == 200
        away = await client.get("/readyz")
        assert away.status_code == 503
        assert away.json()["checks"]["postgres"] != "ok"
        refused = await parent.ask("GET", "/v1/me")
        assert (refused.status_code, refused.json()["code"]) == (503, "try_again")
        assert refused.headers["retry-after"]

        await asyncio.to_thread(server.start)
        assert (await client.get("/readyz")).status_code == 200
        assert (await parent.contacts())["contacts"]
    await database.close()
