"""Outbox rows: the most urgent first, each effect outside any transaction, and a killed consumer's claim runs out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import delete, text
from sqlmodel import col, select

from services.core.platform.db.database import Database
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.actions import greet_watches, notify_watch, send_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import SmsText
from services.core.platform.outbox.tables import OutboxRow
from services.worker.consumer import OutboxConsumer
from services.worker.sms import SEND_DEADLINE_S, sms_loops
from services.worker.sms_providers.router import Attempt
from services.worker.wake_ups import WakeUps
from tests.support.clock import FakeClock
from tests.support.round_trips import round_trips

LEASE = timedelta(seconds=15)
PHONE = "+8613800138000"


class Gateway:
    """A provider of text messages whose answers the test decides; remembers the texts it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.message_ids: list[str] = []
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_asked = asyncio.Event()

    async def send(
        self, phone: str, content: SmsText, message_id: str, *, urgency: Urgency = Urgency.NORMAL, attempt: int = 1
    ) -> list[Attempt]:
        assert (phone, content.locale, attempt > 0, urgency in Urgency) == (PHONE, "en", True, True)
        self.texts.append(content.text)
        self.message_ids.append(message_id)
        self.was_asked.set()
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return [Attempt("file")]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def _empty(database: Database) -> AsyncIterator[None]:
    async with database.begin() as work:
        await work.run(delete(OutboxRow))
    yield


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def sender(database: Database, gateway: Gateway) -> OutboxConsumer:
    return sms_loops(database, gateway, WakeUps(database))[-1]


@pytest.fixture
def sos_sender(database: Database, gateway: Gateway) -> OutboxConsumer:
    return sms_loops(database, gateway, WakeUps(database))[0]


async def _queue(database: Database, words: str, urgency: Urgency = Urgency.NORMAL) -> None:
    async with database.begin() as work:
        await send_sms(work, PHONE, SmsText("notice", {}, "en", words), urgency=urgency)


async def _rows(database: Database) -> list[OutboxRow]:
    async with database.begin() as work:
        return list(await work.session.exec(select(OutboxRow)))


async def test_an_sos_goes_before_codes_and_codes_before_the_rest(
    database: Database, clock: FakeClock, sender: OutboxConsumer, gateway: Gateway
) -> None:
    for words, urgency in (("notice", Urgency.NORMAL), ("code", Urgency.LOG_IN_CODE), ("sos", Urgency.SOS)):
        await _queue(database, words, urgency)
        clock.advance(seconds=1)
    while await sender.consume_one():
        pass
    assert gateway.texts == ["sos", "code", "notice"]
    assert await _rows(database) == []


async def test_a_gateway_that_hangs_takes_every_sender_but_the_one_for_sos(
    database: Database, sender: OutboxConsumer, sos_sender: OutboxConsumer, gateway: Gateway
) -> None:
    await _queue(database, "notice")
    gateway.may_answer.clear()
    hanging = asyncio.create_task(sender.consume_one())
    await gateway.was_asked.wait()
    gateway.may_answer.set()
    await _queue(database, "code", Urgency.LOG_IN_CODE)
    assert not await sos_sender.consume_one()
    await _queue(database, "sos", Urgency.SOS)
    assert await sos_sender.consume_one()
    assert gateway.texts == ["notice", "sos"]
    await hanging


async def test_no_transaction_is_open_while_a_gateway_thinks(
    database: Database, sender: OutboxConsumer, gateway: Gateway
) -> None:
    await _queue(database, "notice")
    gateway.may_answer.clear()
    sending = asyncio.create_task(sender.consume_one())
    await gateway.was_asked.wait()
    async with database.begin() as work:
        others = await work.run(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
            )
        )
        assert others.scalar_one() == 0
        # Neither is the row locked: an erasure may delete it meanwhile.
        await work.run(text("SELECT 1 FROM outbox FOR UPDATE NOWAIT"))
    gateway.may_answer.set()
    assert await sending
    assert await _rows(database) == []


