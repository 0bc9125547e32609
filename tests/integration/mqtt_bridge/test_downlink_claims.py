"""A bridge publishes with no transaction open, and what a killed bridge had noted as sent is published by the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.pairing.waiting import drop_idle
from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.actions import greet_watches, notify_watch
from services.core.platform.outbox.tables import OutboxRow
from services.mqtt_bridge import downlink
from services.mqtt_bridge.downlink import CLAIM_LEASE, KINDS
from services.mqtt_bridge.due import Due, messages_of
from tests.support.clock import FakeClock
from tests.support.round_trips import round_trips
from tests.support.watch import DEADLINE_S, Stand
from tests.support.world import Home


@pytest.fixture(autouse=True)
async def _nothing_waits(stand: Stand) -> None:
    """A row that another test left would be the first one here, or be waited for without an end."""
    async with stand.database.begin() as work:
        await work.run(text("DELETE FROM outbox"))


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
            # The row of the message is first, and has nothing to send before the watch is greeted.
            ahead = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE)
            assert await messages_of(work, ahead, stand.settings) == ([(ahead[0], [])], [])
            await outbox.settle_all(work, ahead)
        async with stand.database.begin() as work:
            rows = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE)
            assert [row.target for row in rows] == [worn.username]
            # Killed here: noted as sent, and not published.
            [(_, killed)], _ = await messages_of(work, rows, stand.settings)
            assert {message.topic.split("/")[4] for message in killed} >= {"time", "item"}
        assert "one" not in str([row.payload for row in await _rows(stand)]), "content waits sealed"
        clock.advance(seconds=CLAIM_LEASE.total_seconds())
        async with stand.bridge():
            assert (await watch.hears("time"))["tst"] == int(clock.now.timestamp()), "the time of now, not of then"
            item = await watch.hears("item")
            assert item["text"] == "one"


async def _settle_all_watches(work: UnitOfWork) -> None:
    """Have every watch online with its lists, and nothing queued."""
    await work.run(
        text(
            "UPDATE watch_identity SET online = true, contacts_acked_version = contact_list.version,"
            " config_acked_version = watch_settings.version FROM watch_settings JOIN contact_list USING (child_id)"
            " WHERE watch_identity.child_id = watch_settings.child_id"
        )
    )
    await work.run(text("DELETE FROM outbox"))


async def test_a_greeted_watch_for_which_nothing_waits_costs_no_claim_of_its_own(stand: Stand) -> None:
    """Rows are dropped by one statement, except where a list or a message waits, or a killed bridge noted something."""
    idle, other, ended, noted = [await stand.home() for _ in range(4)]
    async with stand.database.begin() as work:
        # They hold their lists, except for the other one.
        await _settle_all_watches(work)
        await work.run(
            text("UPDATE watch_identity SET ended_at = issued_at WHERE username = :name"),
            {"name": ended[1].username},
        )
        await greet_watches(work, [worn.username for _, worn in (idle, other, ended, noted)])
        await work.run(
            text("UPDATE outbox SET payload = payload || CAST(:more AS jsonb) WHERE target = :name"),
            {"more": '{"sealed": "00"}', "name": noted[1].username},
        )
    await _send(stand, other[0], "one")
    async with stand.database.begin() as work:
        greetings = await outbox.claim_greetings(work, lease=CLAIM_LEASE, rows_max=10)
        assert len(greetings) == 4
        assert await outbox.claim_greetings(work, lease=CLAIM_LEASE, rows_max=10) == []
        # What a bridge that is stopped gives back is due at once.
        await outbox.release_greetings(work, greetings)
        assert await outbox.claim_greetings(work, lease=CLAIM_LEASE, rows_max=10) == greetings
        left = await drop_idle(work, greetings)
        assert {row.username for row in left} == {other[1].username, noted[1].username}
        await outbox.settle_greetings(work, left)
    rows = await _rows(stand)
    assert sorted(row.target for row in rows) == sorted([other[1].username] * 2 + [noted[1].username])
    assert {(row.attempts, row.claimed_until, "greet" in row.payload) for row in rows} == {(0, None, False)}
    async with stand.database.begin() as work:
        # No bridge could ever send what this row is said to hold.
        await work.run(text("DELETE FROM outbox"))


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


async def test_a_row_that_comes_while_its_watch_is_claimed_waits_for_no_poll(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimers leave it; the one that has claimed the watch looks again. Without such a row it does not."""
    monkeypatch.setattr(downlink, "POLL_S", 10 * DEADLINE_S)
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
                await notify_watch(work, worn.username)
        finally:
            os.kill(stand.broker.pid, signal.SIGCONT)
        assert (await watch.hears("item"))["text"] == "one"
        async with asyncio.timeout(DEADLINE_S):
            while await _rows(stand):  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.01)


async def test_several_watches_share_a_claim_and_one_that_fails_holds_up_no_other(
    stand: Stand, clock: FakeClock
) -> None:
    homes = [await stand.home() for _ in range(4)]
    async with stand.database.begin() as work:
        await _settle_all_watches(work)
    for home, _ in homes:
        await _send(stand, home, "one")

    async def claim(work: UnitOfWork) -> list[Due]:
        rows = await outbox.claim_in_order(work, KINDS, lease=CLAIM_LEASE, rows_max=16)
        due, postponed = await messages_of(work, rows, stand.settings)
        assert postponed == []
        return due

    with contextlib.suppress(ZeroDivisionError):
        # Prepares the statements, and is rolled back.
        async with stand.database.begin() as work:
            await claim(work)
            raise ZeroDivisionError
    with round_trips(stand.database) as trips:
        async with stand.database.begin() as work:
            due = await claim(work)
    assert [row.target for row, _ in due] == [worn.username for _, worn in homes]
    assert [message.topic.split("/")[4] for _, messages in due for message in messages] == ["item"] * 4
    # Five for all of them, BEGIN and COMMIT; one for the item of each.
    assert len(trips.statements) <= 7 + 4, "\n".join(trips.statements)
    async with stand.database.begin() as work:
        await outbox.release_all(work, [row for row, _ in due])
        # No bridge can send what this row is said to hold.
        await work.run(
            text("UPDATE outbox SET payload = CAST(:bad AS jsonb) WHERE target = :name"),
            {"bad": '{"sealed": "00"}', "name": homes[1][1].username},
        )
    async with contextlib.AsyncExitStack() as watches:
        heard = [
            await watches.enter_async_context(stand.watch(worn.username, worn.password))
            for _, worn in (homes[0], homes[2], homes[3])
        ]
        async with stand.bridge():
            for watch in heard:
                assert (await watch.hears("item"))["text"] == "one"
            async with asyncio.timeout(DEADLINE_S):
                # The row that fails stays, deferred.
                while len(rows := await _rows(stand)) > 1 or rows[0].attempts == 0:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.01)
    assert rows[0].target == homes[1][1].username
    assert rows[0].available_at > clock.now
    async with stand.database.begin() as work:
        # No bridge could ever send what this row is said to hold.
        await work.run(text("DELETE FROM outbox"))
