"""`smartwatch usage`: a simulated year, counting anew, and what may be shown of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from services import cli_run

if TYPE_CHECKING:
    from services.core.usage.simulating import Simulated

usage_commands = typer.Typer(name="usage", help="How the watches are used.", no_args_is_help=True)


@usage_commands.command("simulate")
def simulate_usage(
    sites: Annotated[int, typer.Option(min=1, max=200)] = 50,
    families: Annotated[int, typer.Option(min=1, max=20_000)] = 2500,
    weeks: Annotated[int, typer.Option(min=1, max=104)] = 52,
    seed: Annotated[int, typer.Option(min=0, max=999, help="The same seed makes the same programme.")] = 7,
) -> None:
    """Write a simulated programme with its facts and reports, counted and published; refused in production."""
    settings = cli_run.load_settings()
    cli_run.need_database(settings)
    from services.core.db.database import Database
    from services.core.usage.simulating import Plan, simulate

    async def run() -> Simulated:
        database = Database.of(settings)
        try:
            with cli_run.progress_of("simulating", sites + weeks) as progress:
                return await simulate(database, settings, Plan(sites, families, weeks, seed), progress)
        finally:
            await database.close()

    made = asyncio.run(run())
    print(f"{made.name}: {made.facts} facts, {made.reports} reports, {made.weeks} weeks published.")
