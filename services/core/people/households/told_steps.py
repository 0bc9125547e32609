"""Steps of one guardian of which every guardian of the family is told at once, also on phones whose app is closed."""

from __future__ import annotations

import uuid
from enum import StrEnum

from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event


class Step(StrEnum):
    """Action that a guardian took after a step-up. An erasure has a text message and an event of its own."""

    UNPAIR = "unpair"
    RIGHTS = "rights"
    REMOVAL = "removal"
    EXPORT = "export"
    NUMBER = "number"


async def tell_guardians(work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, step: Step) -> None:
    """Tell the family's guardians of a step; the one who did it is told on every phone as well.

    The event locks the family's row: it comes after every other lock.
    """
    await record_event(
        work, family_id, "guardian.acted", ref_id=by, detail={"step": step.value, "guardian_id": str(by)}
    )
