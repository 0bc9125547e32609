"""`smartwatch hand-out`: fifty families in an hour: a list to sign, watch and family scanned in turn, slips undone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.office.hand_outs.watches import Undone
    from services.core.office.papers.site_papers import HandOutPaper
    from services.core.platform.db.database import UnitOfWork

hand_out_commands = typer.Typer(
    name="hand-out", help="Hand out watches at an event: roster, scanning, undo.", no_args_is_help=True
)

_UNDO = "undo"
NO_CHANNEL = "no working channel"


@hand_out_commands.command("list")
def hand_out_list(
    out: Annotated[Path, typer.Option(help="The PDF to write: A4, one line to sign for each family.")],
    site: Annotated[str, typer.Option(help="The site.")],
    cohort: Annotated[str | None, typer.Option(help="Only this cohort.")] = None,
    programme: Annotated[
        str | None, typer.Option(help="Required when two programmes have a site of this name.")
    ] = None,
    strips: Annotated[bool, typer.Option("--strips", help="Strips to cut, one for each family.")] = False,
) -> None:
    """Print the roster that families sign: code and watch, without names and phone numbers."""
    from services.core.office.papers.site_papers import hand_out_paper
    from services.core.people.programme.queries import cohort_named, site_named

    async def chore(work: UnitOfWork) -> HandOutPaper:
        place = await site_named(work, site, programme)
        part = None if cohort is None else await cohort_named(work, place, cohort)
        return await hand_out_paper(work, place, part, "strips" if strips else "list")

    paper = cli_run.in_one_transaction(chore)
    if not paper.entries:
        raise cli_run.OperatorError("no_families", "No family is enrolled at this site.")
    cli_run.write_file(out, paper.pdf)
    print(f"{len(paper.entries)} families are in {out}.")
    if paper.unreached:
        codes = ", ".join(sorted(paper.unreached))
        print(f"{len(paper.unreached)} families have no device that can be notified yet: {codes}")


@hand_out_commands.command("leaflet")
def leaflet(
    out: Annotated[Path, typer.Option(help="The PDF to write: A5, one page.")],
    site: Annotated[str, typer.Option(help="The site.")],
    programme: Annotated[
        str | None, typer.Option(help="Required when two programmes have a site of this name.")
    ] = None,
    locale: Annotated[str | None, typer.Option(help="en, zh-Hans, vi or tr; default: the site's.")] = None,
) -> None:
    """Print the leaflet for the home: five pictures, and whom to call."""
    from services.core.office.papers.site_papers import Imprint, leaflet_of_site
    from services.core.people.programme.queries import site_named
    from services.core.people.programme.rules import check_locale

    settings = cli_run.load_settings()
    imprint = Imprint(settings.public_url, settings.phones_of_programme())

    async def chore(work: UnitOfWork) -> bytes:
        return await leaflet_of_site(await site_named(work, site, programme), imprint, locale and check_locale(locale))

    cli_run.write_file(out, cli_run.in_one_transaction(chore))
    print(f"The leaflet is in {out}.")


@hand_out_commands.command("scan")
def scan() -> None:
    """Hand out by scanning the label of a watch, then the code of a family; `undo` reverts the last hand-out.

    Each pair is done when its line is printed. A refusal is told and the next pair is asked for. An empty line ends.
    """
    done = refused = 0
    while (watch := _ask("watch: ")) != "":
        if watch.lower() == _UNDO:
            undone = _undo()
            done -= undone
            continue
        family = _ask("family: ")
        if not family:
            break
        if family.lower() == _UNDO:
            print("  this line handed out nothing.")
            continue
        if _hand_out(watch, family):
            done += 1
        else:
            refused += 1
    print(f"{done} handed out, {refused} rejected.")


@hand_out_commands.command("undo")
def undo() -> None:
    """Revert the last hand-out made from this command line within two hours."""
    if not _undo():
        raise typer.Exit(1)


def _ask(prompt: str) -> str:
    if sys.stdin.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return sys.stdin.readline().strip()


def _hand_out(watch: str, family: str) -> bool:
    from services.core.devices.watches.rules import serial_of_scan
    from services.core.office.hand_outs.watches import hand_out_watch, lacks_channel
    from services.core.platform.audit.actions import OPERATOR
    from services.core.platform.errors import CoreError

    async def chore(work: UnitOfWork) -> tuple[bool, bool]:
        is_new = await hand_out_watch(work, OPERATOR, watch, family)
        return is_new, bool(await lacks_channel(work, watch, family))

    try:
        is_new, unreached = cli_run.in_one_transaction(chore)
    except CoreError as error:
        cli_run.explain(error)
        return False
    remarks = f"{'' if is_new else ' (they have it already)'}{f' ({NO_CHANNEL})' if unreached else ''}"
    print(f"  {serial_of_scan(watch)} -> {family.upper()}{remarks}")
    return True


def _undo() -> bool:
    from services.core.office.hand_outs.watches import undo_last_hand_out
    from services.core.platform.audit.actions import OPERATOR
    from services.core.platform.errors import CoreError

    async def chore(work: UnitOfWork) -> Undone:
        return await undo_last_hand_out(work, OPERATOR)

    try:
        undone = cli_run.in_one_transaction(chore)
    except CoreError as error:
        cli_run.explain(error)
        return False
    print(f"  {undone.serial} is in stock again; the hand-out to {undone.family_code} is reverted.")
    return True
