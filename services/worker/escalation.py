"""The loop that escalates an SOS which nobody acknowledges: it calls the next guardian."""

from __future__ import annotations

import asyncio
from typing import Final

from services.core.devices.alerts.escalation import escalate_one_alert
from services.core.platform.db.database import Database
from services.worker.pulse import Pulse

# Guardians are called a minute apart; a pause of this length adds little to it.
PAUSE_S: Final = 3.0


class EscalationLoop:
    """Calls the guardian who is next for each unacknowledged SOS, one transaction each."""

    name = "escalation"
    silence_max_s = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, pulse: Pulse) -> None:
        """Escalate until cancelled."""
        while True:
            pulse.beat()
            await self.escalate_all()
            pulse.record_success(self.name)
            await asyncio.sleep(PAUSE_S)

    async def escalate_all(self) -> int:
        """Call everybody who is due now; return how many alerts were handled."""
        count = 0
        while True:
            async with self._database.begin() as work:
                if not await escalate_one_alert(work):
                    return count
            count += 1
