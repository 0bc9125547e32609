"""Call people about an SOS that nobody has answered: rounds of text messages until a guardian takes care.

docs/sos.md shows the time line. One step of one alert is one transaction: its text messages enter the outbox together
with the record that they were sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.alerts.calling import discard_waiting_calls, pressed_since, show_state
from services.core.devices.alerts.round_rules import (
    OTHERS_AFTER,
    PUSH_FRESH_FOR,
    UNANSWERED_AFTER,
    CallState,
    Step,
    called_at_once,
    next_round_at,
)
from services.core.devices.alerts.rules import time_of_call
from services.core.devices.alerts.tables import Alert, AlertCall
from services.core.devices.contacts.living_with import LivesWith, contacts_living_with
from services.core.devices.contacts.queries import FAMILY, recipients_of
from services.core.devices.push.queries import guardians_with_fresh_push
from services.core.devices.watches.queries import settings_of_child
from services.core.people.accounts.sms_texts import go_and_look_text, urgent_text
from services.core.people.accounts.tables import Guardian
from services.core.people.households.queries import locale_of
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency

_BATCH_ROWS = 500
_STEPS_DUE: Final = """
SELECT EXISTS (SELECT FROM alert WHERE escalate_at <= $1 AND acknowledged_at IS NULL),
 EXISTS (SELECT FROM alert WHERE check_at <= $1)
