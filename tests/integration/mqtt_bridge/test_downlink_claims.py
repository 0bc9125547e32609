"""A bridge publishes with no transaction open, and what a killed bridge had noted as sent is published by the next."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid

from sqlalchemy import text
from sqlmodel import select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.actions import greet_watches
from services.core.platform.outbox.tables import OutboxRow
from services.mqtt_bridge.downlink import CLAIM_LEASE, KINDS, messages_of
from tests.support.clock import FakeClock
from tests.support.watch import DEADLINE_S, Stand
from tests.support.world import Home


async def _send(stand: Stand, home: Home, words: str) -> None:
    async with stand.database.begin() as work:
        await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body(words))


async def _rows(stand: Stand) -> list[OutboxRow]:
    async with stand.database.begin() as work:
        return list(await work.session.exec(select(OutboxRow).where(OutboxRow.kind == "watch")))


async def test_what_a_killed_bridge_noted_and_did_not_publish_is_published_by_the_next(
    stand: Stand, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    async with stand.watch(worn.username, worn.password) as watch:
        async with stand.bridge():
            await watch.hello()
            await watch.leaves_until("config")
            while await _rows(stand):  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.01)
        async with stand.database.begin() as work:
            await greet_watches(work, [worn.username])
        await _send(stand, home, "one")
        async with stand.database.begin() as work:
            row = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE)
            assert row is not None
            assert row.target == worn.username
            # Killed here: noted as sent, and not published.
            killed = await messages_of(work, row, stand.settings)
            assert {one.topic.split("/")[4] for one in killed} >= {"time", "item"}
        assert "one" not in str([row.payload for row in await _rows(stand)]), "content waits sealed"
        clock.advance(seconds=CLAIM_LEASE.total_seconds())
        async with stand.bridge():
            assert (await watch.hears("time"))["tst"] == int(clock.now.timestamp()), "the time of now, not of then"
            item = await watch.hears("item")
            assert item["text"] == "one"


async def test_a_broker_that_does_not_answer_holds_up_no_transaction(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.leaves_until("config")
        assert stand.broker.pid is not None
        os.kill(stand.broker.pid, signal.SIGSTOP)
        try:
            await _send(stand, home, "one")
            async with asyncio.timeout(DEADLINE_S):
                while not any(row.claimed_until for row in await _rows(stand)):  # noqa: ASYNC110 - a row has no event
                    await asyncio.sleep(0.01)
            async with stand.database.begin() as work:
                others = await work.run(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
                    )
                )
                assert others.scalar_one() == 0
                await work.run(
                    text("SELECT 1 FROM watch_identity WHERE username = :u FOR UPDATE NOWAIT"), {"u": worn.username}
                )
        finally:
            os.kill(stand.broker.pid, signal.SIGCONT)
        assert (await watch.hears("item"))["text"] == "one"
