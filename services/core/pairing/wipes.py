"""Wipe orders: a watch whose pairing ended deletes its copy; until that is confirmed, the copy counts as existing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.tables import WipeOrder
from services.core.platform.db.database import UnitOfWork

# A watch that missed the answer repeats its request within 15 minutes (the longest wait of the protocol, with jitter).
# A status request after a longer pause shows that the watch received the order.
HEARD_AFTER = timedelta(minutes=20)


def order_wipe(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Order the watch to delete everything it received under this identity."""
    work.add(
        WipeOrder(
            username=identity.username, watch_id=identity.watch_id, child_id=identity.child_id,
            family_id=identity.family_id, ordered_at=work.now,
        )
    )  # fmt: skip


async def newest_wipe_order(work: UnitOfWork, watch_id: uuid.UUID) -> WipeOrder | None:
    """Return the newest open wipe order of this watch, or None."""
    result = await work.session.exec(
        select(WipeOrder)
        .where(col(WipeOrder.watch_id) == watch_id)
        .order_by(col(WipeOrder.ordered_at).desc(), col(WipeOrder.username))
        .limit(1)
    )
    return result.first()


async def wipe_orders_of(
    work: UnitOfWork, *, family_id: uuid.UUID | None = None, child_id: uuid.UUID | None = None
) -> Sequence[WipeOrder]:
    """Return the wipe orders for the watches of a family or of one child, the oldest first."""
    statement = select(WipeOrder).order_by(col(WipeOrder.ordered_at), col(WipeOrder.username))
    if family_id is not None:
        statement = statement.where(col(WipeOrder.family_id) == family_id)
    if child_id is not None:
        statement = statement.where(col(WipeOrder.child_id) == child_id)
    return (await work.session.exec(statement)).all()


async def record_wipe_announced(work: UnitOfWork, username: str) -> None:
    """Record that a status request of the watch was answered with this order."""
    await work.run(
        update(WipeOrder)
        .where(col(WipeOrder.username) == username, col(WipeOrder.confirmed_at).is_(None))
        .values(told_at=work.now)
    )


async def record_wipe_status_request(work: UnitOfWork, watch: Watch, *, for_code: bool) -> None:
    """Record the request of a factory identity, which may show that the watch has wiped itself.

    A watch that holds a family's data requests no code. A status request long after the order shows that the order was
    received.
    """
    statement = update(WipeOrder).where(
        col(WipeOrder.watch_id) == watch.watch_id,
        col(WipeOrder.confirmed_at).is_(None),
        col(WipeOrder.told_at).is_not(None),
    )
    if not for_code:
        statement = statement.where(col(WipeOrder.told_at) <= work.now - HEARD_AFTER)
    await work.run(statement.values(confirmed_at=work.now))
