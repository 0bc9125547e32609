"""The lock of an uplink's identity checks the lease of its reader by the same statement."""

from __future__ import annotations

import asyncio

import pytest

from services.core.devices.watches.queries import lock_standing_identities
from services.core.platform.db.database import Database
from services.core.platform.leases.actions import HeldLease, LeaseLostError, hold_lease, new_holder
from tests.support.statements import statements
from tests.support.world import make_home, wear

_DEADLINE_S = 20
_WAITS = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


async def test_the_holder_locks_those_that_stand_and_whoever_was_followed_none(database: Database) -> None:
    worn = await wear(database, await make_home(database))
    async with hold_lease(database, "fenced-identities", new_holder()) as lease:
        async with database.begin() as work:
            with statements() as sent:
                assert [*await lock_standing_identities(work, ["nobody", worn.username], lease)] == [worn.username]
            assert len(sent) == 1
            assert await lock_standing_identities(work, ["nobody"], lease) == {}
        earlier = HeldLease(lease.name, lease.token - 1)
        for username in (worn.username, "nobody"):
            async with database.begin() as work:
                with pytest.raises(LeaseLostError):
                    await lock_standing_identities(work, [username], earlier)
        assert earlier.lost.is_set()
        assert not lease.lost.is_set()


async def test_nobody_follows_a_holder_before_the_end_of_its_transaction(database: Database) -> None:
    worn = await wear(database, await make_home(database))
    # Its time is over when the transaction begins; until somebody follows, the token counts.
    lease = HeldLease("fenced-follower", 1)

    async def follow() -> int:
        async with hold_lease(database, lease.name, new_holder()) as followed:
            return followed.token

    assert await follow() == lease.token
    async with database.begin() as work:
        assert [*await lock_standing_identities(work, [worn.username], lease)] == [worn.username]
        following = asyncio.create_task(follow())
        async with asyncio.timeout(_DEADLINE_S):
            while not (await work.fetch(_WAITS))[0][0]:  # noqa: ASYNC110 - Postgres has no event for it
                await asyncio.sleep(0.01)
        assert not following.done()
    assert await following == lease.token + 1
