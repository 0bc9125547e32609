"""Reads that ask for few rows find them by an index, however many messages a family has.

A plan of a small table says nothing, so sequential scans are forbidden: an index whose condition the statement does not
imply cannot be used even then. The plans are generic ones, as a prepared statement gets after its first executions.
"""

from __future__ import annotations

import re

import asyncpg
import pytest

from services.core.conversation import first_screen
from services.core.conversation.messages import announcing
from services.core.pairing import waiting

STATEMENTS = {
    "recipient_unread": [first_screen._CHILDREN._compiled[0]],  # noqa: SLF001 - the text that is prepared
    "message_voice_of_child": [first_screen._CHILDREN._compiled[0]],  # noqa: SLF001
    "recipient_untold": [announcing.UNTOLD_OF_WATCH, waiting._DROP_IDLE, waiting._WAITING],  # noqa: SLF001
    "recipient_unconfirmed": [announcing.FORGET_UNCONFIRMED],
}


@pytest.mark.parametrize("index", STATEMENTS)
async def test_a_statement_reads_the_few_rows_of_its_index(database_url: str, index: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for number, statement in enumerate(STATEMENTS[index]):
            await connection.execute(f"PREPARE asked_{number} AS {statement}")
            nulls = ", ".join(["NULL"] * max(map(int, re.findall(r"\$(\d+)", statement))))
            lines = await connection.fetch(f"EXPLAIN EXECUTE asked_{number} ({nulls})")
            assert index in "\n".join(line for (line,) in lines), statement
    finally:
        await connection.close()
