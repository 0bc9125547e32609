"""A watch is taken out of use: its pairing ends with it, whoever wore it."""

from __future__ import annotations

from services.core.audit.actions import Actor
from services.core.db.database import UnitOfWork
from services.core.pairing.actions import end_pairing
from services.core.pairing.rules import UnpairReason
from services.core.watches.hand_out import locked_watch, note_withdrawn
from services.core.watches.queries import identity_of_watch


async def withdraw_watch(work: UnitOfWork, actor: Actor, serial: str, state: str) -> bool:
    """Take note that a watch is ``returned``, ``lost`` or ``broken`` and end its pairing; a repeat returns False.

    It may not log in from then on; returned, it can be handed out again. What had not arrived waits for the child's
    next watch. Raises WatchUnknownError, WatchStateError.
    """
    watch = await locked_watch(work, serial)
    changed = await note_withdrawn(work, actor, watch, state)
    identity = await identity_of_watch(work, watch.watch_id)
    if identity is not None:
        # A broken watch comes back, too.
        reason = UnpairReason.LOST if state == "lost" else UnpairReason.RETURNED
        await end_pairing(work, actor, identity, reason)
    return changed or identity is not None
