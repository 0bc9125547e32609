"""Prove possession of the child's watch by the code that it shows."""

from __future__ import annotations

import uuid

from services.core.devices.watches.queries import identity_of_watch
from services.core.pairing.codes import current_code
from services.core.people.accounts.devices import complete_second_step, refuse_second_step
from services.core.people.households.queries import membership_in
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


async def prove_identity_by_watch(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, code: str) -> None:
    """Complete a limited session with the code shown by a watch that is paired with a child of the guardian's family.

    The code is consumed and pairs nothing. Raises SecondStepWrongError, RetryLaterError after five wrong codes.
    """
    await charge(work, Charge(Limits.SECOND_STEPS_OF_GUARDIAN, str(guardian_id)))
    entered = await current_code(work, code)
    worn = await identity_of_watch(work, entered.watch_id) if entered is not None else None
    membership = await membership_in(work, worn.family_id, guardian_id) if worn is not None else None
    if entered is None or membership is None:
        raise refuse_second_step(work, guardian_id)
    entered.ended_at = work.now
    work.add(entered)
    await complete_second_step(work, session_id, "watch")
