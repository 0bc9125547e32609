"""Raise alerts. The answers of guardians are in answers.py, the calls to them in escalation.py."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from services.core.devices.alerts.calling import BeingCalled, Plan, lock_being_called, plan_calling
from services.core.devices.alerts.rules import AlertKind, is_escalated, parse_alert_kind, right_required, window_of
from services.core.devices.alerts.tables import Alert
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
from services.core.platform.events.actions import RECORDED, check_recorded, events_for_each, record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import Effect, watch_notice


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


class Before(NamedTuple):
    """The earlier alerts that decide how a new alert is handled, read under the lock of the watch's identity."""

    # The alert with the same id of the same watch.
    alert_id: uuid.UUID | None
    # Another alert of an escalated kind, locked.
    being_called: BeingCalled | None


async def raise_alert(work: UnitOfWork, raised: NewAlert, *writes: Write, before: Before | None = None) -> Alert:
    """Raise an alert, notify the guardians, and return it; a repeat returns the first alert and notifies nobody.

    A repeat has the same id of the same watch, or the same kind and subject within the window of its kind. The caller
    holds a row lock that serialises repeats (the watch's identity, for example): otherwise two concurrent calls would
    both raise a new alert. Further ``writes`` are made in any case, with the same statement as the alert. What is
    returned is no object of the session: changes of it are not written. ``before``: what the caller has read already.
    Raises AlertKindUnknownError.
    """
    kind = parse_alert_kind(raised.kind)
    known = await _raised_before(work, raised, kind, before)
    if known is not None:
        if writes:
            await write_together(work, *writes)
        return known
    alert = Alert(
        child_id=raised.child_id, family_id=raised.family_id, kind=kind.value, username=raised.username,
        watch_id=raised.watch_id, ref=raised.ref, sent_ref=raised.sent_ref, subject_id=raised.subject_id,
        happened_at=raised.happened_at,
        raised_at=work.now,
    )  # fmt: skip
    plan = await _plan(work, alert, before) if is_escalated(kind) else Plan(is_shown=False)
    record_fact(
        work, f"alert_{kind.value}", watch_id=raised.watch_id, child_id=raised.child_id, family_id=raised.family_id,
        ref_id=alert.alert_id, happened_at=raised.happened_at,
    )  # fmt: skip
    effects = [watch_notice(alert.username)] if plan.is_shown and alert.username and alert.ref else []
    event = events_for_each(
        work, alert.family_id, "alert.raised", [None], child_id=alert.child_id, ref_id=alert.alert_id,
        needs_right=right_required(kind), detail={"kind": alert.kind}, effects=effects,
    )  # fmt: skip
    check_recorded(await write_together(work, _written(alert), *plan.writes, *writes, event, result=RECORDED), 1)
    return alert


async def _plan(work: UnitOfWork, alert: Alert, before: Before | None) -> Plan:
    if before is None:
        other = await lock_being_called(work, alert.child_id, alert.alert_id)
    else:
        other = before.being_called
    return plan_calling(work, alert, work.now, other)


# Columns that a new alert may have set; the list of whom it was escalated to is empty.
_COLUMNS: Final = (
    "alert_id", "child_id", "family_id", "kind", "username", "watch_id", "ref", "sent_ref", "subject_id",
    "happened_at", "raised_at", "state", "state_at", "escalate_at", "calling_step", "calling_round",
    "calling_until_at",
)  # fmt: skip
_INSERT: Final = (
    f"INSERT INTO alert ({', '.join(_COLUMNS)}, escalated_to)"  # noqa: S608 - constants of this file
    f" VALUES ({', '.join(f'${number}' for number in range(1, len(_COLUMNS) + 1))}, '[]')"
)


def _written(alert: Alert) -> Write:
    return Write((("raised_alert", _INSERT),), tuple(getattr(alert, column) for column in _COLUMNS))


# The alert of the id $2 of the watch $1.
SAME: Final = "SELECT alert_id FROM alert WHERE username = $1 AND ref = $2"


async def _raised_before(
    work: UnitOfWork, raised: NewAlert, kind: AlertKind, before: Before | None
) -> Alert | None:  # fmt: skip
    same_id = None if before is None else before.alert_id
    if before is None and raised.username is not None and raised.ref is not None:
        same = await work.fetch(SAME, raised.username, raised.ref)
        same_id = same[0][0] if same else None
    if same_id is not None:
        return await work.session.get_one(Alert, same_id)
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


async def tell_guardians(work: UnitOfWork, alert: Alert, event: str, effects: Sequence[Effect] = ()) -> None:
    """Record an event about an alert for the guardians who may know of it, and with it these rows of the outbox."""
    await record_event(
        work, alert.family_id, event, child_id=alert.child_id, ref_id=alert.alert_id,
        needs_right=right_required(AlertKind(alert.kind)), detail={"kind": alert.kind},
        effects=effects,
    )  # fmt: skip
