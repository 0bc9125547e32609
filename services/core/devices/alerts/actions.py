"""Raise alerts. The answers of guardians are in answers.py, the calls to them in escalation.py."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.devices.alerts.calling import start_calling
from services.core.devices.alerts.rules import AlertKind, is_escalated, parse_alert_kind, right_required, window_of
from services.core.devices.alerts.tables import Alert
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact


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
    )  # fmt: skip
    work.add(alert)
    await work.flush()
    if is_escalated(kind):
        await start_calling(work, alert, work.now)
    record_fact(
        work, f"alert_{kind.value}", watch_id=raised.watch_id, child_id=raised.child_id, family_id=raised.family_id,
        ref_id=alert.alert_id, happened_at=raised.happened_at,
    )  # fmt: skip
    await tell_guardians(work, alert, "alert.raised")
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


async def tell_guardians(work: UnitOfWork, alert: Alert, event: str) -> None:
    """Record an event about an alert for the guardians who may know of it."""
    await record_event(
        work, alert.family_id, event, child_id=alert.child_id, ref_id=alert.alert_id,
        needs_right=right_required(AlertKind(alert.kind)), detail={"kind": alert.kind},
    )  # fmt: skip
