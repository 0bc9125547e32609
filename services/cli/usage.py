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
    out: Annotated[Path, typer.Option(help="Where to write it: .html the report, .csv or .xlsx the data.")],
    site: Annotated[str | None, typer.Option(help="This site alone.")] = None,
    audience: Annotated[str, typer.Option(help="staff (5 families and more) or public (10 and more).")] = "public",
    locale: Annotated[str, typer.Option(help="en, zh-Hans, vi or tr.")] = "en",
) -> None:
    """Write what may be shown of a programme's published weeks: a report to print, or its data."""
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
    print(f"{out}: {len(extract.cells)} numbers, {hidden} of them not shown.")


@usage_commands.command("rebuild")
def rebuild_usage() -> None:
    """Count every family's days anew from facts and reports; published weeks stay as they are."""
    from sqlmodel import col, select

    from services.core.measurement.counting.actions import rebuild
    from services.core.people.households.tables import Family

    async def families(work: UnitOfWork) -> list[uuid.UUID]:
        return list(await work.session.exec(select(Family.family_id).order_by(col(Family.family_code))))

    found = cli_run.in_one_transaction(families)
    with cli_run.progress_of("counting", len(found)) as progress:
        for family_id in found:

            async def chore(work: UnitOfWork, family_id: uuid.UUID = family_id) -> None:
                await rebuild(work, [family_id])

            cli_run.in_one_transaction(chore)
            progress()
    print(f"{len(found)} families counted.")
