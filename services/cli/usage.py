"""`smartwatch usage`: a simulated year, counting anew, and what may be shown of it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import run as cli_run
from services.cli.usage_join import join_cells, print_key, write_cells

if TYPE_CHECKING:
    from services.core.measurement.dhis2_imports.tables import Dhis2Import
    from services.core.measurement.exports.files import Extract
    from services.core.platform.db.database import UnitOfWork
    from services.core.platform.settings import Settings
    from services.devstack.simulated_programme.writing import Simulated

usage_commands = typer.Typer(name="usage", help="Usage of the watches.", no_args_is_help=True)
usage_commands.command("key")(print_key)
usage_commands.command("cells")(write_cells)
usage_commands.command("join")(join_cells)


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
        programme_row = await programme_named(work, programme)
        one_site = None if site is None else await site_named(work, site, programme)
        parts = out.suffix != ".html"
        return await extract_of(work, programme_row, Audience(audience), site=one_site, parts=parts, locale=locale)

    extract = cli_run.in_one_transaction(chore)
    cli_run.write_file(out, writers[out.suffix](extract))
    hidden = sum(cell.value is None for cell in extract.cells)
    print(f"{out}: {len(extract.cells)} numbers, {hidden} of them suppressed.")


@usage_commands.command("dhis2")
def send_to_dhis2(
    programme: str,
    ids: Annotated[Path, typer.Option(help="JSON with `data_elements` by indicator and `org_units` by scope.")],
    site: Annotated[str | None, typer.Option(help="Only this site and its cohorts.")] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Store what DHIS2 has checked; without it, check only.")
    ] = False,
) -> None:
    """Send the public numbers of a programme to DHIS2: checked there first, and stored with --store.

    Exit code 1: DHIS2 did not take all of it. Sending again stores nothing twice.
    """
    from services.core.measurement.dhis2_imports.rules import SENTENCES, Problem, Summary

    settings = cli_run.load_settings()
    if not settings.dhis2_url:
        raise cli_run.OperatorError("dhis2_not_configured", "Set SMARTWATCH_DHIS2_URL and SMARTWATCH_DHIS2_TOKEN.")
    row = asyncio.run(_send_to_dhis2(settings, programme, site, _ids_in(ids), check_only=not store))
    print(f"{row.values} values, not sent: {row.left_out.get('suppressed', 0)} suppressed.")
    for indicator in row.left_out.get("indicators_without_element", ()):
        print(f"  no data element: {indicator}")
    for scope in row.left_out.get("scopes_without_unit", ()):
        print(f"  no organisation unit: {scope}")
    for phase, stored in (("checked", row.checked), ("stored", row.imported)):
        if stored:
            summary = Summary.read(stored)
            print(f"{phase}: {summary.imported} new, {summary.updated} updated, {summary.ignored} ignored.")
            for conflict in summary.conflicts:
                print(f"  {conflict.object}: {conflict.problem}")
    if row.state in {"waiting", "running"}:
        print("The worker continues. `smartwatch usage dhis2-imports` shows the result.")
    if row.problem is not None:
        sentence = " ".join(part for part in (SENTENCES[Problem(row.problem)], row.message) if part)
        raise cli_run.OperatorError(f"dhis2_{row.problem}", sentence)


@usage_commands.command("dhis2-imports")
def list_dhis2_imports(programme: str) -> None:
    """Show the latest imports of a programme into DHIS2 and what became of them."""
    from services.core.measurement.dhis2_imports.queries import imports_of_programme
    from services.core.measurement.dhis2_imports.rules import Summary
    from services.core.people.programme.queries import programme_named

    async def chore(work: UnitOfWork) -> list[tuple[str, ...]]:
        programme_row = await programme_named(work, programme)
        rows = []
        for row in await imports_of_programme(work, programme_row.programme_id, 20):
            summary = Summary.read(row.imported or row.checked)
            counts = (summary.imported, summary.updated, summary.ignored)
            kind = "check" if row.check_only else "import"
            rows.append((f"{row.asked_at:%Y-%m-%d %H:%M}", kind, row.state, row.problem or "", *map(str, counts)))
        return rows

    cli_run.print_table(
        ("asked (UTC)", "kind", "state", "problem", "new", "updated", "ignored"), cli_run.in_one_transaction(chore)
    )


def _ids_in(path: Path) -> dict[str, Any]:
    from services.core.measurement.dhis2_imports.errors import Dhis2IdsMalformedError

    try:
        read = json.loads(cli_run.read_file(path))
    except ValueError as error:
        raise Dhis2IdsMalformedError from error
    if not isinstance(read, dict):
        raise Dhis2IdsMalformedError
    return read


async def _send_to_dhis2(
    settings: Settings, programme: str, site: str | None, mapping: dict[str, Any], *, check_only: bool
) -> Dhis2Import:
    from services.core.measurement.dhis2_imports.actions import ImportRequest, request_import
    from services.core.measurement.dhis2_imports.tables import Dhis2Import
    from services.core.people.programme.queries import programme_named, site_named
    from services.core.platform.audit.actions import OPERATOR
    from services.core.platform.db.database import Database
    from services.worker.dhis2 import open_dhis2, send_one_import

    database = Database.of(settings)
    try:
        async with database.begin() as work:
            programme_row = await programme_named(work, programme)
            one_site = None if site is None else await site_named(work, site, programme)
            queued = await request_import(work, OPERATOR, programme_row, one_site, ImportRequest(mapping, check_only))
            import_id = queued.import_id
        async with open_dhis2(settings) as dhis2:
            # Another import that waits is sent on the way; a worker may take this one.
            while dhis2 is not None and await send_one_import(database, dhis2):
                pass
        async with database.begin() as work:
            row = await work.session.get_one(Dhis2Import, import_id)
            work.session.expunge(row)
            return row
    finally:
        await database.close()


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