"""
# A step takes what is due of one alert, and returns whether there was such an alert.
DueStep = Callable[[UnitOfWork], Awaitable[bool]]


async def steps_due(work: UnitOfWork) -> list[DueStep]:
    """Return the steps of calls and of questions after them that are due, by one statement without a transaction."""
    ((call_is_due, check_is_due),) = await work.read(_STEPS_DUE, work.now)
    return [*([escalate_one_alert] if call_is_due else []), *([ask_one_check] if check_is_due else [])]


async def is_step_due(work: UnitOfWork) -> bool:
    """Return whether a step of a call or a question after one is due."""
    return bool(await steps_due(work))


async def escalate_one_alert(work: UnitOfWork) -> bool:
    """Take the step that is due of one unanswered call; return whether there was one.

    Concurrent calls are safe: the alert's row is locked. No limit of text messages applies: a cost bound must not
    silence a call for help.
    """
    result = await work.session.exec(
        select(Alert)
        .where(col(Alert.escalate_at) <= work.now, col(Alert.acknowledged_at).is_(None))
        .order_by(col(Alert.escalate_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    alert = result.first()
    if alert is None:
        return False
    match Step(alert.calling_step or Step.BEGIN):
        case Step.BEGIN:
            await _begin_round(work, alert)
        case Step.OTHERS:
            await _call_the_others(work, alert)
        case Step.CONCLUDE:
            await _conclude_round(work, alert)
    work.add(alert)
    return True


async def _begin_round(work: UnitOfWork, alert: Alert) -> None:
    """Call those whose phones may not show a push note; the others get a push note first."""
    await discard_waiting_calls(work, alert)
    alert.calling_round += 1
    alert.escalated_to = []
    await show_state(work, alert, CallState.CALLING)
    guardians = await _guardians(work, alert)
    with_push = await guardians_with_fresh_push(work, guardians, PUSH_FRESH_FOR)
    at_once = called_at_once([str(guardian) for guardian in guardians], {str(guardian_id) for guardian_id in with_push})
    is_complete = len(at_once) == len(guardians)
    alert.called_at = work.now if is_complete else None
    alert.calling_step = Step.CONCLUDE if is_complete else Step.OTHERS
    alert.escalate_at = work.now + (UNANSWERED_AFTER if is_complete else OTHERS_AFTER)
    called = 0
    if at_once or not guardians:
        called = await _call(work, alert, [uuid.UUID(text_id) for text_id in at_once])
    await _notify(work, alert, "alert.calling")
    if called:
        await _notify(work, alert, "alert.escalated", called=len(alert.escalated_to))


async def _call_the_others(work: UnitOfWork, alert: Alert) -> None:
    guardians = [guardian for guardian in await _guardians(work, alert) if str(guardian) not in alert.escalated_to]
    called = await _call(work, alert, guardians)
    alert.called_at = work.now
    alert.calling_step, alert.escalate_at = Step.CONCLUDE, work.now + UNANSWERED_AFTER
    if called:
        await _notify(work, alert, "alert.escalated", called=len(alert.escalated_to))


async def _conclude_round(work: UnitOfWork, alert: Alert) -> None:
    """Tell child and family that the round reached nobody, and plan the next one."""
    await show_state(work, alert, CallState.UNANSWERED)
    called_at = alert.called_at or work.now
    until = alert.calling_until_at or called_at
    alert.calling_step = Step.BEGIN
    # A press during the round is not answered by calls that were made before it.
    round_no = 1 if await pressed_since(work, alert, called_at - OTHERS_AFTER) else alert.calling_round
    alert.escalate_at = next_round_at(round_no, called_at, until)
    await _notify(work, alert, "alert.unanswered", is_last=alert.escalate_at is None)


async def _guardians(work: UnitOfWork, alert: Alert) -> list[uuid.UUID]:
    """Return the guardians to call, in the order of the contact list."""
    return [recipient.guardian_id for recipient in await recipients_of(work, alert.child_id, FAMILY)]


async def _call(work: UnitOfWork, alert: Alert, guardian_ids: Sequence[uuid.UUID]) -> int:
    """Send the text messages to these guardians, and with the first of a round to who lives with the child."""
    # The alert is written once, with the record of the calls before the first text message.
    with work.session.no_autoflush:
        time = await _time_of_call(work, alert)
        guardians = [await work.session.get_one(Guardian, guardian_id) for guardian_id in guardian_ids]
        contacts = await _living_with(work, alert)
        locale = await locale_of(work, alert.family_id) if contacts else ""
    for guardian in guardians:
        _record(work, alert, guardian_id=guardian.guardian_id)
    for contact in contacts:
        _record(work, alert, contact_id=contact.contact_id)
    for guardian in guardians:
        text = urgent_text(guardian.locale, time=time, host=work.host)
        await send_sms(work, guardian.phone, text, urgency=Urgency.SOS, target=str(alert.alert_id))
    for contact in contacts:
        await send_sms(
            work, contact.number, go_and_look_text(locale), urgency=Urgency.SOS, target=str(contact.contact_id)
        )
    return len(guardians) + len(contacts)


async def _living_with(work: UnitOfWork, alert: Alert) -> list[LivesWith]:
    contacts = await contacts_living_with(work, [alert.child_id])
    return [contact for contact in contacts if str(contact.contact_id) not in alert.escalated_to]


async def _time_of_call(work: UnitOfWork, alert: Alert) -> str:
    timezone = (await settings_of_child(work, alert.child_id)).timezone
    # A watch's clock may be ahead of ours.
    return time_of_call(min(alert.happened_at or alert.raised_at, alert.raised_at), timezone, work.now)


def _record(
    work: UnitOfWork, alert: Alert, *, guardian_id: uuid.UUID | None = None, contact_id: uuid.UUID | None = None
) -> None:
    work.add(
        AlertCall(
            alert_id=alert.alert_id, round_no=alert.calling_round, guardian_id=guardian_id, contact_id=contact_id,
            called_at=work.now,
        )
    )  # fmt: skip
    alert.escalated_to = [*alert.escalated_to, str(guardian_id or contact_id)]
    record_audit(
        work, SYSTEM, "alert.escalated" if guardian_id is not None else "alert.contact_called",
        family_id=alert.family_id, subject_id=alert.alert_id,
    )  # fmt: skip


async def _notify(work: UnitOfWork, alert: Alert, event: str, **detail: int) -> None:
    await record_event(
        work, alert.family_id, event, child_id=alert.child_id, ref_id=alert.alert_id, needs_right="message",
        detail={"round": alert.calling_round, **detail},
    )  # fmt: skip


async def ask_one_check(work: UnitOfWork) -> bool:
    """Ask the guardian who took care of a call whether the child is all right; return whether one was due.

    The question goes to all guardians when that guardian is no longer one of the child's.
    """
    result = await work.session.exec(
        select(Alert)
        .where(col(Alert.check_at) <= work.now)
        .order_by(col(Alert.check_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    alert = result.first()
    if alert is None:
        return False
    alert.check_at = None
    alert.check_asked_at = work.now
    work.add(alert)
    recipient_id = alert.acknowledged_by if alert.acknowledged_by in await _guardians(work, alert) else None
    await record_event(
        work, alert.family_id, "alert.check_asked", child_id=alert.child_id, ref_id=alert.alert_id,
        guardian_id=recipient_id, needs_right="message", detail={"kind": alert.kind},
    )  # fmt: skip
    return True


async def purge_old_alerts(work: UnitOfWork) -> bool:
    """Delete a batch of alerts beyond their retention; return whether there were any. A repeat is safe."""
    old = select(Alert.alert_id).where(col(Alert.raised_at) <= work.now - work.retention.alerts).limit(_BATCH_ROWS)
    gone = await work.run(delete(Alert).where(col(Alert.alert_id).in_(old)).returning(col(Alert.alert_id)))
    return bool(gone.all())
