"""Read alerts: for guardians page by page, and for the watch that raised them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import col, or_, select

from services.core.devices.alerts.rules import SEEN_NOTICE_PERIOD
from services.core.devices.alerts.tables import Alert
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import UnitOfWork

PAGE_MAX_ALERTS = 100


async def alerts_of(
    work: UnitOfWork, child_id: uuid.UUID, kinds: Collection[str], *, after: uuid.UUID | None, limit: int
) -> list[Alert]:
    """Return the child's alerts of these kinds, the newest first, from the one after ``after`` on.

    Raises NotFoundError when ``after`` is none of them.
    """
    statement = select(Alert).where(col(Alert.child_id) == child_id, col(Alert.kind).in_(kinds))
    if after is not None:
        last = await alert_by_id(work, child_id, after, kinds)
        statement = statement.where(
            tuple_(col(Alert.raised_at), col(Alert.alert_id)) < tuple_(last.raised_at, last.alert_id)
        )
    found = await work.session.exec(
        statement.order_by(col(Alert.raised_at).desc(), col(Alert.alert_id).desc()).limit(limit)
    )
    return list(found)


async def alert_by_id(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, kinds: Collection[str]) -> Alert:
    """Return one alert of the child, if it is of these kinds. Raises NotFoundError."""
    alert = await work.session.get(Alert, alert_id)
    if alert is None or alert.child_id != child_id or alert.kind not in kinds:
        raise NotFoundError
    return alert


@dataclass(frozen=True)
class SeenNotice:
    """What a watch is told: its alert ``ref`` was seen by the contact ``seen_by``."""

    ref: str
    seen_by: str
    seen_at: datetime


async def claim_seen_notices(work: UnitOfWork, identity: WatchIdentity, limit: int = 20) -> list[SeenNotice]:
    """Return which of the watch's alerts were seen, for a day after it, once a connection; note the telling."""
    # One that was told before the latest hello was told to a connection that may have lost it.
    hello_at = identity.last_hello_at or identity.issued_at
    found = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.username) == identity.username,
            col(Alert.ref).is_not(None),
            col(Alert.seen_by).is_not(None),
            col(Alert.acknowledged_at) > work.now - SEEN_NOTICE_PERIOD,
            or_(col(Alert.seen_told_at).is_(None), col(Alert.seen_told_at) < hello_at),
        )
        .order_by(col(Alert.raised_at))
        .limit(limit)
        .with_for_update(key_share=True)
    )
    notices = []
    for alert in found.all():
        alert.seen_told_at = work.now
        work.add(alert)
        if alert.ref is not None and alert.seen_by is not None and alert.acknowledged_at is not None:
            notices.append(SeenNotice(alert.ref, alert.seen_by, alert.acknowledged_at))
    return notices
