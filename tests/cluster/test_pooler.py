"""API, worker, bridge and broker behind a real PgBouncer: a family speaks both ways, texts and voice messages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.devstack.installation import Installation
from services.devstack.postgres import LocalPostgres
from services.protocol.words import Codec
from tests.e2e.conftest import Play, pair
from tests.support.checker import Conversation
from tests.support.pgbouncer import pooled
from tests.support.ports import claimed_ports

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

DEADLINE_S = 240.0
# Fewer than the processes hold: each transaction gets whichever is free.
SERVER_CONNECTIONS = 6
CLIPS = [record_clip(speech(1.0 + number / 4, number), Codec.AMR_NB) for number in range(3)]


@pytest_asyncio.fixture(params=["prepared", "unprepared"], loop_scope="session")
async def play(request: pytest.FixtureRequest) -> AsyncIterator[Play]:
    """Everything on one machine, with a pooler between the processes and Postgres."""
    prepared = request.param == "prepared"
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-pooled-"))
    os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the server's own user passes through it
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = ending.enter_context(LocalPostgres(folder / "postgres"))
        claim_port = ending.enter_context(claimed_ports())
        pooler = ending.enter_context(
            pooled(postgres.dsn(), claim_port, prepared=prepared, connections=SERVER_CONNECTIONS)
        )
        overrides = {
            "database_url": pooler.url, "database_direct_url": postgres.dsn(),
            "migration_database_url": postgres.owner_dsn(), "database_prepared_statements": str(prepared).lower(),
        }  # fmt: skip
        installation = ending.enter_context(Installation.acquire(folder / "var", "pooled", overrides=overrides))
        installation.wait_ready(DEADLINE_S)
        database = Database(
            pooler.url, vault=Vault(installation.settings["master_key"]), direct_url=postgres.dsn(), prepares=prepared
        )
        yield Play(installation, database, folder)
        await database.close()


async def test_a_family_speaks_both_ways_behind_a_pooler(play: Play) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch, deadline_s=DEADLINE_S)
        for number in range(3):
            await asyncio.gather(
                talk.parent_writes([f"down {number}"]), talk.child_writes([f"up {number}"]),
            )  # fmt: skip
            await asyncio.gather(talk.parent_speaks(CLIPS[number:][:1]), talk.child_speaks(CLIPS[number:][:1]))
        # The lease of uplinks is held past the pooler: after a kill the next process takes it over.
        await asyncio.to_thread(play.installation.kill, "bridge")
        await asyncio.gather(talk.parent_writes(["after the kill"]), talk.child_writes(["after the kill"]))
        await talk.check()
