"""A backup comes back: nothing is served from it until what was erased since is erased again."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from services.api.app import create_app
from services.core.people.accounts.tables import Guardian
from services.core.people.households.tables import Child, Family
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger, ErasuresPendingError
from services.core.platform.settings import Settings
from services.core.privacy.erasure.replay import replay
from services.devstack.postgres import LocalPostgres
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.http import make_family


@contextlib.asynccontextmanager
async def served(settings: Settings, clock: FakeClock) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """The API as a process has it, on the database of these settings; every connection is closed afterwards."""
    database = Database(
        settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=clock,
        ledger=ErasureLedger(settings.erasure_ledger),
    )  # fmt: skip
    app = create_app(settings, database)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client,
    ):
        yield client, database
    await database.close()


async def copy_of(postgres: LocalPostgres, settings: Settings) -> Settings:
    """Return the settings of a copy of the whole database, as a backup makes one."""
    name = f"backup_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    source = settings.database_url.rpartition("/")[2]
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} OWNER smartwatch_owner")
    finally:
        await connection.close()
    return settings.model_copy(update={"database_url": postgres.dsn(name)})


async def test_a_restored_backup_serves_nothing_until_what_was_erased_is_erased_again(
    postgres: LocalPostgres, settings: Settings, clock: FakeClock
) -> None:
    async with served(settings, clock) as (client, database):
        first, second = await make_family(client, database), await make_family(client, database)
        await first.told("PATCH", first.child, json={"name": "CanaryBack"})
        await second.send("canary that comes back")
    backup = await copy_of(postgres, settings)
    async with served(settings, clock) as (client, database):
        first.client = second.client = client
        for parent, path in ((first, first.child), (second, second.family)):
            await parent.told("DELETE", path, params={"confirm": "erase"})

    async with served(backup, clock) as (client, database):
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["erasures"]) == (503, "erasures_pending")
        refused = await client.get("/v1/me", headers=first.headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "erasures_pending")
        # The query of the health pages of bridge, broker and worker.
        with pytest.raises(ErasuresPendingError):
            await database.ping()

        assert await replay(database, ErasureLedger(backup.erasure_ledger)) == 2
        assert await replay(database, ErasureLedger(backup.erasure_ledger)) == 0

        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/v1/me", headers=second.headers)).json()["code"] == "session_ended"
        assert (await client.get(first.child, headers=first.headers)).status_code == 404
        async with database.begin() as work:
            assert await work.session.get(Child, uuid.UUID(first.child_id)) is None
            assert await work.session.get(Family, second.family_id) is None
            assert await work.session.get(Guardian, uuid.UUID(second.guardian_id)) is None
        for canary in ("CanaryBack", second.phone):
            assert await rows_with(database, canary) == []


async def test_a_ledger_that_cannot_be_read_lets_nothing_be_served(settings: Settings, clock: FakeClock) -> None:
    settings.erasure_ledger.write_text("not one of ours\n")
    async with served(settings, clock) as (client, _):
        assert (await client.get("/readyz")).json()["checks"]["erasures"] == "erasure_ledger_broken"
        assert (await client.get("/v1/consent-texts")).status_code == 200
        answer = await client.post("/v1/auth/codes", json={"phone": "+8613800138000", "locale": "en"})
        assert (answer.status_code, answer.json()["code"]) == (503, "erasure_ledger_broken")
    settings.erasure_ledger.unlink()
