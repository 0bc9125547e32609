"""Alembic's entry. Stands outside the layers: it must know every room's tables."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from services.core.platform.db.all_tables import load_all_tables

# The declared tables are needed to compare them with a database, not to apply migrations, which name their own.
if not context.config.attributes.get("applies_only"):
    load_all_tables()

# Two processes that start together migrate one after the other.
_LOCK = 7_310_215_503


def _render_plain_strings(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write SQLModel's own string type as SQLAlchemy's: a migration must not change when a library's class does."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})"
    return False


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_item=_render_plain_strings,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.run_migrations()


async def _run() -> None:
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url") or "")
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_run())
