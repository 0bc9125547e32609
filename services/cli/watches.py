"""`smartwatch watches`: from a vendor's list to a watch in a family's hands, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.devices.traces.tables import WatchTrace, WatchTraceLine
    from services.core.office.registration.actions import Registration
    from services.core.office.registration.inventory import ShelfEntry
    from services.core.platform.db.database import UnitOfWork

# The processes write their lines every five seconds.
_FOLLOW_EVERY_S = 2.0
watch_commands = typer.Typer(name="watches", help="Watches: register, label, hand out, return.", no_args_is_help=True)

OfProgramme = Annotated[
    str | None, typer.Option("--programme", help="Required when two programmes have a site of this name.")
]
OfSite = Annotated[str | None, typer.Option("--site", help="Only watches of this site.")]


@watch_commands.command("register")
def register(
    watches: Annotated[
        Path, typer.Argument(help="CSV or XLSX: serial, model, site; imei, iccid, sim_holder, sim_expires.")
    ],
    export_for_vendor: Annotated[
        Path | None, typer.Option(help="Generate a secret for each new watch and write them to this new file.")
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", help="The vendor's file of secrets: serial, secret.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Validate the list and change nothing.")] = False,
    programme: OfProgramme = None,
) -> None:
    """Register the watches of a list: all, or none if a row is rejected; a repeat changes nothing, secrets included."""
    if (export_for_vendor is not None) + (import_ is not None) + dry_run != 1:
        raise typer.BadParameter("give one of --export-for-vendor FILE, --import FILE, --dry-run")
    from services.core.devices.watches.rules import watch_list
    from services.core.office.registration import actions
    from services.core.office.registration.vendor_file import read_vendor_file
    from services.core.platform.audit.actions import OPERATOR

    with cli_run.faults_in(watches):
        listed = watch_list(cli_run.read_file(watches))
    offered = None
    if import_ is not None:
        with cli_run.faults_in(import_):
            offered = read_vendor_file(cli_run.read_file(import_), listed.rows, import_.name)

    with cli_run.faults_in(watches), cli_run.progress_of("registering", len(listed.rows)) as progress:
        rows, further = listed.rows, listed.faults

        async def chore(work: UnitOfWork) -> Registration:
            if export_for_vendor is not None:
                return await actions.register_for_vendor(
                    work, OPERATOR, rows, export_for_vendor, programme=programme, further=further, progress=progress
                )
            if offered is not None:
                return await actions.register_with_vendor_secrets(
                    work, OPERATOR, rows, offered, programme=programme, further=further, progress=progress
                )
            return await actions.check_watch_list(work, rows, programme=programme, further=further)

        outcome = cli_run.in_one_transaction(chore)
    if dry_run:
        print("Dry run, nothing was changed. The result would be:")
    print(f"{len(outcome.registered)} registered, {len(outcome.updated)} updated, {len(outcome.unchanged)} unchanged.")
    if export_for_vendor is not None and outcome.registered:
        print(f"Their secrets are in {export_for_vendor} only: send the file to the vendor, then delete it.")


@watch_commands.command("labels")
def labels(
    out: Annotated[Path, typer.Option(help="The PDF to write: A4, 24 labels of 70 x 36 mm a page.")],
    serials: Annotated[
        list[str] | None, typer.Argument(help="Serials of the watches; without any, all of the site.")
    ] = None,
    site: OfSite = None,
    programme: OfProgramme = None,
) -> None:
    """Print labels: the programme, the serial as QR code and text, whom a finder calls. A label grants no access."""
    if not serials and site is None:
        raise typer.BadParameter("name serials or --site")
    from services.core.devices.watches.errors import WatchUnknownError
    from services.core.office.papers.site_papers import Imprint, labels_of_site
    from services.core.people.programme.queries import site_named

    settings = cli_run.load_settings()
    imprint = Imprint(settings.public_url, settings.phones_of_programme())
    site_of = {entry.serial: entry.site for entry in _shelf(site, programme, None)}
    if set(serials or []) - set(site_of):
        raise WatchUnknownError
    wanted = serials or list(site_of)
    if not wanted:
        raise cli_run.OperatorError("no_watches", "No watch is registered at this site.")
    if len(sites := {site_of[serial] for serial in wanted}) > 1:
        # The language and the number to call are those of a site.
        raise cli_run.OperatorError("several_sites", "These watches belong to several sites. Print one site at a time.")

    async def chore(work: UnitOfWork) -> bytes:
        return await labels_of_site(work, await site_named(work, sites.pop(), programme), imprint, wanted)

    cli_run.write_file(out, cli_run.in_one_transaction(chore))
    print(f"{len(wanted)} labels are in {out}.")


@watch_commands.command("hand-out")
def hand_out(serial: str, family_code: str) -> None:
    """Hand a watch out to an enrolled family: it pairs with that family only. A repeat changes nothing."""
    from services.cli.hand_out import NO_CHANNEL
    from services.core.office.hand_outs.watches import hand_out_watch, lacks_channel
    from services.core.platform.audit.actions import OPERATOR

    code = family_code.strip().upper()

    async def chore(work: UnitOfWork) -> tuple[bool, bool]:
        return await hand_out_watch(work, OPERATOR, serial, code), bool(await lacks_channel(work, serial, code))

    done, unreached = cli_run.in_one_transaction(chore)
    print(f"{serial}: handed out to {code}." if done else f"{serial}: the family has it already.")
    if unreached:
        print(f"{code}: {NO_CHANNEL}.")


@watch_commands.command("return")
def take_back(serial: str) -> None:
    """Record that a watch was returned, found or repaired: it is in stock, and its pairing ends."""
    _withdraw(serial, "returned")


@watch_commands.command("lost")
def lose(serial: str) -> None:
    """Record that a watch is lost: its access and its pairing end at once."""
    _withdraw(serial, "lost")


@watch_commands.command("broken")
def break_(serial: str) -> None:
    """Record that a watch is broken: its access and its pairing end at once."""
    _withdraw(serial, "broken")


@watch_commands.command("replace")
def replace(
    old: Annotated[str, typer.Argument(help="The watch that is lost, broken or returned.")],
    new: Annotated[str, typer.Argument(help="The watch that replaces it.")],
    state: Annotated[str, typer.Option(help="State of the old watch: lost, broken or returned.")],
) -> None:
    """Replace a family's watch: the access of the old one ends, waiting messages go to the new one."""
    from services.core.office.hand_outs.withdrawal import replace_watch
    from services.core.platform.audit.actions import OPERATOR

    if state not in {"lost", "broken", "returned"}:
        raise typer.BadParameter("one of lost, broken, returned", param_hint="--state")

    async def chore(work: UnitOfWork) -> bool:
        return await replace_watch(work, OPERATOR, old, new, state)

    done = cli_run.in_one_transaction(chore)
    print(f"{old}: {state}; {new}: handed out in its place." if done else f"{old}: is already replaced by {new}.")


