"""Grants of the role of the running processes: read and write rows, never create, alter or truncate a table.

The tables belong to another role, which migrates. Applied after each migration, so that new tables are covered; default
privileges cover what appears in between.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg

# Append-only tables. A trigger refuses anything else even to their owner.
APPEND_ONLY: Final = ("audit", "erasure_ledger")
_READ_ONLY: Final = ("alembic_version",)
_LOCK = 7_310_215_504

_ALL: Final = """
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role};
REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC;
"""


def role_of(url: str) -> str:
    """Return the user that a postgresql:// address names, or nothing."""
    return unquote(urlsplit(url).username or "")


def apply_grants(owner_url: str, role: str) -> None:
    """Give ``role`` what the processes need in the database of ``owner_url``; nothing where both are one role."""
    if role and role != role_of(owner_url):
        asyncio.run(_apply(owner_url, role))


async def _apply(owner_url: str, role: str) -> None:
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        async with connection.transaction():
            # Two that migrate at once grant one after the other.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            quoted = await connection.fetchval("SELECT quote_ident($1)", role)
            database = await connection.fetchval("SELECT quote_ident(current_database())")
            await connection.execute(_ALL.format(role=quoted, database=database))
            for table in APPEND_ONLY:
                await connection.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {quoted}")
            for table in _READ_ONLY:
                await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {quoted}")
    finally:
        await connection.close(timeout=2)
