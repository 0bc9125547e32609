"""One poll a process wakes the consumers whose work is due; a consumer that finds work wakes the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest_asyncio
from sqlalchemy import delete
from sqlmodel import select

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.tables import OutboxRow
from services.worker.consumer import BatchConsumer, Consumption, OutboxConsumer, Outcome
from services.worker.pulse import Pulse
from services.worker.supervisor import Loop
from services.worker.wake_ups import WakeUps
from tests.support.clock import FakeClock
from tests.support.round_trips import round_trips

DEADLINE_S = 60.0


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def _empty(database: Database) -> AsyncIterator[None]:
    async with database.begin() as work:
        await work.run(delete(OutboxRow))
    yield


def _row(work: UnitOfWork, kind: str, target: str) -> OutboxRow:
    return OutboxRow(kind=kind, target=target, created_at=work.now, available_at=work.now)


async def test_a_poll_wakes_for_rows_that_are_due_and_for_nothing_else(database: Database, clock: FakeClock) -> None:
    wake_ups = WakeUps(database)
    is_due = False

    async def poll(_: UnitOfWork) -> bool:
        return is_due

    push, sms, other = wake_ups.subscribe("push"), wake_ups.subscribe("sms"), wake_ups.subscribe(is_due=poll)

    async def woken() -> list[bool]:
        await wake_ups.poll()
        states = [wake_up.is_set for wake_up in (push, sms, other)]
        for wake_up in (push, sms, other):
            if wake_up.is_set:
                await wake_up.wait()
        return states

    assert await woken() == [False, False, False]
    async with database.begin() as work:
        work.add(_row(work, "push", "a"))
    assert await woken() == [True, False, False]
    async with database.begin() as work:
        claimed = await outbox.claim(work, ("push",), lease=timedelta(seconds=5))
        assert claimed is not None
    is_due = True
    assert await woken() == [False, False, True]
    clock.advance(seconds=5)
    assert await woken() == [True, False, True]
    async with database.begin() as work:
        claimed = await outbox.claim(work, ("push",), lease=timedelta(seconds=5))
        assert claimed is not None
        await outbox.defer(work, claimed)
    is_due = False
    assert await woken() == [False, False, False]
    clock.advance(minutes=5)
    assert await woken() == [True, False, False]
    with round_trips(database) as trips:
        await wake_ups.poll()
        await asyncio.sleep(0)  # the turn in which the driver tells of its statements
    assert len(trips.statements) == 1


async def test_one_notification_wakes_as_many_consumers_as_there_are_rows(database: Database) -> None:
    """Three effects that wait for each other: one consumer alone would never end."""
    wake_ups = WakeUps(database)
    together = asyncio.Barrier(3)

    async def meet(_: OutboxRow) -> Outcome:
        await together.wait()
        return Outcome.DONE

    wake_up = wake_ups.subscribe("push")
    consumption = Consumption(("push",), DEADLINE_S, meet)
    loops: list[Loop] = [wake_ups]
    loops += [OutboxConsumer(f"push_{number}", database, consumption, wake_up) for number in range(4)]
    running = [asyncio.create_task(loop.run(Pulse(loop.name, DEADLINE_S))) for loop in loops]
    try:
        async with asyncio.timeout(DEADLINE_S):
            async with database.begin() as work:
                work.add(*(_row(work, "push", name) for name in "abc"))
                work.notify(outbox.CHANNEL, "push")
            while await _targets(database):
                pass
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_a_batch_is_one_transaction_and_one_bad_row_of_it_waits_alone(database: Database) -> None:
    written: list[list[str]] = []

    async def write(_: UnitOfWork, rows: Sequence[OutboxRow]) -> None:
        targets = [row.target for row in rows]
        written.append(targets)
        if "bad" in targets:
            raise ValueError(targets)

    loop = BatchConsumer("events", database, ("wake",), write, WakeUps(database).subscribe("wake"))
    async with database.begin() as work:
        work.add(*(_row(work, "wake", name) for name in ("a", "b")))
    with round_trips(database) as trips:
        assert await loop.consume_some()
    assert (written, await _targets(database)) == ([["a", "b"]], [])
    assert [statement.split(" ")[0].strip(";") for statement in trips.statements] == ["BEGIN", "DELETE", "COMMIT"]
    async with database.begin() as work:
        work.add(*(_row(work, "wake", name) for name in ("c", "bad", "d")))
    assert await loop.consume_some()
    assert written[1:] == [["c", "bad", "d"], ["c"], ["bad"], ["d"]]
    assert await _targets(database) == ["bad"]
    # Deferred, so that it is not tried without a pause.
    assert not await loop.consume_some()


async def _targets(database: Database) -> list[str]:
    async with database.begin() as work:
        return list(await work.session.exec(select(OutboxRow.target)))
