"""The migrations make exactly the tables that the code declares, and a repeat changes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid

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
