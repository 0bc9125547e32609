"""`smartwatch usage`: a simulated year, counting anew, and what may be shown of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.measurement.exports.files import Extract
    from services.core.platform.db.database import UnitOfWork
    from services.devstack.simulated_programme.writing import Simulated

usage_commands = typer.Typer(name="usage", help="Usage of the watches.", no_args_is_help=True)


@usage_commands.command("simulate")
def simulate_usage(
    sites: Annotated[int, typer.Option(min=1, max=200)] = 50,
    families: Annotated[int, typer.Option(min=1, max=20_000)] = 2500,
    weeks: Annotated[int, typer.Option(min=1, max=104)] = 52,
    seed: Annotated[int, typer.Option(min=0, max=999, help="The same seed generates the same programme.")] = 7,
) -> None:
    """Generate a simulated programme with facts and reports, counted and published; rejected in production."""
    settings = cli_run.load_settings()
    cli_run.need_database(settings)
    from services.core.platform.db.database import Database
    from services.devstack.simulated_programme.writing import Plan, simulate

    async def run() -> Simulated:
        database = Database.of(settings)
        try:
            with cli_run.progress_of("simulating", sites + weeks) as progress:
                return await simulate(database, settings, Plan(sites, families, weeks, seed), progress)
        finally:
            await database.close()

    made = asyncio.run(run())
    print(f"{made.name}: {made.facts} facts, {made.reports} reports, {made.weeks} weeks published.")


@usage_commands.command("report")
def write_report(
    programme: str,
    out: Annotated[Path, typer.Option(help="The file to write: .html for the report, .csv or .xlsx for the data.")],
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    audience: Annotated[
        str, typer.Option(help="staff (groups of 5 families or more) or public (10 or more).")
    ] = "public",
    locale: Annotated[str, typer.Option(help="en, zh-Hans, vi or tr.")] = "en",
) -> None:
    """Write the published weeks of a programme as a report to print, or as data."""
    from services.core.measurement.exports.files import as_csv, as_xlsx
    from services.core.measurement.exports.report import donor_report
    from services.core.measurement.publishing.queries import extract_of
    from services.core.people.programme.queries import programme_named, site_named
    from services.core.platform.disclosure import Audience
    from services.core.platform.locales import LOCALES

    writers: dict[str, Callable[[Extract], bytes]] = {
        ".html": lambda extract: donor_report(extract).encode(),
        ".csv": as_csv,
        ".xlsx": as_xlsx,
    }
    if out.suffix not in writers or audience not in set(Audience) or locale not in LOCALES:
        raise cli_run.OperatorError(
            "report_unknown", "A report is .html, .csv or .xlsx, for staff or public, in en, zh-Hans, vi or tr."
        )

    async def chore(work: UnitOfWork) -> Extract:
        found = await programme_named(work, programme)
        one_site = None if site is None else await site_named(work, site, programme)
        parts = out.suffix != ".html"
        return await extract_of(work, found, Audience(audience), site=one_site, parts=parts, locale=locale)

    extract = cli_run.in_one_transaction(chore)
    cli_run.write_file(out, writers[out.suffix](extract))
    hidden = sum(cell.value is None for cell in extract.cells)
    print(f"{out}: {len(extract.cells)} numbers, {hidden} of them suppressed.")


@usage_commands.command("rebuild")
def rebuild_usage() -> None:
    """Recount the days of every family from facts and reports; published weeks stay as they are."""
    from sqlmodel import col, select

    from services.core.measurement.counting.actions import rebuild
    from services.core.people.households.tables import Family

    async def families(work: UnitOfWork) -> list[uuid.UUID]:
        return list(await work.session.exec(select(Family.family_id).order_by(col(Family.family_code))))

    family_ids = cli_run.in_one_transaction(families)
    with cli_run.progress_of("counting", len(family_ids)) as progress:
        for family_id in family_ids:

            async def chore(work: UnitOfWork, family_id: uuid.UUID = family_id) -> None:
                await rebuild(work, [family_id])

            cli_run.in_one_transaction(chore)
            progress()
    print(f"{len(family_ids)} families counted.")
