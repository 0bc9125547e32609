"""A watch's message writes a narrow row of presence, at most once a minute, and never the identity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.presence.actions import HelloReport, record_seen
from services.core.devices.presence.queries import battery_now, last_seen_at
from services.core.devices.presence.rules import offline_after
from services.core.devices.watches.queries import standing_identity
from services.core.pairing.sweep import mark_one_silent_offline
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.uplinks import receive_hello
from tests.support.world import make_home, wear


async def _watch(database: Database, **fields: object) -> str:
    """Return the user name of a watch that has said hello."""
    worn = await wear(database, await make_home(database))
    async with database.begin() as work:
        await receive_hello(work, worn.username, HelloReport("n1", int(work.now.timestamp()), 0, 0, fields))
    return worn.username


async def _versions(database: Database, username: str) -> tuple[str, str]:
    """Return which transactions wrote the identity and its presence last."""
    statement = text(
        "SELECT i.xmin AS identity, p.xmin AS presence FROM watch_identity i "
        "JOIN watch_presence p USING (username) WHERE username = :name"
    )
    async with database.begin() as work:
        row = (await work.run(statement, {"name": username})).mappings().one()
        return str(row["identity"]), str(row["presence"])


async def _seen(database: Database, username: str) -> None:
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        assert identity is not None
        await record_seen(work, identity)


async def test_messages_write_no_identity_and_the_time_once_a_minute(database: Database, clock: FakeClock) -> None:
    username = await _watch(database)
    before = await _versions(database, username)
    for _ in range(5):
        clock.advance(seconds=11)
        await _seen(database, username)
    assert await _versions(database, username) == before
    clock.advance(seconds=5)
    await _seen(database, username)
    after = await _versions(database, username)
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    async with database.begin() as work:
        identity = await standing_identity(work, username)
        assert identity is not None
        assert last_seen_at(identity) == clock.now


async def test_a_battery_level_writes_the_presence_and_the_same_one_again_nothing(
    database: Database, clock: FakeClock
) -> None:
    username = await _watch(database, battery_pct=81)
    before = await _versions(database, username)
    for level, is_written in ((81, False), (80, True), (80, False)):
        async with database.begin() as work:
            identity = await standing_identity(work, username, lock=True)
            assert identity is not None
            await record_battery(work, identity, level)
            assert battery_now(identity).level_pct == level
        after = await _versions(database, username)
        assert (after[0] == before[0], after[1] != before[1]) == (True, is_written)
        before = after
        clock.advance(seconds=10)


async def test_no_index_holds_what_messages_write(database: Database) -> None:
    async with database.begin() as work:
        indexes = await work.run(
            text("SELECT indexdef FROM pg_indexes WHERE tablename IN ('watch_identity', 'watch_presence')")
        )
        defined = " ".join(index[0] for index in indexes.all())
    assert "pk_watch_presence" in defined
    assert "last_seen_at" not in defined
    assert "battery" not in defined


@pytest.mark.parametrize("keepalive_s", [60, 90, 119, 120, 600, 1200])
async def test_a_watch_that_keeps_its_promise_is_never_offline_and_one_that_does_not_is_soon(
    database: Database, clock: FakeClock, keepalive_s: int
) -> None:
    username = await _watch(database, keepalive_s=keepalive_s)

    async def is_online() -> bool:
        async with database.begin() as work:
            while await mark_one_silent_offline(work):
                pass
        async with database.begin() as work:
            identity = await standing_identity(work, username)
            assert identity is not None
            return identity.online

    # The second message comes within the minute and is not written; the third just within the promise.
    for wait_s in (59, keepalive_s - 1, keepalive_s - 1):
        clock.advance(seconds=wait_s)
        assert await is_online()
        await _seen(database, username)
    async with database.begin() as work:
        identity = await standing_identity(work, username)
        assert identity is not None
        stored_at = last_seen_at(identity)
    assert stored_at is not None
    clock.now = stored_at + offline_after(keepalive_s) - timedelta(seconds=1)
    assert await is_online()
    clock.advance(seconds=1)
    assert not await is_online()
