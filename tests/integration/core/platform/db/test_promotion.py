"""A primary with a synchronous standby: the primary is killed, the standby promoted, and the processes find it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.doctor_postgres import servers
from tests.integration.broker.waiting import becomes_true
from tests.support.own_server import OwnServer
from tests.support.standby import Pair, primary_and_standby

PROMOTED_WITHIN_S = 60.0


@pytest.fixture
def pair(claim_port: Callable[[], int]) -> Iterator[Pair]:
    with primary_and_standby(claim_port) as pair:
        yield pair


async def test_after_the_promotion_every_confirmed_row_is_there_and_writing_goes_on(
    pair: Pair, settings: Settings
) -> None:
    database = Database(pair.url(), vault=Vault.of(settings))
    try:
        async with database.begin() as work:
            await work.fetch("CREATE TABLE said (number integer PRIMARY KEY)")
        for number in range(20):
            async with database.begin() as work:
                await work.fetch("INSERT INTO said VALUES ($1)", number)
        async with database.listen("broker_users"):
            pass
        await asyncio.to_thread(pair.lose_primary)

        async def goes_on() -> bool:
            try:
                async with database.begin() as work:
                    await work.fetch("INSERT INTO said VALUES (100) ON CONFLICT DO NOTHING")
                    return True
            except Exception:  # noqa: BLE001 - whatever the driver says of a server that is gone
                return False

        await becomes_true(goes_on, PROMOTED_WITHIN_S)
        async with database.begin() as work:
            said = [number for (number,) in await work.fetch("SELECT number FROM said ORDER BY number")]
        assert said == [*range(20), 100]
    finally:
        await database.close()


async def test_a_standby_that_is_behind_lets_nothing_be_confirmed(pair: Pair, settings: Settings) -> None:
    database = Database(pair.url(), vault=Vault.of(settings))
    try:
        async with database.begin() as work:
            await work.fetch("CREATE TABLE said (number integer PRIMARY KEY)")
        assert [finding.ok for finding in await servers(pair.url())] == [True]
        pair.standby.freeze()

        async def say() -> None:
            async with database.begin() as work:
                await work.fetch("INSERT INTO said VALUES (1)")

        saying = asyncio.create_task(say())
        await becomes_true(lambda: waits_for_standby(pair.primary), PROMOTED_WITHIN_S)
        assert not saying.done()
        pair.primary.kill()
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver says of a server that is gone
            await saying
        pair.standby.thaw()
        await asyncio.to_thread(pair.standby.psql, "postgres", "SELECT pg_promote()")
        # The old primary returns with the row that was never confirmed, and would accept writes.
        await asyncio.to_thread(pair.primary.start)
        [finding] = await servers(pair.url())
        assert not finding.ok
        assert f"127.0.0.1:{pair.primary.port} has returned with old data" in finding.what
    finally:
        await database.close()


async def test_a_standby_that_commits_do_not_wait_for_is_named(pair: Pair) -> None:
    pair.commit_with_standby(wanted=False)

    async def is_named() -> bool:
        return [(finding.ok, finding.warns) for finding in await servers(pair.url())] == [(True, True)]

    await becomes_true(is_named, PROMOTED_WITHIN_S)
    pair.standby.kill()
    [finding] = await servers(pair.url())
    assert not finding.ok
    assert f"127.0.0.1:{pair.standby.port} is not reached" in finding.what


async def waits_for_standby(primary: OwnServer) -> bool:
    """Return whether a commit of the primary waits for its standby."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    return int(await asyncio.to_thread(primary.psql, "postgres", waiting)) > 0


async def test_without_prepared_statements_and_past_a_pooler(settings: Settings) -> None:
    """With the setting for an older PgBouncer each read has a transaction, and no statement outlives it."""
    ours = settings.model_copy(
        update={"database_prepared_statements": False, "database_direct_url": settings.database_url}
    )
    database = Database.of(ours)
    try:
        async with database.begin() as work:
            assert [tuple(row) for row in await work.read("SELECT $1::int", 7)] == [(7,)]
            kept = await work.fetch("SELECT name FROM pg_prepared_statements WHERE name LIKE '\\_\\_asyncpg%'")
            assert kept == []
            assert await work.fetch(
                "SELECT now() = transaction_timestamp() AND pg_current_xact_id_if_assigned() IS NULL"
            )
        async with database.listen("broker_users"), database.try_lock("a lock of a test") as is_held:
            assert is_held
    finally:
        await database.close()