@watch_commands.command("sims")
def sims(
    cards: Annotated[
        Path, typer.Argument(help="CSV or XLSX: serial; iccid, number, holder, expires, quota_mb, month, used_mb.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Validate the list and change nothing.")] = False,
) -> None:
    """Import the carrier's list of SIM cards: all, or nothing when a row is rejected; a repeat changes nothing."""
    from services.core.office.sim_cards.actions import SimsNoted, read_sim_list, record_sims
    from services.core.platform.audit.actions import OPERATOR

    with cli_run.faults_in(cards):
        listed = read_sim_list(cli_run.read_file(cards))
    with cli_run.faults_in(cards), cli_run.progress_of("noting", len(listed.rows)) as progress:

        async def chore(work: UnitOfWork) -> SimsNoted:
            return await record_sims(work, OPERATOR, listed, progress)

        outcome = cli_run.in_one_transaction(chore, dry_run=dry_run)
    if dry_run:
        print("Dry run, nothing was changed. The result would be:")
    print(f"{len(outcome.changed)} updated, {len(outcome.unchanged)} unchanged.")


@watch_commands.command("move")
def move(
    serial: str,
    site: Annotated[str, typer.Option(help="The site it moves to.")],
    programme: OfProgramme = None,
) -> None:
    """Move a watch in stock to another site."""
    from services.core.office.hand_outs.watches import move_watch
    from services.core.people.programme.queries import site_named
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        return await move_watch(work, OPERATOR, serial, await site_named(work, site, programme))

    done = cli_run.in_one_transaction(chore)
    print(f"{serial}: now at {site}." if done else f"{serial}: is at {site} already.")


