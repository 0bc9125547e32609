"""A watch whose pairing has ended is to wipe itself; until it has shown that it did, its copy counts as there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.tables import WipeOrder
from services.core.platform.db.database import UnitOfWork

# A watch that did not hear the answer asks again within 15 minutes (the protocol's longest repeat, and its jitter): who
# asks how it stands after more than that has heard it.
HEARD_AFTER = timedelta(minutes=20)


def order_wipe(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Note that the watch has to forget what it got under this name."""
    work.add(
        WipeOrder(
            username=identity.username, watch_id=identity.watch_id, child_id=identity.child_id,
            family_id=identity.family_id, ordered_at=work.now,
        )
    )  # fmt: skip


async def newest_wipe_order(work: UnitOfWork, watch_id: uuid.UUID) -> WipeOrder | None:
    """Return the newest name that this watch has to forget, or None."""
    found = await work.session.exec(
        select(WipeOrder)
        .where(col(WipeOrder.watch_id) == watch_id)
        .order_by(col(WipeOrder.ordered_at).desc(), col(WipeOrder.username))
        .limit(1)
    )
    return found.first()


async def wipe_orders_of(
    work: UnitOfWork, *, family_id: uuid.UUID | None = None, child_id: uuid.UUID | None = None
) -> Sequence[WipeOrder]:
    """Return the orders about a family's, or one child's, watches, the oldest first."""
    statement = select(WipeOrder).order_by(col(WipeOrder.ordered_at), col(WipeOrder.username))
    if family_id is not None:
        statement = statement.where(col(WipeOrder.family_id) == family_id)
    if child_id is not None:
        statement = statement.where(col(WipeOrder.child_id) == child_id)
    return (await work.session.exec(statement)).all()


async def record_wipe_announced(work: UnitOfWork, username: str) -> None:
    """The watch asked how it stands and is told to forget this name."""
    await work.run(
        update(WipeOrder)
        .where(col(WipeOrder.username) == username, col(WipeOrder.confirmed_at).is_(None))
        .values(told_at=work.now)
    )


async def record_wipe_status_request(work: UnitOfWork, watch: Watch, *, for_code: bool) -> None:
    """Take what a factory identity asks for as a sign that the watch has wiped itself.

    A watch that holds a family's data asks for no code. One that asks how it stands long after it was told, has heard.
    """
    statement = update(WipeOrder).where(
        col(WipeOrder.watch_id) == watch.watch_id,
        col(WipeOrder.confirmed_at).is_(None),
        col(WipeOrder.told_at).is_not(None),
    )
    if not for_code:
        statement = statement.where(col(WipeOrder.told_at) <= work.now - HEARD_AFTER)
    await work.run(statement.values(confirmed_at=work.now))
