"""Bring a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.core.platform.db.grants import apply_grants

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    # Alembic reads percent signs as interpolation.
    config.set_main_option(
        "sqlalchemy.url", url.replace("postgresql://", "postgresql+asyncpg://", 1).replace("%", "%%")
    )
    return config


def upgrade(url: str, revision: str = "head", *, role: str = "") -> None:
    """Migrate the database at ``url`` to the newest schema, or to one on the way there; a repeat changes nothing.

    ``url`` names the owner of the tables, ``role`` the user of the running processes, which gets what it needs.
    """
    command.upgrade(_config(url), revision)
    apply_grants(url, role)


def newest_revision() -> str:
    """Return the revision that this version of the code expects."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    if head is None:
        message = "no migrations found"
        raise RuntimeError(message)
    return head
