"""End the state on its way: a watch is paired in the factory and worn in a village weeks later.

Callers hold the row lock of the identity and of its presence, as for presence.actions.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from services.core.devices.presence.queries import journey, last_seen_at
from services.core.devices.presence.rules import (
    WORN_ON_ARRIVAL_S,
    ArrivedBy,
    is_silence_of_journey,
    is_use_by_child,
    worn_since_silence_s,
)
from services.core.devices.watches.errors import NoWatchError
from services.core.devices.watches.queries import current_identity, lock_standing_identities
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event


async def record_arrival(work: UnitOfWork, identity: WatchIdentity, by: ArrivedBy) -> bool:
    """End the state on its way and notify the guardians; return False if the watch had arrived before.

    A message or SOS that may be a trial at the hand-out does not end it, and returns False as well.

    Takes the family's lock, because it records an event: call it after the locks of the inbox.
    """
    row, on_its_way = identity.presence, journey(identity, work.now)
    if on_its_way is None:
        return False
    is_said_by_watch = by in {ArrivedBy.MESSAGE, ArrivedBy.SOS}
    if is_said_by_watch and not is_use_by_child(on_its_way.since_at, row.silent_on_the_way_since_at, work.now):
        return False
    row.on_its_way_since_at = row.silent_on_the_way_since_at = row.worn_on_arrival_s = None
    work.add(row)
    await record_event(
        work, identity.family_id, "watch.arrived", child_id=identity.child_id, detail={"by": by.value}
    )  # fmt: skip
    return True


async def confirm_arrival(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID) -> None:
    """End the state on its way because a guardian says so; a watch that has arrived stays unchanged.

    Raises NoWatchError when no watch is paired.
    """
    current = await current_identity(work, child_id)
    identities = {} if current is None else await lock_standing_identities(work, [current.username])
    identity = next(iter(identities.values()), None)
    if identity is None:
        raise NoWatchError
    if await record_arrival(work, identity, ArrivedBy.GUARDIAN):
        record_audit(
            work, guardian_actor(guardian_id), "watch.arrived", family_id=identity.family_id, subject_id=child_id
        )


def note_end_of_silence(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Note that a watch on its way is heard after a silence of a journey; call it before the time is overwritten."""
    before_at = last_seen_at(identity) or identity.issued_at
    if journey(identity, work.now) is not None and is_silence_of_journey(before_at, work.now):
        identity.presence.silent_on_the_way_since_at = before_at
        work.add(identity.presence)


async def record_worn(
    work: UnitOfWork, identity: WatchIdentity, began_at: datetime | None, ended_at: datetime | None, worn_s: int
) -> None:
    """Record how long a reported period was worn: an hour after the journey's silence ends the state on its way.

    Of a watch that has arrived nothing is recorded.
    """
    row = identity.presence
    if journey(identity, work.now) is None or row.silent_on_the_way_since_at is None:
        return
    counted_s = worn_since_silence_s(began_at, ended_at, worn_s, row.silent_on_the_way_since_at)
    row.worn_on_arrival_s = (row.worn_on_arrival_s or 0) + counted_s
    work.add(row)
    if row.worn_on_arrival_s >= WORN_ON_ARRIVAL_S:
        await record_arrival(work, identity, ArrivedBy.WORN)
