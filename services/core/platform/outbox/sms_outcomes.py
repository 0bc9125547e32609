"""Outcomes of text messages, counted for operators: by provider, without numbers, texts or people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import WaitingSms
from services.core.platform.outbox.tables import OutboxRow, SmsOutcome

TAKEN: Final = "taken"
DELIVERED: Final = "delivered"
UNDELIVERED: Final = "undelivered"
EXPIRED: Final = "expired"
NOBODY: Final = "none"
NO_BALANCE: Final = "no_balance"
# Long enough to compare two weeks, short enough to be no archive of who was sent what when.
KEPT: Final = timedelta(days=14)
_REPORTED: Final = (DELIVERED, UNDELIVERED)
_BATCH_ROWS: Final = 500


@dataclass(frozen=True)
class SmsCounts:
    """Text messages of a period: all that were offered to a provider, and those that reached nobody.

    ``failed`` are the messages that no provider took or that were reported undelivered, ``numbers_refused`` those of
    them whose number gets no texts, ``sos_failed`` those of an SOS. ``without_balance`` names providers.
    """

    offered: int
    failed: int
    numbers_refused: int
    sos_failed: int
    without_balance: tuple[str, ...]


@dataclass(frozen=True)
class ProviderOutcome:
    """One provider's answer about one message: its name, what it did, its own code."""

    provider: str
    outcome: str
    reason: str = ""


async def record_outcomes(
    work: UnitOfWork, waiting: WaitingSms, priority: int, outcomes: Iterable[ProviderOutcome]
) -> None:
    """Record what providers did with a message; a later attempt replaces an earlier one, but no delivery report."""
    for outcome in outcomes:
        values = {
            "kind": waiting.content.kind, "priority": priority, "outcome": outcome.outcome, "reason": outcome.reason,
            "happened_at": work.now,
        }  # fmt: skip
        row = insert(SmsOutcome).values(message_id=waiting.message_id, provider=outcome.provider, **values)
        await work.run(
            row.on_conflict_do_update(
                index_elements=["message_id", "provider"],
                set_=values,
                where=col(SmsOutcome.outcome).not_in(_REPORTED),
            )
        )


async def record_report(work: UnitOfWork, provider: str, message_id: str, *, is_delivered: bool) -> bool:
    """Record a provider's delivery report; return whether it told anything new.

    A report about a message that this provider was never offered changes nothing, and neither does a repeat.
    """
    changed = await work.run(
        update(SmsOutcome)
        .where(
            col(SmsOutcome.message_id) == message_id, col(SmsOutcome.provider) == provider,
            col(SmsOutcome.outcome) != (DELIVERED if is_delivered else UNDELIVERED),
            # Parts of a long text are reported apart: one that failed outweighs those that arrived.
            col(SmsOutcome.outcome) != UNDELIVERED,
        )
        .values(outcome=DELIVERED if is_delivered else UNDELIVERED, happened_at=work.now)
    )  # fmt: skip
    return bool(changed.rowcount)


async def is_delivered(work: UnitOfWork, message_id: str) -> bool:
    """Return whether a provider has reported that the message arrived."""
    rows = await work.session.exec(
        select(SmsOutcome.message_id)
        .where(col(SmsOutcome.message_id) == message_id, col(SmsOutcome.outcome) == DELIVERED)
        .limit(1)
    )
    return rows.first() is not None


async def count_outcomes(work: UnitOfWork, since: datetime) -> SmsCounts:
    """Return the counts of the messages whose newest outcome is from ``since`` or later."""
    row = (await work.run(text(_COUNTS), {"since": since, "sos": Urgency.SOS.value})).one()
    return SmsCounts(row.offered, row.failed, row.numbers_refused, row.sos_failed, tuple(row.without_balance or ()))


async def count_waiting_sos(work: UnitOfWork, before: datetime) -> int:
    """Return the number of SOS messages that have waited in the outbox since before a time."""
    rows = await work.session.exec(
        select(OutboxRow.outbox_id).where(
            col(OutboxRow.kind) == "sms", col(OutboxRow.priority) == Urgency.SOS, col(OutboxRow.created_at) < before
        )
    )
    return len(rows.all())


async def purge_old_sms_outcomes(work: UnitOfWork) -> bool:
    """Delete a batch of outcomes beyond their retention; return whether there were any. A repeat is safe."""
    key = (col(SmsOutcome.message_id), col(SmsOutcome.provider))
    old = select(*key).where(col(SmsOutcome.happened_at) <= work.now - KEPT).limit(_BATCH_ROWS)
    gone = await work.run(delete(SmsOutcome).where(tuple_(*key).in_(old)))
    return bool(gone.rowcount)


_COUNTS: Final = """
SELECT count(*) AS offered,
       count(*) FILTER (WHERE is_failed) AS failed,
       count(*) FILTER (WHERE is_failed AND NOT is_trouble) AS numbers_refused,
       count(*) FILTER (WHERE is_failed AND priority = :sos) AS sos_failed,
       (SELECT array_agg(DISTINCT provider) FROM sms_outcome
         WHERE happened_at >= :since AND reason LIKE 'no_balance%') AS without_balance
  FROM (SELECT min(priority) AS priority,
               NOT bool_or(outcome IN ('taken', 'delivered')) AS is_failed,
               bool_or(outcome <> 'number_refused') AS is_trouble
          FROM sms_outcome GROUP BY message_id HAVING max(happened_at) >= :since) AS message
"""
