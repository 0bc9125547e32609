"""`smartwatch programme|sites|cohorts|staff`: the structure that families and watches are entered into."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.people.privacy_notices.rules import NoticeDetails
    from services.core.platform.db.database import UnitOfWork

programme_commands = typer.Typer(name="programme", help="Programmes.", no_args_is_help=True)
site_commands = typer.Typer(name="sites", help="Sites: the factories that host a programme.", no_args_is_help=True)
cohort_commands = typer.Typer(name="cohorts", help="Cohorts: families who start together.", no_args_is_help=True)
staff_commands = typer.Typer(name="staff", help="People who work for the programme.", no_args_is_help=True)

OfProgramme = Annotated[
    str | None, typer.Option("--programme", help="Needed where two programmes share a site's name.")
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]

_ON_ITS_WAY = "The first password is on its way to the phone; it works once within 24 hours."


@programme_commands.command("create")
def create_programme(name: str) -> None:
    """Create a programme; a repeat changes nothing."""
    from services.core.people.programme import actions
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        return (await actions.create_programme(work, OPERATOR, name)).is_new

    _say(name, is_new=cli_run.in_one_transaction(chore))


@programme_commands.command("announce-end")
def announce_end(
    name: str,
    last_day: Annotated[
        datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Its last day, 30 days off or more.")
    ],
) -> None:
    """Announce the programme's last day: every family is told, and has 30 days before anything is erased."""
    _set_end(name, last_day.date())


@programme_commands.command("take-back-end")
def take_back_end(name: str) -> None:
    """Take the announced end back: the programme runs on, families are told so."""
    _set_end(name, None)


def _set_end(name: str, last_day: date | None) -> None:
    from services.core.office.programme_end.actions import announce_end
    from services.core.people.programme import queries
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        return await announce_end(work, OPERATOR, await queries.programme_named(work, name), last_day)

    changed = cli_run.in_one_transaction(chore)
    sentence = f"ends on {last_day}; families are told now" if last_day else "runs on"
    print(f"{name.strip()}: {sentence}." if changed else f"{name.strip()}: was so already; nothing was changed.")


@site_commands.command("create")
def create_site(
    name: str,
    programme: Annotated[str, typer.Option(help="The programme it belongs to.")],
    country: Annotated[str, typer.Option(help="Two letters (ISO 3166), such as CN.")],
    timezone: Annotated[str, typer.Option(help="IANA name, such as Asia/Shanghai.")],
    locale: Annotated[str, typer.Option(help="en, zh-Hans, vi or tr.")],
    kind: Annotated[str, typer.Option(help="factory, school or centre.")] = "factory",
) -> None:
    """Create a site; a repeat changes nothing, other particulars under the same name are refused."""
    from services.core.people.programme import actions, queries
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        programme_row = await queries.programme_named(work, programme)
        made = await actions.create_site(
            work, OPERATOR, programme_row, name=name, country=country, timezone=timezone, locale=locale, kind=kind
        )
        return made.is_new

    _say(name, is_new=cli_run.in_one_transaction(chore))


@site_commands.command("name-outside")
def name_site_outside(
    name: str,
    programme: Annotated[
        str | None, typer.Option(help="Required when two programmes have a site of this name.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Name it no more in such files.")] = False,
) -> None:
    """Let files for brands and the public name a site, with the factory's agreement; by default they do not."""
    from services.core.people.programme import actions, queries
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        site = await queries.site_named(work, name, programme)
        return await actions.name_outside(work, OPERATOR, site, named=not off)

    changed = cli_run.in_one_transaction(chore)
    outcome = "not named" if off else "named"
    print(f"{name.strip()}: {outcome} in files for brands and the public{'' if changed else ' already'}.")


@site_commands.command("list")
def list_sites() -> None:
    """List every site with its cohorts."""
    from services.core.people.programme import queries

    async def chore(work: UnitOfWork) -> list[tuple[str, ...]]:
        return [
            (
                programme.name, site.name, site.country, site.timezone, site.locale,
                ", ".join(cohort.name for cohort in await queries.cohorts_of(work, site)),
            )
            for programme, site in await queries.all_sites(work)
        ]  # fmt: skip

    cli_run.print_table(
        ("programme", "site", "country", "time zone", "language", "cohorts"), cli_run.in_one_transaction(chore)
    )


@site_commands.command("notice")
def site_notice(
    site: str,
    file: Annotated[
        Path | None, typer.Option(help="JSON with the fields to state; without it, show what is stated.")
    ] = None,
    programme: OfProgramme = None,
) -> None:
    """Show or state who is responsible for the data at a site; families read it before their first consent."""
    from dataclasses import asdict

    from services.core.people.privacy_notices import actions
    from services.core.people.privacy_notices.queries import stated_notice
    from services.core.people.privacy_notices.rules import missing_fields
    from services.core.people.programme import queries
    from services.core.platform.audit.actions import OPERATOR

    details = None if file is None else _notice_in(file)

    async def chore(work: UnitOfWork) -> tuple[dict[str, Any], tuple[str, ...]]:
        place = await queries.site_named(work, site, programme)
        if details is not None:
            await actions.state_notice(work, OPERATOR, place, details)
        version, stated = await stated_notice(work, place.site_id)
        return {"version": version, **asdict(stated)}, missing_fields(stated, place.country)

    stated, missing = cli_run.in_one_transaction(chore)
    print(json.dumps(stated, ensure_ascii=False, indent=2))
    print(f"missing: {', '.join(missing)}" if missing else "complete")


