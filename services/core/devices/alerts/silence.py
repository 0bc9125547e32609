"""Alert the family of a watch that has sent nothing for a day."""

from __future__ import annotations

from sqlalchemy import exists
from sqlmodel import col, or_, select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.rules import SILENT_AFTER, AlertKind
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.queries import has_arrived, last_seen_at
from services.core.devices.watches.queries import WITH_JOINED_PRESENCE
from services.core.devices.watches.tables import WatchIdentity, WatchPresence
from services.core.platform.db.database import UnitOfWork


async def raise_one_silence_alert(work: UnitOfWork) -> bool:
    """Raise the alert of one watch that has been silent for SILENT_AFTER; return whether there was one.

    One alert per silence; none while the watch is on its way to the child. Concurrent calls and repeats are safe.
    """
    already_raised = exists().where(
        col(Alert.username) == col(WatchIdentity.username),
        col(Alert.kind) == AlertKind.SILENT.value,
        col(Alert.raised_at) > col(WatchPresence.last_seen_at),
    )
    result = await work.session.exec(
        select(WatchIdentity)
        .join(WatchPresence, col(WatchPresence.username) == col(WatchIdentity.username))
        .options(WITH_JOINED_PRESENCE)
        .where(
            col(WatchIdentity.ended_at).is_(None),
            col(WatchPresence.last_seen_at) <= work.now - SILENT_AFTER,
            or_(col(WatchIdentity.asleep_until_at).is_(None), col(WatchIdentity.asleep_until_at) <= work.now),
            has_arrived(),
            ~already_raised,
        )
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    identity = result.first()
    if identity is None:
        return False
    await raise_alert(
        work,
        NewAlert(
            child_id=identity.child_id, family_id=identity.family_id, kind=AlertKind.SILENT.value,
            username=identity.username, watch_id=identity.watch_id, happened_at=last_seen_at(identity),
        ),
    )  # fmt: skip
    return True
