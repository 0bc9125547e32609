"""A real PgBouncer in transaction mode: units of work go through it, locks and notifications past it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.tables import Message
from services.core.platform.db.database import Database
from services.core.platform.leases.actions import hold_lease, new_holder
from services.core.platform.settings import Settings
from tests.support.pgbouncer import pooled
from tests.support.world import make_home, wear

AT_ONCE = 5
SERVER_CONNECTIONS = 2
HEARD_WITHIN_S = 30.0


@pytest_asyncio.fixture(params=["prepared", "unprepared"], loop_scope="session")
async def through_pooler(
    request: pytest.FixtureRequest, settings: Settings, claim_port: Callable[[], int]
) -> AsyncIterator[Database]:
    """The product's database as docs/cluster.md sets it up, with fewer connections to the server than of ours."""
    prepared = request.param == "prepared"
    with pooled(settings.database_url, claim_port, prepared=prepared, connections=SERVER_CONNECTIONS) as pooler:
        ours = settings.model_copy(
            update={
                "database_url": pooler.url, "database_direct_url": settings.database_url,
                "database_prepared_statements": prepared,
            }
        )  # fmt: skip
        database = Database.of(ours, idle_in_transaction_s=20)
        yield database
        await database.close()


async def test_actions_and_reads_share_few_connections(through_pooler: Database) -> None:
    async def one_family() -> set[int]:
        """Go through the product's statements of every kind; return the server connections that answered."""
        home = await make_home(through_pooler)
        await wear(through_pooler, home)
        servers = set()
        for number in range(4):
            async with through_pooler.begin() as work:
                await send_to_child(work, home.child_id, home.guardian_id, f"key-{number}", text_body(f"Text {number}"))
            async with through_pooler.begin() as work:
                # Outside of a transaction, where statements are prepared.
                servers |= {pid for (pid,) in await work.read("SELECT pg_backend_pid() WHERE $1::int = 7", 7)}
        async with through_pooler.begin() as work:
            rows = await work.session.exec(select(Message).where(col(Message.child_id) == home.child_id))
            assert len(rows.all()) == 4
        return servers

    servers = set().union(*await asyncio.gather(*(one_family() for _ in range(AT_ONCE))))
    # More than one, or the pooler was not tried; and never more than it has.
    assert 1 < len(servers) <= SERVER_CONNECTIONS


async def test_notifications_locks_and_leases_go_past_it(through_pooler: Database) -> None:
    async with through_pooler.listen("a_channel_of_a_test") as notifications:
        async with through_pooler.begin() as work:
            work.notify("a_channel_of_a_test", "payload")
        heard = await notifications.next(HEARD_WITHIN_S)
        assert heard is not None
        assert heard.payload == "payload"
    # A pooler would give both to the same server connection, one after the other, and both would be held.
    async with (
        through_pooler.try_lock("a lock of a test") as first,
        through_pooler.try_lock("a lock of a test") as second,
    ):
        assert (first, second) == (True, False)
    async with hold_lease(through_pooler, "a lease of a test", new_holder()) as lease:
        assert not lease.lost.is_set()
