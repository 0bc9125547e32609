"""Consumes outbox rows: claim and commit, make the effect with no transaction open, then settle or defer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog

from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.retrying import run_with_retries
from services.worker.pulse import Pulse
from services.worker.wake_ups import WakeUp

# A claim outlives the deadline of its effect by this: the time to record the outcome.
_MARGIN_S: Final = 5.0
# So long a process that is asked to end waits for an effect that has begun; an SMS cut off here would be sent again.
_STOP_GRACE_S: Final = 8.0
# Rows whose effects are written together, and how long that may take.
_BATCH_ROWS: Final = 100
_BATCH_DEADLINE_S: Final = 20.0
# Beside the deadline a step may wait this long for a database that is away.
_SILENCE_MARGIN_S: Final = 60.0

log = structlog.get_logger()


class Outcome(StrEnum):
    """Outcome of an effect."""

    DONE = "done"
    LATER = "later"
    SOON = "soon"  # urgent, and surely not made
    RECORDED = "recorded"  # the handler has settled or deferred the row itself


_CONCLUSIONS: Final[Mapping[Outcome, Callable[[UnitOfWork, OutboxRow], Awaitable[None]]]] = {
    Outcome.DONE: outbox.settle,
    Outcome.LATER: outbox.defer,
    Outcome.SOON: outbox.defer_briefly,
}


@dataclass(frozen=True)
class Noted:
    """An outcome, not ``recorded``, and what is written in the transaction that settles or defers the row."""

    outcome: Outcome
    write: Callable[[UnitOfWork], Awaitable[None]]


@dataclass(frozen=True)
class Consumption:
    """Declaration of a consumer: its kinds, the deadline of one effect in seconds, and the effect itself."""

    kinds: Collection[str]
    deadline_s: float
    handle: Callable[[OutboxRow], Awaitable[Outcome | Noted]]
    at_least: Urgency = Urgency.NORMAL


class BatchConsumer:
    """A loop whose effects are rows of this database: it settles many rows and writes their effects at once."""

    silence_max_s = _BATCH_DEADLINE_S + _SILENCE_MARGIN_S

    def __init__(
        self,
        name: str,
        database: Database,
        kinds: Collection[str],
        write: Callable[[UnitOfWork, Sequence[OutboxRow]], Awaitable[object]],
        wake_up: WakeUp,
    ) -> None:
        self.name = name
        self._database = database
        self._kinds = kinds
        self._write = write
        self._wake_up = wake_up

    async def run(self, pulse: Pulse) -> None:
        """Consume until cancelled."""
        while True:
            pulse.beat()
            # Less than a full batch was all: a row that was committed later wakes by a notification of its own.
            while await self.consume_some() == _BATCH_ROWS:
                pulse.beat()
            pulse.record_success(self.name)
            await self._wake_up.wait()

    async def consume_some(self) -> int:
        """Work on due rows in one transaction; return how many there were, up to a full batch.

        Where that fails the rows are tried one by one, and those that fail again are deferred.
        """
        taken: list[OutboxRow] = []
        try:
            await self._consume(_BATCH_ROWS, taken)
        except Exception as error:
            if is_database_unavailable(error) or not taken:
                raise
            for _ in range(len(taken)):
                await self._consume_or_defer()
        return len(taken)

    async def _consume_or_defer(self) -> None:
        taken: list[OutboxRow] = []
        try:
            await self._consume(1, taken)
        except Exception as error:
            if is_database_unavailable(error) or not taken:
                raise
            (row,) = taken
            log.warning(
                "outbox_row_failed", loop=self.name, outbox_id=row.outbox_id, kind=row.kind, attempt=row.attempts,
                error=type(error).__qualname__, exc_info=True,
            )  # fmt: skip
            async with self._database.begin() as work:
                await outbox.defer_by_id(work, row.outbox_id or 0)

    async def _consume(self, rows_max: int, taken: list[OutboxRow]) -> None:
        async with asyncio.timeout(_BATCH_DEADLINE_S), self._database.begin() as work:
            taken += await outbox.take(work, self._kinds, rows_max=rows_max)
            if taken:
                await self._write(work, taken)


class OutboxConsumer:
    """A loop that works on one row at a time. Any number may run, in any number of processes."""

    def __init__(self, name: str, database: Database, consumption: Consumption, wake_up: WakeUp) -> None:
        self.name = name
        self.silence_max_s = consumption.deadline_s + _SILENCE_MARGIN_S
        self._database = database
        self._consumption = consumption
        self.lease = timedelta(seconds=consumption.deadline_s + _MARGIN_S)
        self._wake_up = wake_up

    async def run(self, pulse: Pulse) -> None:
        """Consume until cancelled."""
        while True:
            pulse.beat()
            while await self.consume_one():
                pulse.beat()
            pulse.record_success(self.name)
            await self._wake_up.wait()

    async def consume_one(self) -> bool:
        """Work on the most urgent due row; return whether there was one. An effect that fails is deferred."""
        async with self._database.begin() as work:
            row = await outbox.claim(
                work, self._consumption.kinds, lease=self.lease, at_least=self._consumption.at_least
            )
        if row is None:
            return False
        # Where one row is due there may be more: the next consumer looks while this one makes its effect.
        self._wake_up.set()
        effect = asyncio.create_task(self._make_effect(row))
        try:
            await asyncio.shield(effect)
        except asyncio.CancelledError:
            await asyncio.wait({effect}, timeout=_STOP_GRACE_S)
            effect.cancel()
            await asyncio.gather(effect, return_exceptions=True)
            raise
        return True

    async def _make_effect(self, row: OutboxRow) -> None:
        result: Outcome | Noted
        try:
            async with asyncio.timeout(self._consumption.deadline_s):
                result = await self._consumption.handle(row)
        except Exception as error:
            # Types and places only: a provider's message may quote a phone number.
            log.warning(
                "outbox_row_failed", loop=self.name, outbox_id=row.outbox_id, kind=row.kind, attempt=row.attempts,
                error=type(error).__qualname__, exc_info=not is_database_unavailable(error),
            )  # fmt: skip
            result = Outcome.LATER
        outcome = result.outcome if isinstance(result, Noted) else result
        if outcome is Outcome.RECORDED:
            return
        conclude = _CONCLUSIONS[outcome]

        async def record(work: UnitOfWork, row: OutboxRow) -> None:
            if isinstance(result, Noted):
                await result.write(work)
            await conclude(work, row)

        await self._record(row, record)

    async def _record(self, row: OutboxRow, record: Callable[[UnitOfWork, OutboxRow], Awaitable[None]]) -> None:
        """Record the outcome, however long the database is away: an SMS that was sent must not be sent again."""

        async def write() -> None:
            async with self._database.begin() as work:
                await record(work, row)

        def report(error: Exception, attempt: int) -> None:
            log.warning("outbox_row_not_recorded", loop=self.name, error=type(error).__qualname__, attempt=attempt)

        await run_with_retries(write, report)