async def test_the_claim_of_a_killed_consumer_runs_out_and_another_one_sends(
    database: Database, clock: FakeClock, sender: OutboxConsumer, gateway: Gateway
) -> None:
    await _queue(database, "notice")
    async with database.begin() as work:
        # The state left by a consumer that was killed during its effect.
        assert await outbox.claim(work, ("sms",), lease=LEASE) is not None
    assert not await sender.consume_one()
    clock.advance(seconds=LEASE.total_seconds())
    assert await sender.consume_one()
    assert gateway.texts == ["notice"]


async def test_what_fails_comes_again_later_each_time_and_a_late_failure_disturbs_no_newer_claim(
    database: Database, clock: FakeClock, sender: OutboxConsumer, gateway: Gateway
) -> None:
    await _queue(database, "notice")
    gateway.error = RuntimeError(f"{PHONE} is not served")
    for pause_s in (1, 2, 4):
        assert await sender.consume_one()
        assert not await sender.consume_one()
        clock.advance(seconds=pause_s)
    # The provider recognises a repeat by its id.
    assert len({*gateway.message_ids}) == 1
    async with database.begin() as work:
        late = await outbox.claim(work, ("sms",), lease=LEASE)
    assert late is not None
    clock.advance(seconds=LEASE.total_seconds())
    async with database.begin() as work:
        newer = await outbox.claim(work, ("sms",), lease=LEASE)
    assert newer is not None
    async with database.begin() as work:
        await outbox.defer(work, late)
    (row,) = await _rows(database)
    assert (row.claimed_until, row.attempts) == (newer.claimed_until, newer.attempts) == (newer.claimed_until, 5)


async def test_a_graceful_stop_lets_a_message_that_was_handed_over_be_recorded(
    database: Database, sender: OutboxConsumer, gateway: Gateway
) -> None:
    await _queue(database, "notice")
    gateway.may_answer.clear()
    sending = asyncio.create_task(sender.consume_one())
    await gateway.was_asked.wait()
    sending.cancel()
    asyncio.get_running_loop().call_soon(gateway.may_answer.set)
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await _rows(database) == []


async def test_rows_of_one_watch_are_never_claimed_at_once_and_keep_their_order(
    database: Database, clock: FakeClock
) -> None:
    async with database.begin() as work:
        await notify_watch(work, "w-one", back=True)
        await notify_watch(work, "w-one")
        await notify_watch(work, "w-two")

    async def claim(rows_max: int) -> list[OutboxRow]:
        async with database.begin() as work:
            return await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=rows_max)

    claims = await asyncio.gather(*(claim(rows_max) for rows_max in (1, 3, 2, 3, 1, 3)))
    claimed = [row for rows in claims for row in rows]
    assert sorted(row.target for row in claimed) == ["w-one", "w-two"]
    first = next(row for row in claimed if row.target == "w-one")
    assert first.payload == {"back": True}
    async with database.begin() as work:
        await outbox.settle(work, first)
    (second,) = await claim(3)
    assert (second.target, second.payload) == ("w-one", {})
    clock.advance(seconds=LEASE.total_seconds())


async def test_who_settles_rows_hears_of_a_second_row_of_the_watch_and_not_of_what_is_claimed_or_due_later(
    database: Database, clock: FakeClock
) -> None:
    """The second row was notified when its watch had a claimed one: nobody is woken for it again."""
    async with database.begin() as work:
        await notify_watch(work, "w-one", back=True)
        await notify_watch(work, "w-one")
    async with database.begin() as work:
        claimed = await outbox.claim_in_order(work, ("watch",), lease=LEASE, rows_max=3)
    async with database.begin() as work:
        assert not await outbox.settle_and_look(work, [], ("factory",))
        assert await outbox.settle_and_look(work, claimed, ("watch",))
    async with database.begin() as work:
        claimed = await outbox.claim_in_order(work, ("watch",), lease=LEASE, rows_max=3)
        assert [row.payload for row in claimed] == [{}]
    async with database.begin() as work:
        assert not await outbox.settle_and_look(work, [], ("watch",))
    clock.advance(seconds=LEASE.total_seconds())
    async with database.begin() as work:
        # The claim has ended by time, and the row is another consumer's as soon as it asks.
        assert await outbox.settle_and_look(work, [], ("watch",))
        await outbox.defer(work, claimed[0])
    async with database.begin() as work:
        assert not await outbox.settle_and_look(work, claimed, ("watch",))


