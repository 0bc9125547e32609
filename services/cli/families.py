"""`smartwatch families`: enrol by the guardian's phone, one family or a list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.office.enrolment.with_watches import EnrolledWithWatches
    from services.core.platform.db.database import UnitOfWork

family_commands = typer.Typer(name="families", help="Families: enrol by the guardian's phone.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Validate everything and change nothing.")]
DRY_RUN = "Dry run, nothing was changed. The result would be:"


@family_commands.command("enrol")
def enrol(
    families: Annotated[
        Path | None,
        typer.Argument(help="CSV or XLSX: family_code, phone, site, cohort; watch_serial, form_number. No names."),
    ] = None,
    family_code: Annotated[str | None, typer.Option("--code", help="One family instead of a list: its code,")] = None,
    phone: Annotated[str | None, typer.Option(help="the guardian's phone,")] = None,
    site: Annotated[str | None, typer.Option(help="its site")] = None,
    cohort: Annotated[str | None, typer.Option(help="and cohort.")] = None,
    watch: Annotated[str | None, typer.Option(help="Serial of the watch that is handed out to the family.")] = None,
    programme: Annotated[
        str | None, typer.Option(help="Required when two programmes have a site of this name.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Enrol the families of a list: all of them, or none when a row is rejected; a repeat changes nothing."""
    from services.core.office.enrolment.actions import FamilyList, FamilyRow, code_faults, family_list
    from services.core.office.enrolment.with_watches import enrol_and_hand_out
    from services.core.platform.audit.actions import OPERATOR
    from services.core.platform.spreadsheets.sheets import SheetRefusedError

    if families is not None:
        if any(option is not None for option in (family_code, phone, site, cohort, watch)):
            raise typer.BadParameter("a list, or --code with --phone, --site and --cohort, not both")
        with cli_run.faults_in(families):
            listed = family_list(cli_run.read_file(families))
    elif family_code is not None and phone is not None and site is not None and cohort is not None:
        row = FamilyRow(0, family_code.strip().upper(), phone, site, cohort, watch)
        if faults := code_faults(row):
            raise SheetRefusedError(faults)
        listed = FamilyList([row], [])
    else:
        raise typer.BadParameter("give a list, or --code with --phone, --site and --cohort")

    with cli_run.progress_of("enrolling", len(listed.families)) as progress:

        async def chore(work: UnitOfWork) -> EnrolledWithWatches:
            return await enrol_and_hand_out(
                work, OPERATOR, listed.families, programme=programme, further=listed.faults, progress=progress
            )

        outcome = cli_run.in_one_transaction(chore, dry_run=dry_run)
    if dry_run:
        print(DRY_RUN)
    print(
        f"{len(outcome.families.enrolled)} enrolled, {len(outcome.families.unchanged)} unchanged, "
        f"{len(outcome.handed_out)} watches handed out."
    )


@family_commands.command("leave")
def leave(
    family_code: str,
    reason: Annotated[
        str, typer.Option(help="left_factory, moved_away, watch_returned, declined, child_grown or other.")
    ],
) -> None:
    """End an enrolment: statistics leave the family out from now on; its watch and messages stay."""
    from services.core.office.enrolment.participation import end_enrolment
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> None:
        await end_enrolment(work, OPERATOR, family_code, reason)

    cli_run.in_one_transaction(chore)
    print(f"{family_code.strip().upper()}: enrolment ended ({reason}). Watch and messages are unchanged.")


@family_commands.command("trainings")
def trainings(
    attendance: Annotated[Path, typer.Argument(help="CSV or XLSX: family_code, training, attended_on.")],
    dry_run: DryRun = False,
) -> None:
    """Record who attended which training: the whole list, or nothing if one row is rejected; repeatable."""
    from services.core.office.enrolment.participation import Noted, read_training_list, record_trainings
    from services.core.platform.audit.actions import OPERATOR

    with cli_run.faults_in(attendance):
        listed = read_training_list(cli_run.read_file(attendance))
    with cli_run.faults_in(attendance), cli_run.progress_of("noting", len(listed.rows)) as progress:

        async def chore(work: UnitOfWork) -> Noted:
            return await record_trainings(work, OPERATOR, listed, progress)

        outcome = cli_run.in_one_transaction(chore, dry_run=dry_run)
    if dry_run:
        print(DRY_RUN)
    print(f"{outcome.noted} recorded, {outcome.unchanged} unchanged.")
