"""Erasures and contested rights, as a family reads them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.pairing.wipes import wipe_orders_of
from services.core.platform.db.database import UnitOfWork
from services.core.platform.erasure_ledger import CHILD
from services.core.privacy.erasure.rules import WatchCopy, Wipe, watch_copy
from services.core.privacy.tables import Contest, Erasure


@dataclass(frozen=True)
class ErasureView:
    """An erasure and the state of the copy on the watch."""

    erasure: Erasure
    watch_copy: WatchCopy


async def erasure_view(work: UnitOfWork, erasure: Erasure) -> ErasureView:
    """Return the state of an erasure."""
    if erasure.what == CHILD:
        orders = await wipe_orders_of(work, child_id=erasure.subject_id)
    else:
        orders = await wipe_orders_of(work, family_id=erasure.family_id)
    return ErasureView(erasure, watch_copy(Wipe(order.confirmed_at) for order in orders))


async def erasures_of(work: UnitOfWork, family_id: uuid.UUID) -> list[ErasureView]:
    """Return a family's erasures, newest first."""
    result = await work.session.exec(
        select(Erasure)
        .where(col(Erasure.family_id) == family_id)
        .order_by(col(Erasure.asked_at).desc(), col(Erasure.erasure_id))
    )
    return [await erasure_view(work, erasure) for erasure in result.all()]


async def contests_of(work: UnitOfWork, family_id: uuid.UUID) -> Sequence[Contest]:
    """Return a family's contests, settled ones included, newest first."""
    result = await work.session.exec(
        select(Contest)
        .where(col(Contest.family_id) == family_id)
        .order_by(col(Contest.raised_at).desc(), col(Contest.contest_id))
    )
    return result.all()


async def open_contests(work: UnitOfWork) -> Sequence[Contest]:
    """Return every contest that waits for staff, oldest first."""
    result = await work.session.exec(
        select(Contest).where(col(Contest.state) == "open").order_by(col(Contest.raised_at), col(Contest.contest_id))
    )
    return result.all()
