"""A fact costs a few look-ups, also while Postgres knows nothing about the sizes of the tables.

A new or a restored database has no statistics: Postgres then joins all rows where it may turn a condition into a join.
"""

from __future__ import annotations

import asyncpg
import pytest

from services.core.platform.db.prepared import unseen_arrays
from services.core.platform.facts import actions

# The text that is prepared.
_STATEMENT = unseen_arrays(actions._KEEP + actions._IF_MEASURED)  # noqa: SLF001
_VALUES = ["ARRAY[gen_random_uuid()]", "'{x}'", *["ARRAY[gen_random_uuid()]"] * 4, *["ARRAY[now()]"] * 2, "'{1}'"]
_EXECUTE = f"EXECUTE kept ({', '.join(_VALUES)})"
# Postgres plans the first executions for their values, and compares what that has cost.
_PLANNED_ANEW = 5
_LOOK_UPS = [
    "(watch_id = given.watch_id)",
    "(child_id = given.child_id)",
    "(family_id = given.family_id)",
    "((guardian_id = membership.guardian_id) AND (family_id = membership.family_id)",
]


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_each_condition_of_a_fact_is_a_look_up_by_key(database_url: str, plan: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        # A plan of a small table says nothing: with scans forbidden it shows which conditions an index serves.
        await connection.execute(
            f"SET enable_seqscan = off; SET plan_cache_mode = {plan}; PREPARE kept AS {_STATEMENT}"
        )
        lines = await connection.fetch(f"EXPLAIN {_EXECUTE}")
    finally:
        await connection.close()
    explained = "\n".join(line for (line,) in lines)
    assert [condition for condition in _LOOK_UPS if f"Index Cond: {condition}" not in explained] == [], explained
    assert "Join" not in explained, explained
    assert "hashed" not in explained, explained


async def test_a_fact_is_not_planned_anew_for_its_values(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"PREPARE kept AS {_STATEMENT}")
        for _ in range(2 * _PLANNED_ANEW):
            await connection.execute(_EXECUTE)
        planned = await connection.fetchval("SELECT custom_plans FROM pg_prepared_statements WHERE name = 'kept'")
    finally:
        await connection.close()
    assert planned == _PLANNED_ANEW
