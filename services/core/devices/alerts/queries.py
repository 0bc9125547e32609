"""Read alerts: pages for guardians, and acknowledgements for the watch that raised them."""

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
    """Return at most ``limit`` of the child's alerts of these kinds, the newest first, following the alert ``after``.

    Raises NotFoundError when ``after`` is not an alert of the child of these kinds.
    """
    statement = select(Alert).where(col(Alert.child_id) == child_id, col(Alert.kind).in_(kinds))
    if after is not None:
        last = await alert_by_id(work, child_id, after, kinds)
        statement = statement.where(
            tuple_(col(Alert.raised_at), col(Alert.alert_id)) < tuple_(last.raised_at, last.alert_id)
        )
    result = await work.session.exec(
        statement.order_by(col(Alert.raised_at).desc(), col(Alert.alert_id).desc()).limit(limit)
    )
    return list(result)


async def alert_by_id(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, kinds: Collection[str]) -> Alert:
    """Return an alert of the child of one of these kinds. Raises NotFoundError."""
    alert = await work.session.get(Alert, alert_id)
    if alert is None or alert.child_id != child_id or alert.kind not in kinds:
        raise NotFoundError
    return alert


@dataclass(frozen=True)
class SeenNotice:
    """The message to a watch that the contact ``seen_by`` acknowledged its alert ``ref`` (the id as it was sent)."""

    ref: str
    seen_by: str
    seen_at: datetime


async def claim_seen_notices(work: UnitOfWork, identity: WatchIdentity, limit: int = 20) -> list[SeenNotice]:
    """Return the acknowledgements to send to the watch, and record that they were sent.

    Each is sent once per connection, for SEEN_NOTICE_PERIOD after the acknowledgement.
    """
    # A notice sent before the latest hello went to an earlier connection, which may have lost it.
    hello_at = identity.last_hello_at or identity.issued_at
    result = await work.session.exec(
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
    for alert in result.all():
        alert.seen_told_at = work.now
        work.add(alert)
        if alert.ref is not None and alert.seen_by is not None and alert.acknowledged_at is not None:
            notices.append(SeenNotice(alert.sent_ref or alert.ref, alert.seen_by, alert.acknowledged_at))
    return notices
