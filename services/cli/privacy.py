"""`smartwatch privacy`: apply the ledger of erasures, decide about contested rights."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.platform.db.database import UnitOfWork
    from services.core.platform.settings import Settings

privacy_commands = typer.Typer(name="privacy", help="Erasures and contested rights.", no_args_is_help=True)


@privacy_commands.command("replay")
def replay() -> None:
    """Repeat the erasures of the ledger on a restored database; no process serves before. A repeat changes nothing."""
    settings = cli_run.load_settings()
    cli_run.need_database(settings)
    print(f"{replay_ledger(settings)} erasures repeated.")


def replay_ledger(settings: Settings) -> int:
    """Apply the ledger to the configured database and return the number of erasures."""
    from services.core.platform.opened_ledger import open_ledger

    if not open_ledger(settings).read():
        return 0  # known before the areas are loaded, which takes most of the time of a start's `db upgrade`
    from services.core.platform.db.database import Database
    from services.core.privacy.erasure.replay import replay as repeat

    async def run() -> int:
        database = Database.of(settings)
        try:
            return await repeat(database, open_ledger(settings))
        finally:
            await database.close()

    return asyncio.run(run())


@privacy_commands.command("contests")
def contests() -> None:
    """List the contested rights without a decision: ids only."""
    from services.core.privacy.queries import open_contests

    async def chore(work: UnitOfWork) -> list[tuple[str, ...]]:
        return [
            (str(contest.contest_id), str(contest.family_id), str(contest.raised_by), str(contest.about_id),
             contest.right, contest.raised_at.isoformat(timespec="minutes"))
            for contest in await open_contests(work)
        ]  # fmt: skip

    rows = cli_run.in_one_transaction(chore)
    cli_run.print_table(("contest", "family", "raised by", "about", "right", "since"), rows)


@privacy_commands.command("settle")
def settle(
    contest: Annotated[uuid.UUID, typer.Argument(help="The id of the contest.")],
    uphold: Annotated[bool, typer.Option("--uphold/--dismiss", help="Revoke the right, or keep it.")],
) -> None:
    """Decide about a contested right and notify the family. A repeat changes nothing."""
    from services.core.platform.audit.actions import OPERATOR
    from services.core.privacy.contests.actions import settle_contest

    async def chore(work: UnitOfWork) -> str:
        return (await settle_contest(work, OPERATOR, contest, uphold=uphold)).state

    print(f"{contest}: {cli_run.in_one_transaction(chore)}")
