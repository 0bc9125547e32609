"""The loop that calls people about an SOS which nobody answers, and asks afterwards whether the child is all right."""

from __future__ import annotations

from services.core.devices.alerts.escalation import steps_due
from services.core.platform.db.database import Database
from services.worker.pulse import Pulse
from services.worker.wake_ups import WakeUp


class EscalationLoop:
    """Takes the due step of each unanswered SOS, one transaction each; a new SOS wakes it."""

    name = "escalation"
    silence_max_s = 60.0

    def __init__(self, database: Database, wake_up: WakeUp | None = None) -> None:
        self._database = database
        self._wake_up = wake_up or WakeUp()

    async def run(self, pulse: Pulse) -> None:
        """Escalate until cancelled."""
        while True:
            pulse.beat()
            await self.escalate_all()
            pulse.record_success(self.name)
            await self._wake_up.wait()

    async def escalate_all(self) -> int:
        """Take every step and ask every question that is due now; return their number."""
        count = 0
        while taken := await self._escalate_some():
            count += taken
        return count

    async def _escalate_some(self) -> int:
        """Take one step of each kind that is due; return how many were taken. Another worker may be at the rest."""
        async with self._database.begin() as work:
            due = await steps_due(work)
        taken = 0
        for step in due:
            async with self._database.begin() as work:
                taken += await step(work)
        return taken
