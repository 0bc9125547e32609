"""`smartwatch surveys`: questions, answers before and after, and what changed. Impact, apart from usage."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.office.surveys.rules import Question
    from services.core.platform.db.database import UnitOfWork

survey_commands = typer.Typer(name="surveys", help="Surveys of families before and after.", no_args_is_help=True)
Of = Annotated[str, typer.Option("--programme", help="The programme of the survey.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Validate everything and change nothing.")]


@survey_commands.command("define")
def define(
    name: str,
    questions: Annotated[Path, typer.Argument(help="CSV or XLSX: question, kind, label; least, most.")],
    programme: Of,
    dry_run: DryRun = False,
) -> None:
    """Create a survey or add questions to it; a repeat changes nothing."""
    from services.core.office.surveys.actions import define_survey
    from services.core.office.surveys.rules import read_questions
    from services.core.people.programme.queries import programme_named
    from services.core.platform.audit.actions import OPERATOR

    with cli_run.faults_in(questions):
        rows = read_questions(cli_run.read_file(questions))

    async def chore(work: UnitOfWork) -> int:
        return await define_survey(work, OPERATOR, await programme_named(work, programme), name, rows)

    count = cli_run.in_one_transaction(chore, dry_run=dry_run)
    if dry_run:
        print("Dry run, nothing was changed. The result would be:")
    print(f"{count} new questions, {len(rows) - count} unchanged.")


@survey_commands.command("names")
def names(
    name: str,
    programme: Of,
    out: Annotated[Path, typer.Option(help="The CSV to write: family_code and pseudonym.")],
    site: Annotated[str | None, typer.Option(help="Only this site's families.")] = None,
) -> None:
    """Write the families by code with their pseudonyms; interviewers get the pseudonyms alone."""
    from services.core.office.surveys.queries import Named, names_in, survey_named
    from services.core.people.programme.queries import programme_named, site_named

    async def chore(work: UnitOfWork) -> list[Named]:
        asked_by = await programme_named(work, programme)
        at_site = None if site is None else (await site_named(work, site, programme)).site_id
        return await names_in(work, await survey_named(work, asked_by, name), at_site)

    families = cli_run.in_one_transaction(chore)
    lines = ["family_code,pseudonym", *(f"{family.family_code},{family.pseudonym}" for family in families)]
    cli_run.write_file(out, "\r\n".join([*lines, ""]).encode("utf-8-sig"))
    print(f"{out}: {len(families)} families.")


@survey_commands.command("import")
def import_(
    name: str,
    answers: Annotated[
        Path,
        typer.Argument(
            help="CSV or XLSX: family_code (or name in the survey), wave, a column a question; or question, answer."
        ),
    ],
    programme: Of,
    correct: Annotated[bool, typer.Option("--correct", help="Replace answers that are stored already.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Import answers: the whole list, or nothing when a row is rejected; a repeat changes nothing."""
    from services.core.office.surveys.actions import take_answers
    from services.core.office.surveys.queries import questions_of, survey_named
    from services.core.office.surveys.rules import read_answers
    from services.core.people.programme.queries import programme_named
    from services.core.platform.audit.actions import OPERATOR

    async def load_questions(work: UnitOfWork) -> dict[str, Question]:
        return await questions_of(work, await survey_named(work, await programme_named(work, programme), name))

    questions = cli_run.in_one_transaction(load_questions)
    with cli_run.faults_in(answers):
        listed = read_answers(cli_run.read_file(answers), questions)
    with cli_run.faults_in(answers), cli_run.progress_of("taking", len(listed.answers)) as progress:

        async def chore(work: UnitOfWork) -> int:
            survey = await survey_named(work, await programme_named(work, programme), name)
            return await take_answers(work, OPERATOR, survey, listed, correct=correct, progress=progress)

        count = cli_run.in_one_transaction(chore, dry_run=dry_run)
    if dry_run:
        print("Dry run, nothing was changed. The result would be:")
    print(f"{count} answers read. Those of families that have agreed to measurement are stored.")


@survey_commands.command("publish")
def publish(name: str, programme: Of, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Publish the reports of every site and of the programme; no answer is added or changed after that."""
    from services.core.office.surveys.publishing import Publishable, publish_survey, publishable
    from services.core.office.surveys.queries import survey_named
    from services.core.people.programme.queries import programme_named
    from services.core.platform.audit.actions import OPERATOR

    async def count(work: UnitOfWork) -> Publishable | None:
        survey = await survey_named(work, await programme_named(work, programme), name)
        return None if survey.published_at else await publishable(work, survey)

    included = cli_run.in_one_transaction(count)
    if included is not None and not yes:
        warning = (
            f"{name} holds answers before and after of {included.pairs} families or more. Published, it cannot be "
            "changed."
        )
        if not sys.stdin.isatty():
            raise cli_run.OperatorError("survey_not_confirmed", f"{warning} Run it again with --yes.")
        typer.confirm(f"{warning} Publish it?", abort=True)

    async def chore(work: UnitOfWork) -> bool:
        survey = await survey_named(work, await programme_named(work, programme), name)
        return await publish_survey(work, OPERATOR, survey, confirm=None if included is None else included.confirm)

    done = cli_run.in_one_transaction(chore)
    print(f"{name}: published." if done else f"{name}: was published already; nothing was changed.")


@survey_commands.command("report")
def report(
    name: str,
    programme: Of,
    site: Annotated[str | None, typer.Option(help="Only this site's families.")] = None,
) -> None:
    """Print the change between the waves in matched pairs with 95 % intervals; fewer than five pairs are suppressed."""
    from services.core.office.surveys.queries import report_of, survey_named
    from services.core.people.programme.queries import programme_named, site_named

    async def chore(work: UnitOfWork) -> list[dict[str, Any]]:
        asked_by = await programme_named(work, programme)
        scope_id = asked_by.programme_id if site is None else (await site_named(work, site, programme)).site_id
        return await report_of(work, await survey_named(work, asked_by, name), scope_id)

    results = cli_run.in_one_transaction(chore)
    if not results:
        raise cli_run.OperatorError(
            "survey_not_published", "There is no report yet: run `smartwatch surveys publish` first."
        )
    heading = ("question", "pairs", "before", "after", "difference", "bootstrap", "p", "lost")
    cli_run.print_table(heading, [_row(result) for result in results])


def _row(result: Mapping[str, Any]) -> tuple[str, ...]:
    if result["suppressed"]:
        return (result["question"], "not told", *[""] * 6)
    lost = result["attrition"] and result["attrition"]["lost_share"]
    return (
        result["question"], str(result["matched"]), _estimate(result["before"]), _estimate(result["after"]),
        _estimate(result["difference"]) if result["difference"] else "", _interval(result["bootstrap"]),
        "" if result["p_value"] is None else f"{result['p_value']:.2f}", _estimate(lost),
    )  # fmt: skip


def _estimate(estimate: Mapping[str, Any] | None) -> str:
    return "not told" if estimate is None else f"{estimate['value']:.2f} {_interval(estimate['interval'])}".strip()


def _interval(interval: Mapping[str, float] | None) -> str:
    return "" if interval is None else f"[{interval['low']:.2f}, {interval['high']:.2f}]"
