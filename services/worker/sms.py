"""The loops that send text messages: an SOS before log-in codes before everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from services.core.people.accounts.rules import CODE_LIFETIME
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.metrics.registry import counter
from services.core.platform.outbox.actions import DECOY, unseal_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import WaitingSms
from services.core.platform.outbox.sms_outcomes import (
    EXPIRED,
    NO_BALANCE,
    NOBODY,
    TAKEN,
    ProviderOutcome,
    is_delivered,
    record_outcomes,
)
from services.core.platform.outbox.tables import OutboxRow
from services.worker.consumer import Consumption, Noted, OutboxConsumer, Outcome
from services.worker.sms_providers.client import TIMEOUT_S
from services.worker.sms_providers.interface import Failure
from services.worker.sms_providers.router import Attempt, SmsSender
from services.worker.wake_ups import WakeUps

# Two providers in turn, and a margin.
SEND_DEADLINE_S: Final = 2 * TIMEOUT_S + 3.0
# Messages in flight. A provider that hangs takes senders of one class for its time-out and never those above it: two
# serve SOS alone, one SOS and codes.
SOS_SENDERS: Final = 2
CODE_SENDERS: Final = 1
SENDERS: Final = 3
_MESSAGES = counter("sms", "Attempts to send a text message, by outcome.", outcome=("sent", "failed"))
# A text that is useless after its time is not sent.
_USEFUL_FOR: Final[Mapping[str, timedelta]] = {
    "login_code": CODE_LIFETIME,
    # The alert calls on by new texts.
    "urgent": timedelta(hours=2),
    "go_and_look": timedelta(hours=2),
}
_FINAL: Final = frozenset({Failure.NUMBER_REFUSED})


log = structlog.get_logger()


class SmsSending:
    """Sends the text message of one row. A crash between sending and settling repeats the message."""

    def __init__(self, database: Database, sender: SmsSender) -> None:
        self._database = database
        self._sender = sender

    async def send(self, row: OutboxRow) -> Outcome | Noted:
        """Send one message and discard a decoy. What no provider took is deferred, unless its number is the reason."""
        if row.kind == DECOY:
            return Outcome.DONE
        waiting = unseal_sms(self._database.vault, row)
        useful_for = _USEFUL_FOR.get(waiting.content.kind)
        if useful_for is not None and self._database.clock() - row.created_at > useful_for:
            return _noted(row, waiting, Outcome.DONE, [ProviderOutcome(NOBODY, EXPIRED)])
        if row.attempts > 1 and await self._is_delivered(waiting):
            return Outcome.DONE
        attempts = await self._sender.send(
            waiting.phone, waiting.content, waiting.message_id, urgency=Urgency(row.priority), attempt=row.attempts
        )
        for attempt in attempts:
            if attempt.failure is not None:
                # Neither number nor text; the provider's code says what the operator must do.
                log.warning(
                    "sms_not_taken", provider=attempt.provider, kind=waiting.content.kind,
                    failure=attempt.failure.value, reason=attempt.reason,
                )  # fmt: skip
        is_taken = any(attempt.failure is None for attempt in attempts)
        _MESSAGES.count(outcome="sent" if is_taken else "failed")
        outcomes = [_outcome_of(attempt) for attempt in attempts]
        if not attempts:
            outcomes = [ProviderOutcome(NOBODY, Failure.REFUSED.value, "no_route")]
        is_final = is_taken or (bool(attempts) and all(attempt.failure in _FINAL for attempt in attempts))
        if is_final:
            return _noted(row, waiting, Outcome.DONE, outcomes)
        # A text that may have been sent is not repeated every few seconds.
        is_unsure = any(attempt.failure is Failure.UNSURE for attempt in attempts)
        is_urgent = row.priority == Urgency.SOS and not is_unsure
        return _noted(row, waiting, Outcome.SOON if is_urgent else Outcome.LATER, outcomes)

    async def _is_delivered(self, waiting: WaitingSms) -> bool:
        """Return whether an earlier attempt, whose answer was lost, has been reported as delivered."""
        async with self._database.begin() as work:
            return await is_delivered(work, waiting.message_id)


def _outcome_of(attempt: Attempt) -> ProviderOutcome:
    if attempt.failure is None:
        return ProviderOutcome(attempt.provider, TAKEN)
    reason = f"{NO_BALANCE} {attempt.reason}" if attempt.no_balance else attempt.reason
    return ProviderOutcome(attempt.provider, attempt.failure.value, reason)


def _noted(row: OutboxRow, waiting: WaitingSms, outcome: Outcome, outcomes: list[ProviderOutcome]) -> Noted:
    async def write(work: UnitOfWork) -> None:
        await record_outcomes(work, waiting, row.priority, outcomes)

    return Noted(outcome, write)


def sms_loops(database: Database, sender: SmsSender, wake_ups: WakeUps) -> list[OutboxConsumer]:
    """Return the senders: of SOS alone, of SOS and codes, and of all messages."""
    sending = SmsSending(database, sender)
    classes = (
        ("sms_sos", SOS_SENDERS, Consumption(("sms",), SEND_DEADLINE_S, sending.send, at_least=Urgency.SOS)),
        ("sms_code", CODE_SENDERS, Consumption(("sms",), SEND_DEADLINE_S, sending.send, at_least=Urgency.LOG_IN_CODE)),
        ("sms", SENDERS, Consumption(("sms", DECOY), SEND_DEADLINE_S, sending.send)),
    )
    loops = []
    for name, count, consumption in classes:
        wake_up = wake_ups.subscribe(*consumption.kinds)
        loops += [OutboxConsumer(f"{name}_{number}", database, consumption, wake_up) for number in range(1, count + 1)]
    return loops
