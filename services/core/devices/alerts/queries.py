"""Read alerts: pages for guardians, calls and answers, and what the watch that raised them is told."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import and_, col, or_, select

from services.core.devices.alerts.round_rules import LATE_AFTER, CallState
from services.core.devices.alerts.rules import SEEN_NOTICE_PERIOD
from services.core.devices.alerts.tables import Alert, AlertAnswer, AlertCall
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Membership
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


async def unanswered_alerts(
    work: UnitOfWork, child_id: uuid.UUID, kinds: Collection[str], *, after: datetime, limit: int
) -> list[Alert]:
    """Return the child's alerts of these kinds raised later that nobody has acknowledged, newest first."""
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == child_id,
            col(Alert.kind).in_(kinds),
            col(Alert.raised_at) > after,
            col(Alert.acknowledged_at).is_(None),
        )
        .order_by(col(Alert.raised_at).desc(), col(Alert.alert_id).desc())
        .limit(limit)
    )
    return list(result)


async def checks_of(
    work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID, *, after: datetime, limit: int
) -> list[Alert]:
    """Return the alerts raised later of which this guardian takes care and is asked: is the child all right?

    Where whoever took care is no guardian of the family any more, all guardians are asked.
    """
    carers = select(Membership.guardian_id).where(Membership.family_id == Alert.family_id)
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == child_id,
            col(Alert.raised_at) > after,
            or_(
                col(Alert.acknowledged_by) == guardian_id,
                col(Alert.acknowledged_by).is_(None),
                col(Alert.acknowledged_by).not_in(carers),
            ),
            col(Alert.check_asked_at).is_not(None),
            col(Alert.all_right_at).is_(None),
        )
        .order_by(col(Alert.raised_at).desc(), col(Alert.alert_id).desc())
        .limit(limit)
    )
    return list(result)


async def alert_by_id(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, kinds: Collection[str]) -> Alert:
    """Return an alert of the child of one of these kinds. Raises NotFoundError."""
    alert = await work.session.get(Alert, alert_id)
    if alert is None or alert.child_id != child_id or alert.kind not in kinds:
        raise NotFoundError
    return alert


async def calls_of(work: UnitOfWork, alert_ids: Collection[uuid.UUID]) -> list[AlertCall]:
    """Return the text messages sent about these alerts, the oldest first."""
    result = await work.session.exec(
        select(AlertCall)
        .where(col(AlertCall.alert_id).in_(alert_ids))
        .order_by(col(AlertCall.called_at), col(AlertCall.call_id))
    )
    return list(result)


async def answers_of(work: UnitOfWork, alert_ids: Collection[uuid.UUID]) -> list[AlertAnswer]:
    """Return the answers of guardians to these alerts, the oldest first."""
    result = await work.session.exec(
        select(AlertAnswer)
        .where(col(AlertAnswer.alert_id).in_(alert_ids))
        .order_by(col(AlertAnswer.answered_at), col(AlertAnswer.answer_id))
    )
    return list(result)


@dataclass(frozen=True)
class CallNotice:
    """The state of the alert ``ref`` (the id as the watch sent it), and who saw it when."""

    ref: str
    # A round_rules.CallState; None for a watch that knows acknowledgements only.
    state: str | None
    seen_by: str | None
    at: datetime


async def claim_call_notices(
    work: UnitOfWork, identity: WatchIdentity, *, knows_states: bool, limit: int = 20
) -> list[CallNotice]:
    """Return what to send to the watch about its alerts, and record that it was sent.

    Each state is sent once per connection, for SEEN_NOTICE_PERIOD. A watch that does not know states is sent who
    acknowledged, unless that is old news, which it would show as new.
    """
    # A notice sent before the latest hello went to an earlier connection, which may have lost it.
    hello_at = identity.last_hello_at or identity.issued_at
    told_by_states = and_(col(Alert.state).is_not(None), col(Alert.state_at) > work.now - SEEN_NOTICE_PERIOD)
    told_by_name = and_(
        col(Alert.seen_by).is_not(None),
        col(Alert.acknowledged_at) > work.now - SEEN_NOTICE_PERIOD,
        or_(col(Alert.seen_at).is_(None), col(Alert.acknowledged_at) - col(Alert.seen_at) <= LATE_AFTER),
    )
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.username) == identity.username,
            col(Alert.ref).is_not(None),
            told_by_states if knows_states else told_by_name,
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
        state = alert.state if knows_states else None
        at = (alert.seen_at or alert.acknowledged_at) if state in {None, CallState.SEEN} else alert.state_at
        if alert.ref is not None and at is not None:
            notices.append(CallNotice(alert.sent_ref or alert.ref, state, alert.seen_by, at))
    return notices
