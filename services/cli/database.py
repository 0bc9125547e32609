"""`smartwatch db`: the database's schema."""

from __future__ import annotations

import asyncio

import typer

from services.cli import run as cli_run
from services.cli.privacy import replay_ledger

database_commands = typer.Typer(name="db", help="The database schema.", no_args_is_help=True)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Migrate the database to the newest schema as the owner of the tables; a repeat changes nothing."""
    settings = cli_run.load_settings()
    from services.core.platform.db import grants, migrate
    from services.core.platform.db.newest_primary import REFUSED, OldPrimaryRefusedError, refuse_old_primary

    cli_run.need_database(settings)
    owner_url = settings.migration_database_url or settings.database_url
    try:
        asyncio.run(refuse_old_primary(owner_url, settings.database_url, settings.database_direct_url))
    except OldPrimaryRefusedError as error:
        raise cli_run.OperatorError(
            REFUSED,
            "SMARTWATCH_MIGRATION_DATABASE_URL leads to an old primary: a standby was promoted since. Nothing was "
            "changed. Name the server that `smartwatch doctor` says is the newest.",
        ) from error
    migrate.upgrade(owner_url, role=grants.role_of(settings.database_url))
    print(f"The schema is at {migrate.newest_revision()} or newer.")
    # Before anything is served: a database that was restored holds what was erased since.
    if repeated := replay_ledger(settings):
        print(f"{repeated} erasures repeated.")
