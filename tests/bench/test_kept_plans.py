"""What phones read often is planned once a connection: planning the first screen takes ten times as long as reading it.

A prepared statement whose plan for values looks cheaper than the one for all values is planned at each execution, by
what Postgres knows of the tables. So there are families enough that its estimates matter, and statistics of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.postgres import LocalPostgres
from tests.bench.end_to_end.crowd import Person, make_crowd, token
from tests.bench.end_to_end.grow import add_newest
from tests.support.application import application
from tests.support.sounds import encoded
from tests.support.talk import Talk

FAMILIES = 300
# Postgres compares the plan for all values with those of five executions.
EXECUTIONS = 8
CLIP = encoded("amr-nb", 2.0)
READS: dict[str, Callable[[Person], str]] = {
    "home": lambda _: "/v1/home",
    "history": lambda of: f"/v1/children/{of.child_id}/messages",
    "changes": lambda of: f"/v1/children/{of.child_id}/messages?changed_after=2026-03-02T18:00:00Z",
    "children": lambda of: f"/v1/families/{of.family_id}/children",
    "sync": lambda _: "/v1/sync",
    "latest place": lambda of: f"/v1/children/{of.child_id}/checkins/latest",
    "places of all children": lambda _: "/v1/checkins/latest",
    "unread": lambda _: "/v1/unread",
    "me": lambda _: "/v1/me",
}  # fmt: skip
PLANNED_ANEW = "SELECT statement FROM pg_prepared_statements WHERE custom_plans >= $1 AND generic_plans = 0"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(settings: Settings, postgres: LocalPostgres) -> list[Person]:
    """Families with a page of messages each."""
    owner_url = postgres.superuser_dsn(settings.database_url.rpartition("/")[2])
    database = Database.of(settings)
    people = await make_crowd(database, owner_url, FAMILIES)
    await add_newest(database, owner_url, people)
    await database.close()
    connection = await asyncpg.connect(owner_url)
    await connection.execute("ANALYZE")
    await connection.close()
    return people


@pytest.mark.parametrize("read", READS)
async def test_a_read_keeps_its_plans(settings: Settings, people: list[Person], read: str) -> None:
    keys = ",".join(f"{key_id}:{secret.get_secret_value()}" for key_id, secret in settings.token_keys.items())
    # One new connection: it executes every statement, and has planned none for another read.
    database = Database(settings.database_url, vault=Vault(settings.master_key.get_secret_value()), pool_size=1)
    with application(settings, database) as app:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
            for person in people[:EXECUTIONS]:
                headers = {"Authorization": f"Bearer {token(person, keys)}"}
                (await client.get(READS[read](person), headers=headers)).raise_for_status()
    async with database.begin() as work:
        assert await work.read(PLANNED_ANEW, EXECUTIONS) == []
    await database.close()


async def test_a_recording_on_its_way_to_a_watch_keeps_its_plans(
    settings: Settings, people: list[Person], transcoder: Transcoder
) -> None:
    """The claim, the fetches and the receipt of the bridge, and what the request of the sender writes."""
    database = Database.of(settings.model_copy(update={"database_pool_size": 1}))
    sending = replace(transcoder, database=database)
    for person in people[:EXECUTIONS]:
        talk = Talk(database, settings, person.username)
        await talk.hello()
        await send_voice_to_child(sending, person.child_id, person.guardian_id, new_ref(), CLIP)
        ref = (await talk.send())[person.username]["topic"].partition("/")[2]
        await talk.say(person.username, "fetch", ref=ref, **{"from": 0, "count": 1})
        await talk.say(person.username, "fetch", ref=ref, **{"from": 1, "count": 1})
        assert await talk.receipts([ref], "delivered") == ["stored"]
    async with database.begin() as work:
        planned = await work.read(PLANNED_ANEW, EXECUTIONS)
    await database.close()
    assert not planned, "\n".join(" ".join(statement.split()) for (statement,) in planned)
