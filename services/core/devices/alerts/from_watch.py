"""Alerts that a watch sends, and the one that its battery level raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.rules import ESCALATING_KINDS, AlertKind, is_new_low_battery
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.actions import store_battery_level
from services.core.devices.presence.journeys import record_arrival
from services.core.devices.presence.queries import battery_now
from services.core.devices.presence.rules import ArrivedBy
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import STORED, Answer, known_answer, remembered


@dataclass(frozen=True)
class WatchAlert:
    """An alert as a watch sent it; its place is neither here nor in ``fingerprint``."""

    ref: str
    kind: AlertKind
    fingerprint: str
    happened_at: datetime | None
    # The id as it was sent, where it could not be used as ``ref``.
    sent_ref: str | None = None


async def receive_alert(work: UnitOfWork, identity: WatchIdentity, sent: WatchAlert) -> tuple[Answer, Alert | None]:
    """Record an alert of a paired watch; return its answer and, unless it is a repeat, the alert.

    A repeat with the same content is ``duplicate``; other content under the same id is ``rejected id_conflict``. The
    caller holds the identity locked.
    """
    answer = await known_answer(work, identity.username, sent.ref, sent.fingerprint)
    if answer is not None:
        return answer, None
    receipt = remembered(
        work, identity.username, sent.ref, kind="alert", fingerprint=sent.fingerprint, answer=STORED
    )  # fmt: skip
    raised = NewAlert(
        child_id=identity.child_id, family_id=identity.family_id, kind=sent.kind.value, username=identity.username,
        watch_id=identity.watch_id, ref=sent.ref, sent_ref=sent.sent_ref, happened_at=sent.happened_at,
    )  # fmt: skip
    alert = await raise_alert(work, raised, receipt)
    if sent.kind in ESCALATING_KINDS:
        await record_arrival(work, identity, ArrivedBy.SOS)
    return STORED, alert


async def record_unreadable_call(work: UnitOfWork, identity: WatchIdentity, ref: str, sent_ref: str | None) -> None:
    """Notify the guardians of an alert of a kind that this backend does not know; a repeat of ``ref`` changes nothing.

    Nothing is remembered for the id: a later backend that knows the kind records it as new. The identity is locked.
    """
    await raise_alert(
        work,
        NewAlert(
            child_id=identity.child_id, family_id=identity.family_id, kind=AlertKind.UNREADABLE.value,
            username=identity.username, watch_id=identity.watch_id, ref=ref, sent_ref=sent_ref,
        ),
    )  # fmt: skip
    await record_arrival(work, identity, ArrivedBy.SOS)


async def record_battery(work: UnitOfWork, identity: WatchIdentity, level_pct: int) -> None:
    """Record a battery level (percent) that any message carried; raise an alert when it falls to LOW_PCT.

    The alert is raised once per discharge. The caller holds the identity locked.
    """
    before = battery_now(identity)
    store_battery_level(work, identity, level_pct)
    if is_new_low_battery(before.level_pct, level_pct):
        await raise_alert(
            work,
            NewAlert(
                child_id=identity.child_id, family_id=identity.family_id, kind=AlertKind.LOW_BATTERY.value,
                username=identity.username, watch_id=identity.watch_id,
            ),
        )  # fmt: skip
