"""Raise alerts, and record which guardian acknowledged one."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.devices.alerts.rules import (
    ESCALATE_AFTER,
    ESCALATING_KINDS,
    SEEN_NOTICE_PERIOD,
    AlertKind,
    first_escalation_at,
    parse_alert_kind,
    right_required,
    window_of,
)
from services.core.devices.alerts.tables import Alert
from services.core.devices.contacts.queries import contacts_of
from services.core.people.households.errors import NotFoundError
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import notify_watch


@dataclass(frozen=True)
class NewAlert:
    """An alert to raise; ``kind`` is a word of rules.AlertKind. It holds ids only, never a place."""

    child_id: uuid.UUID
    family_id: uuid.UUID
    kind: str
    username: str | None = None
    watch_id: uuid.UUID | None = None
    # The id under which the watch sent it.
    ref: str | None = None
    # The id as it was sent, where it could not be used as ``ref``.
    sent_ref: str | None = None
    happened_at: datetime | None = None
    # The subject of the alert, for example a zone.
    subject_id: uuid.UUID | None = None


async def raise_alert(work: UnitOfWork, raised: NewAlert) -> Alert:
    """Raise an alert, notify the guardians, and return it; a repeat returns the first alert and notifies nobody.

    A repeat has the same id of the same watch, or the same kind and subject within the window of its kind. The caller
    holds a row lock that serialises repeats (the watch's identity, for example): otherwise two concurrent calls would
    both raise a new alert. Raises AlertKindUnknownError.
    """
    kind = parse_alert_kind(raised.kind)
    known = await _raised_before(work, raised, kind)
    if known is not None:
        return known
    alert = Alert(
        child_id=raised.child_id, family_id=raised.family_id, kind=kind.value, username=raised.username,
        watch_id=raised.watch_id, ref=raised.ref, sent_ref=raised.sent_ref, subject_id=raised.subject_id,
        happened_at=raised.happened_at,
        raised_at=work.now,
        escalate_at=first_escalation_at(
            kind, work.now, another_is_escalating=await _one_is_escalating(work, raised.child_id)
        ),
    )  # fmt: skip
    work.add(alert)
    await work.flush()
    record_fact(
        work, f"alert_{kind.value}", watch_id=raised.watch_id, child_id=raised.child_id, family_id=raised.family_id,
        ref_id=alert.alert_id, happened_at=raised.happened_at,
    )  # fmt: skip
    await _tell(work, alert, "alert.raised")
    return alert


async def _raised_before(work: UnitOfWork, raised: NewAlert, kind: AlertKind) -> Alert | None:
    if raised.username is not None and raised.ref is not None:
        result = await work.session.exec(
            select(Alert).where(col(Alert.username) == raised.username, col(Alert.ref) == raised.ref)
        )
        if (same := result.first()) is not None:
            return same
    window = window_of(kind)
    if not window:
        return None
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == raised.child_id,
            col(Alert.raised_at) > work.now - window,
            col(Alert.kind) == kind.value,
            col(Alert.subject_id).is_not_distinct_from(raised.subject_id),
        )
        .order_by(col(Alert.raised_at).desc())
        .limit(1)
    )
    return result.first()


async def _one_is_escalating(work: UnitOfWork, child_id: uuid.UUID) -> bool:
    result = await work.session.exec(
        select(Alert.alert_id)
        .where(col(Alert.child_id) == child_id, col(Alert.escalate_at).is_not(None))
        .limit(1)
    )  # fmt: skip
    return result.first() is not None


async def acknowledge_alert(
    work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, guardian_id: uuid.UUID, kinds: Collection[str]
) -> Alert:
    """Record that a guardian acknowledged an alert of these kinds; notify the watch and the other guardians.

    The first acknowledgement counts and ends the escalation; a repeat changes nothing. Raises NotFoundError.
    """
    result = await work.session.exec(
        select(Alert)
        .where(col(Alert.alert_id) == alert_id, col(Alert.child_id) == child_id, col(Alert.kind).in_(kinds))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    alert = result.first()
    if alert is None:
        raise NotFoundError
    if alert.acknowledged_at is not None:
        return alert
    alert.acknowledged_at = work.now
    alert.acknowledged_by = guardian_id
    alert.seen_by = await _wire_id(work, child_id, guardian_id)
    alert.escalate_at = None
    work.add(alert)
    await work.flush()
    await _escalate_the_next(work, child_id)
    if alert.username is not None and alert.ref is not None and alert.seen_by is not None:
        await notify_watch(work, alert.username)
    record_audit(
        work, guardian_actor(guardian_id), "alert.acknowledged", family_id=alert.family_id, subject_id=alert_id
    )
    await _tell(work, alert, "alert.acknowledged")
    return alert


async def _wire_id(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID) -> str | None:
    """Return the contact id of a guardian on the child's watch, or None when the watch does not show the guardian."""
    for contact in await contacts_of(work, child_id):
        if contact.guardian_id == guardian_id and contact.state == "approved":
            return contact.wire_id
    return None


async def _escalate_the_next(work: UnitOfWork, child_id: uuid.UUID) -> None:
    """Start the escalation of the child's oldest alert that waited for the end of this one."""
    if await _one_is_escalating(work, child_id):
        return
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == child_id,
            col(Alert.kind).in_([kind.value for kind in ESCALATING_KINDS]),
            col(Alert.acknowledged_at).is_(None),
            col(Alert.escalated_to) == [],
            col(Alert.raised_at) > work.now - SEEN_NOTICE_PERIOD,
        )
        .order_by(col(Alert.raised_at))
        .limit(1)
        # A locked row is being acknowledged at this moment.
        .with_for_update(key_share=True, skip_locked=True)
    )
    waiting = result.first()
    if waiting is not None:
        waiting.escalate_at = work.now + ESCALATE_AFTER
        work.add(waiting)


async def _tell(work: UnitOfWork, alert: Alert, event: str) -> None:
    await record_event(
        work, alert.family_id, event, child_id=alert.child_id, ref_id=alert.alert_id,
        needs_right=right_required(AlertKind(alert.kind)), detail={"kind": alert.kind},
    )  # fmt: skip
