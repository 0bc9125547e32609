"""The migrations make exactly the tables that the code declares, and a repeat changes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from services.core.platform.audit.queries import verify_all
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import upgrade
from services.core.platform.settings import Settings
from services.devstack.postgres import LocalPostgres


def _differences(connection: Connection) -> list[object]:
    load_all_tables()
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_two_processes_that_migrate_an_empty_database_at_once_do_not_disturb_each_other(
    postgres: LocalPostgres,
) -> None:
    name = f"empty_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    await connection.execute(f"CREATE DATABASE {name} OWNER smartwatch")
    await connection.close()
    environment = {**os.environ, "SMARTWATCH_DATABASE_URL": postgres.dsn(name)}
    both = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "db", "upgrade", env=environment, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = await asyncio.gather(*(process.communicate() for process in both))
    assert [process.returncode for process in both] == [0, 0], said


async def test_a_log_from_before_it_was_chained_becomes_a_whole_chain(postgres: LocalPostgres) -> None:
    name = f"old_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    await connection.execute(f"CREATE DATABASE {name} OWNER smartwatch")
    await connection.close()
    await asyncio.to_thread(upgrade, postgres.dsn(name), "0002")
    connection = await asyncpg.connect(postgres.dsn(name))
    family_id = uuid.uuid4()
    await connection.executemany(
        "INSERT INTO audit (audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id, subject_id) "
        "VALUES ($1, now(), 'guardian', 'g', 'audio', 'done', '', $2, 's')",
        [(uuid.uuid4(), owner) for owner in (family_id, None, family_id)],
    )
    await connection.close()
    await asyncio.to_thread(upgrade, postgres.dsn(name))
    database = Database(postgres.dsn(name), vault=Vault(Settings().master_key.get_secret_value()))
    async with database.begin() as work:
        found = {chain_id: (count, faults) async for chain_id, count, faults in verify_all(work)}
    await database.close()
    assert found.pop(family_id) == (2, [])
    assert list(found.values()) == [(1, [])]


async def test_presence_moves_into_a_table_of_its_own_with_its_values(postgres: LocalPostgres) -> None:
    name = f"old_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    await connection.execute(f"CREATE DATABASE {name} OWNER smartwatch")
    await connection.close()
    await asyncio.to_thread(upgrade, postgres.dsn(name), "0016")
    connection = await asyncpg.connect(postgres.superuser_dsn(name))
    # The rows around an identity do not matter here: the check of foreign keys is off for this connection.
    await connection.execute("SET session_replication_role = replica")
    seen_at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    values = (seen_at, 7, seen_at - timedelta(minutes=1), 50, seen_at - timedelta(hours=2), -56)
    for username, row in (("w-aaaaaaaaaaaa", values), ("w-bbbbbbbbbbbb", (None,) * 6)):
        await connection.execute(
            "INSERT INTO watch_identity (username, watch_id, child_id, family_id, password_hash, issued_at, online, "
            "connection_nonce, gone_by, keepalive_s, hello, contacts_acked_version, contacts_sent_version, "
            "config_acked_version, config_sent_version, repeats, last_seen_at, battery_pct, battery_at, "
            "battery_before_pct, battery_before_at, clock_skew_s) VALUES ($1, gen_random_uuid(), "
            "gen_random_uuid(), gen_random_uuid(), '', now(), true, '', '', 1200, '{}', 0, 0, 0, 0, 0, "
            "$2, $3, $4, $5, $6, $7)",
            username, *row,
        )  # fmt: skip
    await asyncio.to_thread(upgrade, postgres.dsn(name), "0017")
    found = await connection.fetch(
        "SELECT username, last_seen_at, battery_pct, battery_at, battery_before_pct, battery_before_at, clock_skew_s "
        "FROM watch_presence ORDER BY username"
    )
    assert [tuple(one) for one in found] == [("w-aaaaaaaaaaaa", *values), ("w-bbbbbbbbbbbb", *(None,) * 6)]
    await connection.close()
