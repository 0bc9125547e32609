"""The loops that send text messages: an SOS before log-in codes before everything else."""

from __future__ import annotations

from typing import Final

from services.core.platform.db.database import Database
from services.core.platform.metrics.registry import counter
from services.core.platform.outbox.actions import DECOY, unseal_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.tables import OutboxRow
from services.worker.consumer import Consumption, OutboxConsumer, Outcome
from services.worker.sms_providers import SmsProvider
from services.worker.wake_ups import WakeUps

# A provider's gateway answers within a second or two; one that hangs must not hold up the next message for long.
SEND_DEADLINE_S: Final = 10.0
# Messages in flight: a provider that hangs takes all of these and never the sender that serves SOS alone.
SENDERS: Final = 3
_MESSAGES = counter("sms", "Attempts to send a text message, by outcome.", outcome=("sent", "failed"))


class SmsSending:
    """Sends the text message of one row. A crash between sending and settling repeats the message."""

    def __init__(self, database: Database, provider: SmsProvider) -> None:
        self._database = database
        self._provider = provider

    async def send(self, row: OutboxRow) -> Outcome:
        """Send one message and discard a decoy; whatever the provider raises defers the row."""
        if row.kind != DECOY:
            waiting = unseal_sms(self._database.vault, row)
            try:
                await self._provider.send(waiting.phone, waiting.content, waiting.message_id)
            except BaseException:
                _MESSAGES.count(outcome="failed")
                raise
            _MESSAGES.count(outcome="sent")
        return Outcome.DONE


def sms_loops(database: Database, provider: SmsProvider, wake_ups: WakeUps) -> list[OutboxConsumer]:
    """Return one sender for SOS alone, and the senders of all messages."""
    sending = SmsSending(database, provider)
    urgent = Consumption(("sms",), SEND_DEADLINE_S, sending.send, at_least=Urgency.SOS)
    every = Consumption(("sms", DECOY), SEND_DEADLINE_S, sending.send)
    return [
        OutboxConsumer("sms_sos", database, urgent, wake_ups.subscribe("sms")),
        *(
            OutboxConsumer(f"sms_{number}", database, every, wake_ups.subscribe("sms", DECOY))
            for number in range(1, SENDERS + 1)
        ),
    ]
