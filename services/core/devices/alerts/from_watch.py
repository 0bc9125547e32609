"""Alerts that a watch sends, and the one that its battery level raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.core.devices.alerts.actions import SAME, Before, NewAlert, raise_alert
from services.core.devices.alerts.calling import BEING_CALLED, BeingCalled
from services.core.devices.alerts.rules import ESCALATING_KINDS, AlertKind, is_new_low_battery
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.actions import store_battery_level
from services.core.devices.presence.journeys import record_arrival
from services.core.devices.presence.queries import battery_now
from services.core.devices.presence.rules import ArrivedBy
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import KNOWN, STORED, Answer, answer_of, remembered


@dataclass(frozen=True)
class WatchAlert:
    """An alert as a watch sent it; its place is neither here nor in ``fingerprint``."""

    ref: str
    kind: AlertKind
    fingerprint: str
    happened_at: datetime | None
    # The id as it was sent, where it could not be used as ``ref``.
    sent_ref: str | None = None


# All that decides about an alert of a watch: $1 and $2 are user name and id, $3 is the child. A repeat locks nothing.
_LOOK: Final = f"""
SELECT known.*, same.*, called.* FROM (VALUES (1)) AS one(row)
LEFT JOIN ({KNOWN}) AS known ON true LEFT JOIN ({SAME}) AS same ON true LEFT JOIN ({{called}}) AS called ON true
"""  # noqa: S608 - parts of our own
_LOOK_AND_LOCK: Final = _LOOK.format(
    called=BEING_CALLED.format(child_id="$3", condition=f"NOT EXISTS ({KNOWN}) AND NOT EXISTS ({SAME})")
)  # fmt: skip
_ONLY_LOOK: Final = _LOOK.format(
    called=f"SELECT {', '.join(['NULL'] * len(BeingCalled._fields))} WHERE $3::uuid IS NULL"
)


async def _look(
    work: UnitOfWork, identity: WatchIdentity, sent: WatchAlert
) -> tuple[Answer | None, Before]:  # fmt: skip
    """Return the answer if the id is known, and what there was before; lock the alert that is being called about."""
    statement = _LOOK_AND_LOCK if sent.kind in ESCALATING_KINDS else _ONLY_LOOK
    (row,) = await work.fetch(statement, identity.username, sent.ref, identity.child_id)
    fingerprint, code, detail, same_id, *called = row
    answer = None if code is None else answer_of((fingerprint, code, detail), sent.fingerprint)
    return answer, Before(same_id, None if called[0] is None else BeingCalled(*called))


async def receive_alert(work: UnitOfWork, identity: WatchIdentity, sent: WatchAlert) -> tuple[Answer, Alert | None]:
    """Record an alert of a paired watch; return its answer and, unless it is a repeat, the alert.

    A repeat with the same content is ``duplicate``; other content under the same id is ``rejected id_conflict``. The
    caller holds the identity locked.
    """
    answer, before = await _look(work, identity, sent)
    if answer is not None:
        return answer, None
    receipt = remembered(
        work, identity.username, sent.ref, kind="alert", fingerprint=sent.fingerprint, answer=STORED
    )  # fmt: skip
    raised = NewAlert(
        child_id=identity.child_id, family_id=identity.family_id, kind=sent.kind.value, username=identity.username,
        watch_id=identity.watch_id, ref=sent.ref, sent_ref=sent.sent_ref, happened_at=sent.happened_at,
    )  # fmt: skip
    alert = await raise_alert(work, raised, receipt, before=before)
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