async def test_a_message_is_not_behind_the_watches_that_said_hello_before(database: Database) -> None:
    async with database.begin() as work:
        await greet_watches(work, [f"w-{number}" for number in range(20)])
        await notify_watch(work, "w-message")
    async with database.begin() as work:
        (row,) = await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE)
        assert row.target == "w-message"
    async with database.begin() as work:
        (row,) = await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE)
        assert row.target == "w-0"


async def test_a_row_is_left_while_another_consumer_is_about_to_claim_an_earlier_row_of_its_watch(
    database: Database,
) -> None:
    async with database.begin() as work:
        await notify_watch(work, "w-one", back=True)
        await notify_watch(work, "w-one")
        await notify_watch(work, "w-two")
    earliest = select(OutboxRow).order_by(col(OutboxRow.outbox_id)).limit(1).with_for_update()
    async with database.begin() as other:
        # The first step of a claim: the row is locked and not yet marked.
        (await other.session.exec(earliest)).one()
        async with database.begin() as work:
            (claimed,) = await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=3)
            assert claimed.target == "w-two"
            assert await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=3) == []


async def test_a_claim_of_many_takes_the_first_row_of_each_watch_in_their_order(database: Database) -> None:
    async with database.begin() as work:
        await greet_watches(work, ["w-three", "w-one"])
        for username in ("w-one", "w-two", "w-one"):
            await notify_watch(work, username)
    async with database.begin() as work:
        claimed = await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=10)
        assert [(row.target, row.attempts) for row in claimed] == [("w-one", 1), ("w-two", 1), ("w-three", 1)]
        assert claimed[0].payload == {}
        assert await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=10) == []
        await outbox.release_all(work, claimed[1:])
        await outbox.settle_all(work, claimed[:1])
    async with database.begin() as work:
        claimed = await outbox.claim_in_order(work, ("watch", "factory"), lease=LEASE, rows_max=2)
        # The second row of the first watch stands behind the others, which were there before.
        assert [(row.target, row.attempts) for row in claimed] == [("w-two", 1), ("w-one", 1)]


def test_the_deadline_of_an_effect_ends_before_its_claim(sender: OutboxConsumer) -> None:
    assert sender.lease.total_seconds() > SEND_DEADLINE_S


async def test_a_claim_is_one_round_trip_and_so_is_its_end(database: Database) -> None:
    async def consume() -> tuple[OutboxRow | None, OutboxRow | None]:
        async with database.begin() as work:
            await send_sms(work, PHONE, SmsText("notice", {}, "en", "one"))
        async with database.begin() as work:
            row = await outbox.claim(work, ("sms",), lease=LEASE)
        assert row is not None
        async with database.begin() as work:
            nothing = await outbox.claim(work, ("sms",), lease=LEASE)
        async with database.begin() as work:
            await outbox.settle(work, row)
        return row, nothing

    # Prepares the statements.
    await consume()
    with round_trips(database) as trips:
        row, nothing = await consume()
        # The driver tells of a statement in the next turn of the loop.
        await asyncio.sleep(0)
    assert (row is None, nothing) == (False, None)
    # Three for the row that is queued.
    assert len(trips.statements) == 3 + 3, "\n".join(trips.statements)
