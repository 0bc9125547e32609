"""Yesterday's dump comes back while everything runs: the first request after it is refused, in every process."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import CHILD, FAMILY, ErasureLedger, ErasuresPendingError, LedgerEntry
from services.core.platform.settings import Settings
from services.core.privacy.erasure.replay import replay
from services.devstack.postgres import LocalPostgres
from tests.integration.core.privacy.test_restore import copy_of, served
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family


def _name(settings: Settings) -> str:
    return settings.database_url.rpartition("/")[2]


async def _run(postgres: LocalPostgres, *statements: str) -> None:
    connection = await asyncpg.connect(postgres.superuser_dsn())
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _erase(parent: Parent) -> None:
    await parent.told("DELETE", parent.family, params={"confirm": "erase"})


async def _refused_everywhere(client: httpx.AsyncClient, parent: Parent, *others: Database) -> None:
    first = await client.get("/v1/me", headers=parent.headers)
    assert (first.status_code, first.json()["code"]) == (503, "erasures_pending")
    assert first.headers["retry-after"] == "60"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["erasures"]) == (503, "erasures_pending")
    for database in others:
        # The query of the health pages of bridge, broker and worker, and the first query of each of their loops.
        with pytest.raises(ErasuresPendingError):
            await database.ping()
        with pytest.raises(ErasuresPendingError):
            async with database.begin() as work:
                await work.session.get(Child, uuid.uuid4())


def _other_process(settings: Settings, clock: FakeClock) -> Database:
    return Database(
        settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=clock,
        ledger=ErasureLedger(settings.erasure_ledger),
    )  # fmt: skip


async def test_a_dump_restored_under_a_running_system_is_refused_until_replayed(
    postgres: LocalPostgres, settings: Settings, clock: FakeClock, database: Database
) -> None:
    await database.close()
    running = await copy_of(postgres, settings)
    async with served(running, clock) as (client, served_database):
        parent, other = await make_family(client, served_database), await make_family(client, served_database)
    dump = await copy_of(postgres, running)
    bridge = _other_process(running, clock)
    async with served(running, clock) as (client, served_database):
        parent.client = other.client = client
        await bridge.ping()
        await _erase(parent)
        # The processes go on; only their connections end.
        await _run(
            postgres,
            f"DROP DATABASE {_name(running)} WITH (FORCE)",
            f"CREATE DATABASE {_name(running)} TEMPLATE {_name(dump)} OWNER smartwatch_owner",
        )

        await _refused_everywhere(client, parent, bridge)

        assert await replay(served_database, ErasureLedger(running.erasure_ledger)) == 1
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/v1/me", headers=parent.headers)).json()["code"] == "session_ended"
        assert (await client.get("/v1/me", headers=other.headers)).status_code == 200
        await bridge.ping()
    await bridge.close()


async def test_rows_restored_below_open_connections_are_refused(
    postgres: LocalPostgres, settings: Settings, clock: FakeClock, database: Database
) -> None:
    await database.close()
    running = await copy_of(postgres, settings)
    async with served(running, clock) as (client, served_database):
        parent = await make_family(client, served_database)
        await _erase(parent)
        assert (await client.get("/readyz")).status_code == 200
        # As a restore of the tables in place does, which ends no connection.
        owner = await asyncpg.connect(postgres.superuser_dsn().rpartition("/")[0] + f"/{_name(running)}")
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("DELETE FROM erasure_ledger")
        await owner.execute(
            "INSERT INTO family (family_id, family_code, event_seq, created_at) VALUES ($1, 'BACK', 0, now())"
            " ON CONFLICT (family_id) DO UPDATE SET erased_at = NULL", parent.family_id,
        )  # fmt: skip
        await owner.close()
        await _refused_everywhere(client, parent)


async def test_an_erasure_that_is_being_committed_refuses_nobody(
    postgres: LocalPostgres, settings: Settings, clock: FakeClock, database: Database, tmp_path: Path
) -> None:
    await database.close()
    running = await copy_of(postgres, settings)
    async with served(running, clock) as (client, served_database):
        parent = await make_family(client, served_database)
        ledger = ErasureLedger(tmp_path / "erasures.jsonl")
        bystander = Database(
            running.database_url, vault=Vault(running.master_key.get_secret_value()), clock=clock, ledger=ledger
        )
        await bystander.ping()
        erasure_id, child_id = uuid.uuid4(), uuid.UUID(parent.child_id)
        eraser = await asyncpg.connect(running.database_url)
        watcher = await asyncpg.connect(running.database_url)
        transaction = eraser.transaction()
        await transaction.start()
        await eraser.execute("UPDATE child SET erased_at = now() WHERE child_id = $1", child_id)
        await eraser.execute(
            "INSERT INTO erasure_ledger (erasure_id, what, subject_id, family_id, written_at)"
            " VALUES ($1, 'child', $2, $3, now())", erasure_id, child_id, parent.family_id,
        )  # fmt: skip
        # The ledger is on the disk before the transaction is committed.
        ledger.append(LedgerEntry(erasure_id, CHILD, child_id))
        asking = asyncio.create_task(bystander.ping())
        while not await watcher.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not asking.done(), "it was answered before the erasure was committed"
        await transaction.commit()
        await asking
        for connection in (eraser, watcher):
            await connection.close()
        await bystander.close()


async def test_replaying_brings_the_database_up_to_date_also_with_what_it_never_held(
    database: Database, tmp_path: Path
) -> None:
    ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    entries = [LedgerEntry(uuid.uuid4(), what, uuid.uuid4()) for what in (CHILD, FAMILY)]
    for entry in entries:
        ledger.append(entry)
    assert await replay(database, ledger) == 0
    rows: Any
    async with database.begin() as work:
        rows = await (await work.session.connection()).exec_driver_sql("SELECT erasure_id FROM erasure_ledger")
        assert {entry.erasure_id for entry in entries} <= set(rows.scalars())


def test_the_ledger_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    ledger, writer = ErasureLedger(tmp_path / "l"), ErasureLedger(tmp_path / "l")
    assert ledger.unchanged_entries() is None
    assert ledger.read() == ledger.unchanged_entries() == []
    writer.append(LedgerEntry(uuid.uuid4(), CHILD, uuid.uuid4()))
    assert ledger.unchanged_entries() is None
    assert len(ledger.read()) == len(ledger.unchanged_entries() or []) == 1
