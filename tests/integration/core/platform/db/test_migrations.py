"""The migrations make exactly the tables that the code declares, and a repeat changes nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from services.core.platform.audit.queries import verify_all
from services.core.platform.crypto.vault import Vault
from services.core.platform.db import migrate
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import newest_revision, upgrade
from services.core.platform.settings import Settings
from services.devstack.postgres import LocalPostgres
from services.devstack.postgres_user import find_programs

OLD_DATABASE = Path(__file__).parents[4] / "vectors" / "database" / "0026.sql"
MIGRATIONS = Path(migrate.__file__).parent / "migrations"


def _differences(connection: Connection) -> list[object]:
    load_all_tables()
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def test_the_newest_file_bears_the_revision_to_which_alembic_migrates() -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


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
    outputs = await asyncio.gather(*(process.communicate() for process in both))
    assert [process.returncode for process in both] == [0, 0], outputs


def _schema_of(dsn: str) -> list[str]:
    """Return the schema of a database as `pg_dump` writes it, without comments and the names of this dump.

    The months of check-ins are left out: the running system makes and drops them.
    """
    what = ["--schema-only", "--no-owner", "--no-privileges", "--exclude-table=checkin_months.checkin_2*"]
    command = [str(find_programs() / "pg_dump"), *what, dsn]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own program
    return [line for line in dump.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


async def _restored(postgres: LocalPostgres) -> str:
    """Return the address of a database that the first 26 migrations made, with the rows of the demo's family."""
    name = f"restored_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    await connection.execute(f"CREATE DATABASE {name} OWNER smartwatch_owner")
    await connection.close()
    connection = await asyncpg.connect(postgres.owner_dsn(name))
    await connection.execute(OLD_DATABASE.read_text(encoding="utf-8"))
    await connection.close()
    return postgres.owner_dsn(name)


async def _row_counts(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    load_all_tables()
    existing = {row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_tables")}
    tables = sorted({table.name for table in SQLModel.metadata.sorted_tables} & existing)
    counts = {table: await connection.fetchval(f'SELECT count(*) FROM public."{table}"') for table in tables}  # noqa: S608
    await connection.close()
    return counts


async def test_one_step_makes_the_schema_that_the_first_26_migrations_made(postgres: LocalPostgres) -> None:
    name = f"fresh_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.superuser_dsn())
    await connection.execute(f"CREATE DATABASE {name} OWNER smartwatch_owner")
    await connection.close()
    await asyncio.to_thread(upgrade, postgres.owner_dsn(name), "0026")
    fresh = await asyncio.to_thread(_schema_of, postgres.owner_dsn(name))
    old = await asyncio.to_thread(_schema_of, await _restored(postgres))
    assert fresh == old


async def test_a_database_of_the_first_26_migrations_goes_on_with_its_rows(postgres: LocalPostgres) -> None:
    dsn = await _restored(postgres)
    before = await _row_counts(dsn)
    assert before["message"] > 0
    await asyncio.to_thread(upgrade, dsn, role="smartwatch")
    after = await _row_counts(dsn)
    assert {table: after[table] for table in before} == before
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as schema:
        assert await schema.run_sync(_differences) == []
    await engine.dispose()
    # The log is a hash chain without keys: it can be verified in any installation.
    database = Database(dsn, vault=Vault(Settings().master_key.get_secret_value()))
    async with database.begin() as work:
        chains = {chain_id: (count, faults) async for chain_id, count, faults in verify_all(work)}
    await database.close()
    assert sum(count for count, _ in chains.values()) == before["audit"]
    assert [faults for _, faults in chains.values() if faults] == []
