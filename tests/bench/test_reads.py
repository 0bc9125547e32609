"""What a phone reads often, in CPU of the API, against the same checks and rows by bare asyncpg."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.bench.lean_reads import LeanReads
from tests.bench.ratios import measure_ratio
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.places import may_look, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO

TEXTS = 51
# 1.5 times what was measured on a busy machine; the latest place records the look, which the baseline does not.
BARS = {"history": 5.6, "children": 6.5, "sync": 6.0, "latest place": 10.5}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> Parent:
    """A mother with a page of messages, a watch and a place."""
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await may_look(parent)
    identity = await pair(parent, place, since=LONG_AGO)
    async with database.begin() as work:
        await receive_fixes(work, [sent(identity.username, clock.now)])
    for number in range(TEXTS):
        await parent.send(f"number {number}")
    return parent


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lean(database_url: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The baseline."""
    [key] = [secret.get_secret_value().encode() for secret in settings.token_keys.values()]
    connection = await asyncpg.connect(database_url)
    transport = httpx.ASGITransport(LeanReads(connection, key))
    async with httpx.AsyncClient(transport=transport, base_url="http://lean.test") as client:
        yield client
    await connection.close()


@pytest.mark.parametrize("row", BARS)
async def test_a_read_costs_a_few_times_the_bare_rows(parent: Parent, lean: httpx.AsyncClient, row: str) -> None:
    cursor = (await parent.told("GET", "/v1/sync"))["cursor"]
    paths = {
        "history": f"{parent.child}/messages", "children": f"{parent.family}/children",
        "sync": f"/v1/sync?since={cursor}", "latest place": f"{parent.child}/checkins/latest",
    }  # fmt: skip
    of = parent.child_id if row in {"history", "latest place"} else parent.family_id

    async def ours() -> None:
        await parent.told("GET", paths[row])

    async def baseline() -> None:
        (await lean.get(f"/{row}/{of}", headers=parent.headers)).raise_for_status()

    for _ in range(5):
        await ours()
        await baseline()
    ratio = await measure_ratio(f"CPU of {row}", ours, "bare rows", baseline, rounds=40, clock=time.process_time)
    assert ratio.times < BARS[row]
