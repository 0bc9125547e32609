"""Guardians' answers to an alert: "I take care", "seen, but I cannot help", and how the child is afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.devices.alerts.actions import tell_guardians
from services.core.devices.alerts.calling import call_about_the_next, discard_waiting_calls, show_state, start_calling
from services.core.devices.alerts.errors import AlertNotAcknowledgedError
from services.core.devices.alerts.round_rules import CHECK_AFTER, AnswerKind, CallState, tapped_at
from services.core.devices.alerts.rules import AlertKind, is_escalated
from services.core.devices.alerts.tables import Alert, AlertAnswer
from services.core.devices.contacts.queries import contacts_of
from services.core.people.households.errors import NotFoundError
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Answering:
    """The guardian who answers, the kinds of alert that this guardian sees, and the time of the tap on the phone."""

    guardian_id: uuid.UUID
    kinds: Collection[str]
    # None: now.
    tapped_at: datetime | None = None


async def acknowledge_alert(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, by: Answering) -> Alert:
    """Record that a guardian takes care of an alert; notify the watch and the other guardians.

    The first acknowledgement counts and ends the calling; a repeat changes nothing. After CHECK_AFTER the guardian is
    asked whether the child is all right. Raises NotFoundError.
    """
    alert = await _locked(work, child_id, alert_id, by.kinds)
    if alert.acknowledged_at is not None:
        return alert
    tapped = tapped_at(by.tapped_at, alert.raised_at, work.now)
    alert.acknowledged_at = work.now
    alert.acknowledged_by = by.guardian_id
    alert.seen_at = tapped
    alert.escalate_at = None
    alert.check_asked_at = alert.all_right_at = alert.all_right_by = None
    alert.check_at = tapped + CHECK_AFTER if is_escalated(AlertKind(alert.kind)) else None
    await discard_waiting_calls(work, alert)
    await show_state(work, alert, CallState.SEEN, await _wire_id(work, child_id, by.guardian_id))
    await call_about_the_next(work, child_id)
    _record(work, alert, by.guardian_id, AnswerKind.TAKE_CARE, tapped)
    record_audit(
        work, guardian_actor(by.guardian_id), "alert.acknowledged", family_id=alert.family_id, subject_id=alert_id
    )
    await tell_guardians(work, alert, "alert.acknowledged")
    return alert


async def note_cannot_help(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, by: Answering) -> Alert:
    """Record that a guardian has seen an alert and cannot help now; calling goes on.

    The watch shows that it was seen, until the next call. Raises NotFoundError.
    """
    alert = await _locked(work, child_id, alert_id, by.kinds)
    tapped = tapped_at(by.tapped_at, alert.raised_at, work.now)
    if alert.acknowledged_at is None:
        alert.seen_at = tapped
        await show_state(work, alert, CallState.SEEN, await _wire_id(work, child_id, by.guardian_id))
    _record(work, alert, by.guardian_id, AnswerKind.CANNOT_HELP, tapped)
    record_audit(work, guardian_actor(by.guardian_id), "alert.seen", family_id=alert.family_id, subject_id=alert_id)
    await tell_guardians(work, alert, "alert.seen")
    return alert


async def confirm_all_right(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, by: Answering) -> Alert:
    """Record that the child is all right; a repeat changes nothing. Raises NotFoundError, AlertNotAcknowledgedError."""
    alert = await _locked(work, child_id, alert_id, by.kinds)
    if alert.acknowledged_at is None:
        raise AlertNotAcknowledgedError
    if alert.all_right_at is not None:
        return alert
    alert.all_right_at, alert.all_right_by, alert.check_at = work.now, by.guardian_id, None
    work.add(alert)
    record_audit(
        work, guardian_actor(by.guardian_id), "alert.all_right", family_id=alert.family_id, subject_id=alert_id
    )
    await tell_guardians(work, alert, "alert.all_right")
    return alert


async def keep_calling(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, by: Answering) -> Alert:
    """Take an acknowledgement back, so that guardians are called again from the first round on.

    A repeat changes nothing, nor does it for a kind about which nobody is called. Raises NotFoundError.
    """
    alert = await _locked(work, child_id, alert_id, by.kinds)
    if alert.acknowledged_at is None or not is_escalated(AlertKind(alert.kind)):
        return alert
    alert.acknowledged_at = alert.acknowledged_by = alert.seen_at = None
    alert.check_at = alert.check_asked_at = alert.all_right_at = alert.all_right_by = None
    await show_state(work, alert, CallState.CALLING)
    await start_calling(work, alert, work.now)
    record_audit(
        work, guardian_actor(by.guardian_id), "alert.calling_again", family_id=alert.family_id, subject_id=alert_id
    )
    await tell_guardians(work, alert, "alert.calling_again")
    return alert


async def _locked(work: UnitOfWork, child_id: uuid.UUID, alert_id: uuid.UUID, kinds: Collection[str]) -> Alert:
    result = await work.session.exec(
        select(Alert)
        .where(col(Alert.alert_id) == alert_id, col(Alert.child_id) == child_id, col(Alert.kind).in_(kinds))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    alert = result.first()
    if alert is None:
        raise NotFoundError
    return alert


def _record(work: UnitOfWork, alert: Alert, guardian_id: uuid.UUID, answer: AnswerKind, tapped: datetime) -> None:
    work.add(
        AlertAnswer(
            alert_id=alert.alert_id, guardian_id=guardian_id, answer=answer, tapped_at=tapped, answered_at=work.now
        )
    )


async def _wire_id(work: UnitOfWork, child_id: uuid.UUID, guardian_id: uuid.UUID) -> str | None:
    """Return the contact id of a guardian on the child's watch, or None when the watch does not show the guardian."""
    for contact in await contacts_of(work, child_id):
        if contact.guardian_id == guardian_id and contact.state == "approved":
            return contact.wire_id
    return None
