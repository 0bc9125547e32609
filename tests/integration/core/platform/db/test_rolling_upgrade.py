"""Code of the version before runs on the schema of the next: an upgrade rolls, and can be taken back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory

from services.core.platform.db import migrate
from services.core.platform.db.migrate import newest_revision, upgrade
from services.devstack.postgres import LocalPostgres

BASELINE = "0026"
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
# Of each table: what a row must fulfil, without what concerns only columns that are new.
_CONSTRAINTS = """
SELECT c.relname, pg_get_constraintdef(k.oid),
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey)) AS columns
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND k.contype IN ('c', 'u', 'f', 'p', 'x')
UNION ALL
SELECT c.relname, pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(i.indkey))
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND i.indisunique
"""
_FILES = """
SELECT c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version'
"""


@dataclass(frozen=True)
class Schema:
    """Schema that the statements of a version rely on: columns with type and default; constraints; files."""

    columns: dict[tuple[str, str], tuple[str, bool]]
    constraints: set[tuple[str, str, frozenset[str]]]
    files: dict[str, int]


async def schema_of(connection: asyncpg.Connection) -> Schema:
    columns = {
        (table, column): (form, has_default or not is_required)
        for table, column, form, is_required, has_default in await connection.fetch(_COLUMNS)
    }
    constraints = {
        (table, definition, frozenset(names)) for table, definition, names in await connection.fetch(_CONSTRAINTS)
    }
    return Schema(columns, constraints, {row["relname"]: row["relfilenode"] for row in await connection.fetch(_FILES)})


@pytest_asyncio.fixture(loop_scope="session")
async def empty(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The address of an empty database."""
    name = f"rolling_{uuid.uuid4().hex}"
    owner = await asyncpg.connect(postgres.superuser_dsn())
    await owner.execute(f"CREATE DATABASE {name} OWNER smartwatch")
    yield postgres.dsn(name)
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


def revisions() -> list[str]:
    scripts = ScriptDirectory(str(migrate._MIGRATIONS))  # noqa: SLF001 - the folder of the migrations
    return [revision.revision for revision in reversed(list(scripts.walk_revisions()))]


async def test_each_migration_leaves_the_statements_of_the_version_before_valid_and_rewrites_no_table(
    empty: str,
) -> None:
    steps = revisions()
    assert steps[0] == BASELINE
    await asyncio.to_thread(upgrade, empty, BASELINE)
    connection = await asyncpg.connect(empty)
    before = await schema_of(connection)
    for revision in steps[1:]:
        await asyncio.to_thread(upgrade, empty, revision)
        after = await schema_of(connection)
        tables = {table for table, _ in before.columns}
        for name, (form, may_be_left_out) in before.columns.items():
            assert name in after.columns, f"{revision} removes {name}"
            assert after.columns[name][0] == form, f"{revision} changes the type of {name}"
            assert after.columns[name][1] >= may_be_left_out, f"{revision} requires {name}"
        for (table, column), (_, may_be_left_out) in after.columns.items():
            if table in tables and (table, column) not in before.columns:
                assert may_be_left_out, f"{revision}: rows of the version before lack {table}.{column}"
        for table, definition, names in after.constraints - before.constraints:
            known = {column for of_table, column in before.columns if of_table == table}
            assert table not in tables or not names or names - known, f"{revision}: {table}: {definition}"
        rewritten = {table for table, file in before.files.items() if after.files[table] != file}
        assert not rewritten, f"{revision} rewrites {rewritten}, which locks them for as long"
        before = after
    await connection.close()


async def test_a_process_serves_on_a_newer_schema_and_its_upgrade_leaves_it(
    client: httpx.AsyncClient, database_url: str, postgres: LocalPostgres
) -> None:
    owner_url = postgres.owner_dsn(database_url.rpartition("/")[2])
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert (await client.get("/readyz")).status_code == 200
        await asyncio.to_thread(upgrade, owner_url)
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
        await connection.execute("UPDATE alembic_version SET version_num = '0001'")
        behind = await client.get("/readyz")
        assert (behind.status_code, behind.json()["checks"]["migrations"]) == (503, "at 0001")
    finally:
        await connection.execute("UPDATE alembic_version SET version_num = $1", newest_revision())
        await connection.close()


@pytest.mark.parametrize(("revision", "newer"), [("9999", True), ("0026", False), (None, False), ("abc", False)])
def test_a_revision_is_newer_by_its_number(revision: str | None, newer: bool) -> None:  # noqa: FBT001
    assert migrate.is_newer(revision) is newer
    assert not migrate.is_newer(newest_revision())
