"""One holder at a time, and no transaction of an earlier one commits, however long its process stood still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.leases.actions import HeldLease, LeaseLostError, check_lease, hold_lease, new_holder
from services.core.platform.leases.tables import Lease

DEADLINE_S = 60.0


async def test_a_second_holder_waits_until_the_first_lets_go(database: Database) -> None:
    order = []

    async def second() -> None:
        async with hold_lease(database, "turns", new_holder()) as lease:
            order.append(("second", lease.token))

    async with hold_lease(database, "turns", new_holder()) as lease:
        waiting = asyncio.create_task(second())
        order.append(("first", lease.token))
        async with database.begin() as work:
            await check_lease(work, lease)
        assert not waiting.done()
    async with asyncio.timeout(DEADLINE_S):
        await waiting
    assert order == [("first", 1), ("second", 2)]


async def test_one_that_is_not_renewed_is_followed_and_its_transactions_fail(database: Database) -> None:
    frozen = await _frozen_holder(database, "frozen")
    async with asyncio.timeout(DEADLINE_S), hold_lease(database, "frozen", new_holder()) as follower:
        assert follower.token == frozen.token + 1
        with pytest.raises(LeaseLostError):
            async with database.begin() as work:
                await check_lease(work, frozen)
        assert frozen.lost.is_set()
        async with database.begin() as work:
            await check_lease(work, follower)


async def test_nobody_follows_before_the_transactions_of_the_holder_have_ended(database: Database) -> None:
    holder = await _frozen_holder(database, "fenced")
    async with database.begin() as work:
        await check_lease(work, holder)
        following = asyncio.create_task(_hold_once(database, "fenced"))
        await _until_somebody_waits(database)
        assert not following.done()
    async with asyncio.timeout(DEADLINE_S):
        assert await following == holder.token + 1


@pytest.mark.parametrize("prepares", [False, True])
async def test_postgres_ends_the_transaction_of_a_process_that_stands_still(
    database: Database, database_url: str, *, prepares: bool
) -> None:
    frozen = Database(database_url, vault=database.vault, idle_in_transaction_s=1)
    try:
        with pytest.raises(Exception, match=r".") as ended:  # noqa: PT012 - the block is the transaction
            async with frozen.begin() as work:
                await work.run(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('lease/still', 0))"))
                if prepares:
                    # The driver ends this exchange with the execution, which does not come: Postgres waits for it.
                    pooled = await (await work.session.connection()).get_raw_connection()
                    assert pooled.driver_connection is not None
                    await pooled.driver_connection.prepare("SELECT 1")
                async with asyncio.timeout(DEADLINE_S):
                    assert await _hold_once(database, "still") >= 1
                await work.run(text("SELECT 1"))
        # What the driver says depends on how much of the end it has read.
        assert is_database_unavailable(ended.value)
    finally:
        await frozen.close()


async def test_a_holder_whose_connection_ended_goes_on_under_its_token(database: Database) -> None:
    async with hold_lease(database, "again", new_holder(), ttl_s=2) as lease:
        async with database.begin() as work:
            await work.run(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        renewed = "SELECT expires_at > clock_timestamp() + interval '1 second' FROM lease WHERE name = 'again'"
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(3):
                await asyncio.sleep(1)
                async with database.begin() as work:
                    await check_lease(work, lease)
            while not await _holds(database, renewed):  # noqa: ASYNC110 - Postgres has no event for it
                await asyncio.sleep(0.05)
        assert not lease.lost.is_set()


async def test_a_holder_learns_that_it_was_followed(database: Database) -> None:
    async with hold_lease(database, "followed", new_holder()) as lease:
        async with database.begin() as work:
            await work.run(text("UPDATE lease SET token = token + 1, holder = 'another' WHERE name = 'followed'"))
        async with asyncio.timeout(DEADLINE_S):
            await lease.lost.wait()


async def _holds(database: Database, question: str) -> bool:
    async with database.begin() as work:
        return bool((await work.run(text(question))).scalar_one())


async def _hold_once(database: Database, name: str) -> int:
    async with hold_lease(database, name, new_holder()) as lease:
        return lease.token


async def _frozen_holder(database: Database, name: str) -> HeldLease:
    """Return the lease of a holder that renews no more, as a frozen process looks to the others."""
    async with database.begin() as work:
        expired_at = datetime.now(UTC) - timedelta(seconds=1)
        work.add(Lease(name=name, holder="frozen", token=7, expires_at=expired_at))
    return HeldLease(name, 7)


async def _until_somebody_waits(database: Database) -> None:
    async with asyncio.timeout(DEADLINE_S):
        waiting = 0
        while not waiting:
            async with database.begin() as work:
                counted = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
                waiting = (await work.run(text(counted))).scalar_one()
