"""Escalate an unacknowledged SOS: a text message to one guardian after the other."""

from __future__ import annotations

import uuid

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.alerts.rules import next_escalation_at, next_guardian_to_call, time_of_call
from services.core.devices.alerts.tables import Alert
from services.core.devices.contacts.queries import FAMILY, recipients_of
from services.core.devices.watches.queries import settings_of_child
from services.core.people.accounts.sms_texts import urgent_text
from services.core.people.accounts.tables import Guardian
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency

_BATCH_ROWS = 500


async def escalate_one_alert(work: UnitOfWork) -> bool:
    """Send a text message to the next guardian of one unacknowledged SOS; return whether an escalation was due.

    The message asks to open the product or to call home and names no child, watch or place. Guardians follow the order
    of the contact list, each once. Concurrent calls are safe: the alert's row is locked, and the message enters the
    outbox in the same transaction as the record that it was sent.
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
    guardians = [str(one.guardian_id) for one in await recipients_of(work, alert.child_id, FAMILY)]
    chosen = next_guardian_to_call(guardians, alert.escalated_to)
    if chosen is not None:
        guardian = await work.session.get_one(Guardian, uuid.UUID(chosen))
        timezone = (await settings_of_child(work, alert.child_id)).timezone
        # A watch's clock may be ahead of ours.
        called_at = min(alert.happened_at or alert.raised_at, alert.raised_at)
        time = time_of_call(called_at, timezone, work.now)
        content = urgent_text(guardian.locale, time=time, host=work.host)
        await send_sms(work, guardian.phone, content, urgency=Urgency.SOS)
        alert.escalated_to = [*alert.escalated_to, chosen]
        record_audit(work, SYSTEM, "alert.escalated", family_id=alert.family_id, subject_id=alert.alert_id)
    alert.escalate_at = next_escalation_at(guardians, alert.escalated_to, work.now)
    work.add(alert)
    if chosen is not None:
        await record_event(
            work, alert.family_id, "alert.escalated", child_id=alert.child_id, ref_id=alert.alert_id,
            needs_right="message", detail={"called": len(alert.escalated_to)},
        )  # fmt: skip
    return True


async def purge_old_alerts(work: UnitOfWork) -> bool:
    """Delete a batch of alerts beyond their retention; return whether there were any. A repeat is safe."""
    old = select(Alert.alert_id).where(col(Alert.raised_at) <= work.now - work.retention.alerts).limit(_BATCH_ROWS)
    gone = await work.run(delete(Alert).where(col(Alert.alert_id).in_(old)).returning(col(Alert.alert_id)))
    return bool(gone.all())