def _notice_in(file: Path) -> NoticeDetails:
    """Return the details in a JSON file; unknown fields and other types are refused."""
    from dataclasses import fields

    from pydantic import TypeAdapter, ValidationError

    from services.core.people.privacy_notices.rules import NoticeDetails

    try:
        raw = cli_run.read_file(file)
        details = TypeAdapter(NoticeDetails).validate_json(raw)
    except ValidationError as error:
        lines = tuple(
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors(include_url=False)
        )
        raise cli_run.OperatorError("notice_malformed", f"{file}: this is not a notice.", lines) from None
    unknown = sorted(json.loads(raw).keys() - {field.name for field in fields(NoticeDetails)})
    if unknown:
        lines = tuple(f"{name}: this field is unknown" for name in unknown)
        raise cli_run.OperatorError("notice_malformed", f"{file}: this is not a notice.", lines)
    return details


@cohort_commands.command("create")
def create_cohort(
    name: str,
    site: Annotated[str, typer.Option(help="The site it belongs to.")],
    programme: OfProgramme = None,
    starts_on: Day = None,
    ends_on: Day = None,
) -> None:
    """Create a cohort of a site; a repeat changes nothing."""
    from services.core.people.programme import actions, queries
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        made = await actions.create_cohort(
            work, OPERATOR, await queries.site_named(work, site, programme), name=name,
            starts_on=starts_on.date() if starts_on else None, ends_on=ends_on.date() if ends_on else None,
        )  # fmt: skip
        return made.is_new

    _say(name, is_new=cli_run.in_one_transaction(chore))


@staff_commands.command("create")
def create_staff(
    email: str,
    name: Annotated[str, typer.Option(help="How colleagues know the person.")],
    role: Annotated[str, typer.Option(help="factory, coordinator, staff, manager or admin.")],
    employed_by_factory: Annotated[
        bool,
        typer.Option("--employed-by-factory/--not-employed-by-factory", help="If so, the role can only be factory."),
    ],
    phone: Annotated[str | None, typer.Option(help="Required: gets the first password by text.")] = None,
    programme: Annotated[
        str | None, typer.Option(help="Serves every site of this programme, or its site --site alone.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Serves this site alone.")] = None,
) -> None:
    """Create a staff account; repeat with another scope to add that scope.

    The first password is sent to the phone, is shown to nobody, and works once within 24 hours.
    """
    from services.core.people.programme import queries
    from services.core.people.programme.errors import ScopeNeededError
    from services.core.people.staff_accounts import actions
    from services.core.people.staff_accounts.errors import StaffPhoneNeededError
    from services.core.platform.audit.actions import OPERATOR

    if programme is None and site is None:
        raise ScopeNeededError
    if phone is None:
        raise StaffPhoneNeededError

    async def chore(work: UnitOfWork) -> actions.NewStaff:
        place = await queries.site_named(work, site, programme) if site is not None else None
        return await actions.create_staff(
            work, OPERATOR, email=email, display_name=name, role=role, phone=phone, site=place,
            programme=await queries.programme_named(work, programme or "") if place is None else None,
            employed_by_factory=employed_by_factory,
        )  # fmt: skip

    made = cli_run.in_one_transaction(chore)
    if made.is_new:
        print(f"{made.staff.email}: created. {_ON_ITS_WAY}")
    elif made.scope_is_new:
        print(f"{made.staff.email}: now serves {site or programme} as well. The password is unchanged.")
    else:
        print(f"{made.staff.email}: exists already; nothing was changed.")


@staff_commands.command("reset")
def reset_staff(
    email: str,
    phone: Annotated[
        str | None, typer.Option(help="A new number of theirs; it also ends what stood behind the account.")
    ] = None,
) -> None:
    """Send a new first password and require a new authenticator app; every session ends."""
    from services.core.people.staff_accounts import actions
    from services.core.people.staff_accounts.errors import StaffPhoneNeededError
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> None:
        if await actions.reset_staff(work, OPERATOR, email, phone=phone) is not None:
            # An account of before, without a number: its password would be shown here.
            raise StaffPhoneNeededError

    cli_run.in_one_transaction(chore)
    print(f"{email}: reset. {_ON_ITS_WAY}")


@staff_commands.command("end")
def end_staff(email: str) -> None:
    """End an account for good: every session ends at once; a repeat changes nothing."""
    from services.core.people.staff_accounts import actions
    from services.core.platform.audit.actions import OPERATOR

    async def chore(work: UnitOfWork) -> bool:
        return await actions.end_staff(work, OPERATOR, email)

    print(f"{email}: ended." if cli_run.in_one_transaction(chore) else f"{email}: has ended already.")


def _say(name: str, *, is_new: bool) -> None:
    print(f"{name.strip()}: created." if is_new else f"{name.strip()}: is there already; nothing was changed.")
