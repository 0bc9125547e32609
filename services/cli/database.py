"""`smartwatch db`: the database's schema."""

from __future__ import annotations

import typer

from services.cli import run as cli_run
from services.cli.privacy import replay_ledger

database_commands = typer.Typer(name="db", help="The database schema.", no_args_is_help=True)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Migrate the database to the newest schema as the owner of the tables; a repeat changes nothing."""
    settings = cli_run.load_settings()
    from services.core.platform.db import grants, migrate

    cli_run.need_database(settings)
    migrate.upgrade(
        settings.migration_database_url or settings.database_url, role=grants.role_of(settings.database_url)
    )
    print(f"The schema is at {migrate.newest_revision()} or newer.")
    # Before anything is served: a database that was restored holds what was erased since.
    if repeated := replay_ledger(settings):
        print(f"{repeated} erasures repeated.")
