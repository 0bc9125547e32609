"""The loops of push: an event becomes a note for each endpoint, and each note is sent to its endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from services.core.devices.push.actions import Delivery, fan_out, open_delivery, record_outcome
from services.core.devices.push.rules import EndpointKind
from services.core.devices.push.rules import Outcome as PushOutcome
from services.core.platform.db.database import Database
from services.core.platform.metrics.registry import counter
from services.core.platform.outbox import actions as outbox
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.tables import OutboxRow
from services.worker.consumer import BatchConsumer, Consumption, OutboxConsumer, Outcome
from services.worker.push_providers import TIMEOUT_S, PushProvider
from services.worker.supervisor import Loop
from services.worker.wake_ups import WakeUps

# Notes in flight; one sender more serves SOS alone, so that services that hang hold up no SOS.
SENDERS: Final = 4
# The provider's own time and that of the two short transactions around it.
DEADLINE_S: Final = TIMEOUT_S + 5.0
_NOTES = counter(
    "push_notes", "Notes given to a push service, by kind of endpoint and outcome.",
    kind=[kind.value for kind in EndpointKind], outcome=[outcome.value for outcome in PushOutcome],
)  # fmt: skip

log = structlog.get_logger()


class PushSending:
    """Sends notes. A crash after a note was sent repeats it; endpoints tell repeats by ``ref_id``."""

    def __init__(self, database: Database, providers: Mapping[EndpointKind, PushProvider]) -> None:
        self._database = database
        self._providers = providers

    async def send(self, row: OutboxRow) -> Outcome:
        """Send one note, with no transaction open, and record what became of it and its endpoint together."""
        async with self._database.begin() as work:
            delivery = await open_delivery(work, row)
        if delivery is None:
            return Outcome.DONE
        outcome = await self._outcome(delivery)
        _NOTES.count(kind=delivery.target.kind.value, outcome=outcome.value)
        async with self._database.begin() as work:
            is_to_be_repeated = await record_outcome(work, delivery.endpoint_id, outcome)
            await (outbox.defer if is_to_be_repeated else outbox.settle)(work, row)
        return Outcome.RECORDED

    async def _outcome(self, delivery: Delivery) -> PushOutcome:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                outcome = await self._providers[delivery.target.kind].send(delivery)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's server does is no fault of ours
            # Addresses and answers stay out of the log.
            log.warning("push_not_sent", endpoint_id=str(delivery.endpoint_id), error=type(error).__qualname__)
            return PushOutcome.LATER
        if outcome is not PushOutcome.TAKEN:
            log.info("push_not_taken", endpoint_id=str(delivery.endpoint_id), outcome=outcome.value)
        return outcome


def push_loops(database: Database, providers: Mapping[EndpointKind, PushProvider], wake_ups: WakeUps) -> list[Loop]:
    """Return the fan-out of events, one sender for SOS alone, and the senders of all notes."""
    sending = PushSending(database, providers)
    urgent = Consumption(("push",), DEADLINE_S, sending.send, at_least=Urgency.SOS)
    every = Consumption(("push",), DEADLINE_S, sending.send)
    shared = wake_ups.subscribe("push")
    return [
        BatchConsumer("push_events", database, ("wake",), fan_out, wake_ups.subscribe("wake")),
        OutboxConsumer("push_sos", database, urgent, wake_ups.subscribe("push")),
        *(OutboxConsumer(f"push_{number}", database, every, shared) for number in range(1, SENDERS + 1)),
    ]
