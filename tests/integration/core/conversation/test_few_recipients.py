"""Reads that ask for few rows find them by an index, however many messages a family has.

A plan of a small table says nothing, so sequential scans are forbidden: an index whose condition the statement does not
imply cannot be used even then. The plans are generic ones, as a prepared statement gets after its first executions.
"""

from __future__ import annotations

import re

import asyncpg
import pytest

from services.core.conversation import first_screen
from services.core.conversation.messages import announcing, queries
from services.core.pairing import waiting

STATEMENTS = {
    "recipient_unread": [first_screen._CHILDREN._compiled[0]],  # noqa: SLF001 - the text that is prepared
    "message_voice_of_child": [first_screen._CHILDREN._compiled[0]],  # noqa: SLF001
    "recipient_untold": [announcing.UNTOLD_OF_WATCH, waiting._DROP_IDLE, waiting._WAITING],  # noqa: SLF001
    "recipient_unconfirmed": [announcing.FORGET_UNCONFIRMED],
}


# Messages with their recipients, a row each.
SHOWN = {
    "page": queries._PAGE, "changes": queries._CHANGED_PAGE, "message": queries._ONE,  # noqa: SLF001
    "children": first_screen._CHILDREN, "children of one family": first_screen._CHILDREN_OF_ONE,  # noqa: SLF001
}  # fmt: skip


async def plan_of(connection: asyncpg.Connection, statement: str) -> str:
    """Return the plan for all values."""
    await connection.execute(f"PREPARE asked AS {statement}")
    nulls = ", ".join(["NULL"] * max(map(int, re.findall(r"\$(\d+)", statement))))
    lines = await connection.fetch(f"EXPLAIN EXECUTE asked ({nulls})")
    await connection.execute("DEALLOCATE asked")
    return "\n".join(line for (line,) in lines)


@pytest.mark.parametrize("index", STATEMENTS)
async def test_a_statement_reads_the_few_rows_of_its_index(database_url: str, index: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for statement in STATEMENTS[index]:
            assert index in await plan_of(connection, statement), statement
    finally:
        await connection.close()


@pytest.mark.parametrize("name", SHOWN)
async def test_recipients_are_looked_up_message_by_message(database_url: str, name: str) -> None:
    """Whatever Postgres expects of a page: joined, the recipients of all families would be read, 100 ms of them."""
    connection = await asyncpg.connect(database_url)
    try:
        # Joins in any other way are preferred where there is one.
        await connection.execute(
            "SET enable_seqscan = off; SET enable_nestloop = off; SET plan_cache_mode = force_generic_plan"
        )
        plan = await plan_of(connection, SHOWN[name]._compiled[0])  # noqa: SLF001
        scans = re.findall(r"using (\w+) on message_recipient\b.*\n(.*)", plan)
        assert "recipient_once" in dict(scans)
        # Counts of what is unread read the few rows of their index.
        others = [condition for index, condition in scans if index != "recipient_unread"]
        assert all("Index Cond: (" in condition and "message_id = " in condition for condition in others), plan
    finally:
        await connection.close()
