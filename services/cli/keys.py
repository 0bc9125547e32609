"""`smartwatch keys`: which master keys are still needed, and wrapping everything under the newest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.core.platform.db.database import Database

Outcome = TypeVar("Outcome")

key_commands = typer.Typer(
    name="keys", help="Master keys: which are in use, and how to rotate them.", no_args_is_help=True
)
# Shown for values from before keys had ids.
_NO_ID = "(without id)"


@key_commands.command("status")
def status() -> None:
    """Show how many values each master key seals; a key that seals none may be removed."""
    in_database(show_status)


@key_commands.command("rotate")
def rotate() -> None:
    """Wrap every child's key under the newest master key; a repeat changes nothing."""

    async def run(database: Database) -> int:
        from services.core.people.households.child_key import children_by_master_key, rewrap_children

        counted = await children_by_master_key(database)
        waiting = counted.total() - counted[database.vault.newest_key_id]
        with cli_run.progress_of("wrapping keys", waiting) as progress:
            outcome = await rewrap_children(database, progress)
        print(f"{outcome.done} keys are wrapped under {database.vault.newest_key_id} now.")
        await show_status(database)
        return outcome.unopened.total()

    if unopened := in_database(run):
        raise cli_run.OperatorError(
            "master_key_missing",
            f"{unopened} keys could not be unwrapped and are unchanged: restore their master key.",
        )


async def show_status(database: Database) -> None:
    """Print how many values each master key seals, and which of the configured keys seal none."""
    from services.core.pairing.sealed import pairing_by_master_key
    from services.core.people.households.child_key import children_by_master_key
    from services.core.platform.outbox.sealed import sealed_rows_by_master_key

    async with database.begin() as work:
        pairings, waiting = await pairing_by_master_key(work), await sealed_rows_by_master_key(work)
        shorter = {"pairing (a day)": pairings, "text messages": waiting}
    counted = {"children": await children_by_master_key(database), **shorter}
    vault = database.vault
    needed = sum(counted.values(), Counter())
    others = [key_id for key_id in needed if key_id not in vault.key_ids]
    cli_run.print_table(
        ("master key", *counted, "is"),
        [
            (key_id or _NO_ID, *(str(counts[key_id]) for counts in counted.values()), _what_it_is(database, key_id))
            for key_id in (*vault.key_ids, *others)
        ],
    )
    old = needed.total() - needed[vault.newest_key_id]
    print(
        f"{old} still need another key than {vault.newest_key_id}."
        if old
        else f"Nothing needs another key than {vault.newest_key_id}: the others may be removed."
    )


def _what_it_is(database: Database, key_id: str) -> str:
    if key_id == database.vault.newest_key_id:
        return "the newest: it seals"
    if key_id in database.vault.key_ids:
        return "there: it opens"
    return "any that opens" if not key_id else "MISSING"


def in_database(chore: Callable[[Database], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """Run a chore of many short transactions on the configured database."""
    settings = cli_run.load_settings()
    cli_run.need_database(settings)
    from services.core.platform.db.database import Database

    async def run() -> Outcome:
        database = Database.of(settings)
        try:
            return await chore(database)
        finally:
            await database.close()

    return asyncio.run(run())
