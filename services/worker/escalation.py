"""An SOS that nobody acknowledges: a look every few seconds whether another guardian is to be called."""

from __future__ import annotations

import asyncio

import structlog
from tenacity import RetryCallState, retry, wait_random_exponential

from services.core.devices.alerts.escalation import escalate_one_alert
from services.core.platform.db.database import Database

# Guardians are called a minute apart; a look this often adds little to it.
LOOK_EVERY_S = 3.0

log = structlog.get_logger()


def _report(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("escalation_tries_again", error=type(error).__qualname__, attempt=state.attempt_number)


async def escalate_all(database: Database) -> int:
    """Call whoever is to be called now, one transaction each; return how many alerts were cared for."""
    cared_for = 0
    while True:
        async with database.begin() as work:
            if not await escalate_one_alert(work):
                return cared_for
        cared_for += 1


@retry(wait=wait_random_exponential(multiplier=0.2, max=10), before_sleep=_report)
async def escalate_forever(database: Database) -> None:
    """Look until cancelled; whatever happens to the database, it stays and carries on."""
    while True:
        await escalate_all(database)
        await asyncio.sleep(LOOK_EVERY_S)
