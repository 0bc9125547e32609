"""Bring a database to the newest schema."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

import asyncpg

from services.core.platform.db.grants import apply_grants

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head", *, role: str = "") -> None:
    """Migrate the database at ``url`` to the newest schema, or to one on the way there; a repeat changes nothing.

    ``url`` names the owner of the tables, ``role`` the user of the running processes, which gets what it needs. A
    database of a newer version is left as it is: this code runs on it, so that an upgrade can be taken back.
    """
    present = asyncio.run(_revision_of(url))
    if is_newer(present):
        return
    if present is None or present != (newest_revision() if revision == "head" else revision):
        _run_migrations(url, revision)
    apply_grants(url, role)


def _run_migrations(url: str, revision: str) -> None:
    # Loading Alembic takes 0.3 s of a processor. Every process imports this module to compare revisions, and each
    # start of an installation finds its schema up to date but the first.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"applies_only": True})
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    # Alembic reads percent signs as interpolation.
    config.set_main_option(
        "sqlalchemy.url", url.replace("postgresql://", "postgresql+asyncpg://", 1).replace("%", "%%")
    )
    command.upgrade(config, revision)


def is_newer(revision: str | None) -> bool:
    """Return whether a database of this revision was migrated by a later version of the code.

    Revisions are numbers that grow, and each migration leaves what the code before it relies on.
    """
    return revision is not None and revision.isdecimal() and int(revision) > int(newest_revision())


async def _revision_of(url: str) -> str | None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close(timeout=2)


@functools.cache
def newest_revision() -> str:
    """Return the revision that this version of the code expects: the number of the newest file of migrations."""
    return max(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))
