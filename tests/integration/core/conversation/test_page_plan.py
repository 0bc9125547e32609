"""A page of messages is planned once a connection, however many messages a child has.

To plan it takes longer than to read it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from services.core.conversation.messages import queries
from services.core.platform.db.database import Database
from services.devstack.postgres import LocalPostgres
from tests.support.world import make_home

PAGES = {"page": queries._PAGE, "changes": queries._CHANGED_PAGE}  # noqa: SLF001 - the text that is prepared
MANY_MESSAGES = """
INSERT INTO message (message_id, child_id, seq, direction, kind, guardian_id, ref, fingerprint, sealed_body,
                     received_at, expires_at)
SELECT gen_random_uuid(), $1, g, 'to_child', 'text', $2, 'r' || g, '', '', now(), now() FROM generate_series(1, 20000) g
"""
PLANNED = "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1"


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_keeps_its_plan_however_many_messages_a_child_has(
    database: Database, postgres: LocalPostgres, database_url: str, name: str
) -> None:
    """Of an unknown LIMIT Postgres expects a tenth of 20,000: each time a plan for a page of 50 would look cheaper."""
    home = await make_home(database)
    statement, names = PAGES[name]._compiled  # noqa: SLF001
    values = {
        "child_id": home.child_id, "guardian_id": home.guardian_id, "before_seq": 2**63 - 1, "limit": 51,
        "changed_after": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    connection = await asyncpg.connect(postgres.superuser_dsn(database_url.rpartition("/")[2]))
    try:
        await connection.execute(MANY_MESSAGES, home.child_id, home.guardian_id)
        await connection.execute("ANALYZE message")
        page = await connection.prepare(statement)
        for _ in range(8):
            assert len(await page.fetch(*(values[name] for name in names))) == 51
        [(custom, generic)] = await connection.fetch(PLANNED, statement)
    finally:
        await connection.close()
    assert (custom, generic) == (5, 3)
