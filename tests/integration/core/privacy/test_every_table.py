"""A row in every table there is, then the family is erased: what hangs on it is gone, also from tables yet to come."""

from __future__ import annotations

import uuid
from typing import Final

import httpx
import sqlalchemy
from sqlalchemy import Table, select
from sqlmodel import SQLModel, col

from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.database import Database
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import notify_watch, queue_push
from services.core.platform.outbox.tables import OutboxRow
from tests.support.canary import rows_with
from tests.support.filled_tables import Known, fill_table
from tests.support.http import make_family, make_place, pair

# Written by nobody but themselves.
UNTOUCHED: Final = {"audit", "audit_chain", "erasure", "erasure_ledger", "wipe_order", "outbox", "limit_bucket"}
# Where an erased family's ids may stand.
TRACES: Final = {"audit", "audit_chain", "erasure", "erasure_ledger", "wipe_order"}


def _hangs_on(table: Table, roots: set[str]) -> bool:
    """Tell whether rows of a table go with a family, a child or a guardian by way of their foreign keys."""
    return any(key.ondelete == "CASCADE" and key.column.table.name in roots for key in table.foreign_keys)


async def test_with_a_row_in_every_table_nothing_of_an_erased_family_is_left(
    client: httpx.AsyncClient, database: Database
) -> None:
    load_all_tables()
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    ids = {"family": str(mother.family_id), "child": mother.child_id, "guardian": mother.guardian_id}
    known: Known = {(name, f"{name}_id"): uuid.UUID(value) for name, value in ids.items()}
    for row in (place.site, place.cohort, identity):
        name = str(row.__class__.__tablename__)
        # Whatever else is there is found by it.
        known |= {(name, column): value for column, value in row.model_dump().items()}
    tables = [table for table in SQLModel.metadata.sorted_tables if table.name not in UNTOUCHED]
    async with database.begin() as work:
        for table in tables:
            await fill_table(work, table, known)
        assert mother.family_id is not None
        await notify_watch(work, identity.username)
        # Its fan-out to phones names the family.
        await record_event(work, mother.family_id, "programme.ends")
        for child_id in (mother.child_id, ""):
            note = {"kind": "message.received", "child_id": child_id, "family_id": ids["family"], "ref_id": ""}
            await queue_push(work, known["push_endpoint", "endpoint_id"], note)
    roots = set(ids)
    while more := {table.name for table in tables if table.name not in roots and _hangs_on(table, roots)}:
        roots |= more
    assert len(roots) > 40
    keys = {
        table.name: [(column, known[table.name, column.name]) for column in table.primary_key] for table in tables
    }  # fmt: skip

    async def is_there(name: str) -> bool:
        async with database.begin() as work:
            session = await work.session.connection()
            rows = await session.execute(select(1).where(*(column == value for column, value in keys[name])))
            return rows.first() is not None

    assert [name for name in sorted(roots) if not await is_there(name)] == []

    await mother.told("DELETE", mother.family, params={"confirm": "erase"})

    assert [name for name in sorted(roots) if await is_there(name)] == []
    for value in ids.values():
        assert set(await rows_with(database, value)) <= TRACES
    assert set(await rows_with(database, identity.username)) <= TRACES
    async with database.begin() as work:
        left = (await work.session.connection()).execute(sqlalchemy.select(col(OutboxRow.kind)))
        assert set((await left).scalars()) <= {"sms", "factory"}
    # The programme's own rows stay.
    assert [
        name for name in ("programme", "site", "cohort", "watch", "survey", "usage_cell") if not await is_there(name)
    ] == []