@watch_commands.command("trace")
def trace(
    serial: str,
    follow: Annotated[float, typer.Option(help="Go on for so many seconds and print what comes.")] = 0.0,
) -> None:
    """Record for a day what the backend sees of a watch, and print what it saw; repeat to read on.

    Connections, hellos and refusals with their reasons, in development receipts as well; no content, no place. The
    family that has the watch finds it in its log.
    """
    from services.core.devices.traces.actions import open_trace, read_trace
    from services.core.office.hand_outs.watches import locked_watch
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> tuple[WatchTrace, list[WatchTraceLine]]:
        watch = await locked_watch(work, serial.strip().upper())
        opened = await open_trace(work, OPERATOR, watch)
        return opened, await read_trace(work, OPERATOR, watch)

    opened, lines = cli_run.in_one_transaction(chore)
    rows = [
        (
            line.at.isoformat(timespec="seconds"), "factory" if line.child_id is None else "paired", line.what,
            line.detail,
        )
        for line in lines
    ]  # fmt: skip
    cli_run.print_table(("at", "identity", "what", "detail"), rows)
    print(f"{serial}: {len(lines)} lines; recorded until {opened.closes_at.isoformat(timespec='minutes')}.")
    ends_at_s, last = time.monotonic() + follow, max((line.line_id or 0 for line in lines), default=0)
    while (left_s := ends_at_s - time.monotonic()) > 0:
        time.sleep(min(left_s, _FOLLOW_EVERY_S))
        _, lines = cli_run.in_one_transaction(chore)
        for line in lines:
            if (line.line_id or 0) > last:
                print(f"{line.at.isoformat(timespec='seconds')}\t{line.what}\t{line.detail}")
        last = max((line.line_id or 0 for line in lines), default=last)


@watch_commands.command("list")
def list_watches(
    site: OfSite = None,
    programme: OfProgramme = None,
    state: Annotated[str | None, typer.Option(help="Only watches in this state.")] = None,
) -> None:
    """List watches with their state and the code of their family."""
    from services.core.devices.watches.rules import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    rows = [
        (
            entry.serial, entry.model, entry.site, entry.state, entry.family_code or "",
            "paired" if entry.paired else "",
            entry.last_seen_at.isoformat(timespec="seconds") if entry.last_seen_at else "",
        )
        for entry in _shelf(site, programme, state)
    ]  # fmt: skip
    cli_run.print_table(("serial", "model", "site", "state", "family", "paired", "last seen"), rows)


def _shelf(site: str | None, programme: str | None, state: str | None) -> list[ShelfEntry]:
    from services.core.office.registration.inventory import list_watches
    from services.core.people.programme.queries import site_named

    async def chore(work: UnitOfWork) -> list[ShelfEntry]:
        place = None if site is None else await site_named(work, site, programme)
        return list(await list_watches(work, site=place, state=state))

    return cli_run.in_one_transaction(chore)


def _withdraw(serial: str, state: str) -> None:
    from services.core.office.hand_outs.withdrawal import withdraw_watch
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        return await withdraw_watch(work, OPERATOR, serial, state)

    done = cli_run.in_one_transaction(chore)
    print(f"{serial}: {state}." if done else f"{serial}: is {state} already.")
