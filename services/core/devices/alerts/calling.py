"""Begin and end the calling of people about an alert, and what the child's watch shows of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from services.core.devices.alerts.round_rules import CALLING_MAX, CallState, Step, earlier_round_at
from services.core.devices.alerts.rules import ESCALATING_KINDS, NEXT_PRESS_AFTER, SEEN_NOTICE_PERIOD
from services.core.devices.alerts.tables import Alert
from services.core.devices.contacts.living_with import contacts_living_with
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
from services.core.platform.outbox.actions import CHANNEL, discard_sms, notify_watch

# Wakes the worker's escalation on the outbox's channel.
WAKE_UP: Final = "escalation"
_KINDS: Final = [kind.value for kind in ESCALATING_KINDS]


class BeingCalled(NamedTuple):
    """The alert of a child that is being called about, locked."""

    alert_id: uuid.UUID
    escalate_at: datetime
    calling_step: str | None
    called_at: datetime | None
    state: str | None


# {child_id} and {condition} are expressions of SQL.
BEING_CALLED: Final = (
    f"SELECT {', '.join(BeingCalled._fields)} FROM alert"  # noqa: S608 - names of our own columns
    " WHERE child_id = {child_id} AND escalate_at IS NOT NULL AND {condition} ORDER BY raised_at LIMIT 1"
    " FOR NO KEY UPDATE"
)
_LOCK_BEING_CALLED: Final = BEING_CALLED.format(child_id="$1", condition="alert_id <> $2")
_BRING_FORWARD: Final = "UPDATE alert SET escalate_at = $2, calling_until_at = $3 WHERE alert_id = $1"


class Plan(NamedTuple):
    """How people will be called: whether the watch has a state to show, and what is to be written beside the alert."""

    is_shown: bool
    writes: Sequence[Write] = ()


async def lock_being_called(work: UnitOfWork, child_id: uuid.UUID, not_this: uuid.UUID) -> BeingCalled | None:
    """Return the alert of the child, other than ``not_this``, that is being called about, and lock it."""
    locked = await work.fetch(_LOCK_BEING_CALLED, child_id, not_this)
    return BeingCalled(*locked[0]) if locked else None


async def start_calling(work: UnitOfWork, alert: Alert, at: datetime) -> None:
    """Plan the first round of a stored alert at a time, as :func:`plan_calling` does, and write the plan."""
    plan = plan_calling(work, alert, at, await lock_being_called(work, alert.child_id, alert.alert_id))
    work.add(alert)
    await work.flush()
    if plan.writes:
        await write_together(work, *plan.writes)
    if plan.is_shown:
        await _notify_watch_of(work, alert)


def plan_calling(work: UnitOfWork, alert: Alert, at: datetime, other: BeingCalled | None) -> Plan:
    """Plan the first round of an alert at a time, unless another of the child's alerts is being called about.

    The caller has locked ``other``, writes the alert and the plan, and notifies the watch.

    One alert a child at a time: ten presses must not cost each guardian ten messages. Another press brings the next
    round of the first one forward and lets it go on for CALLING_MAX from now; its watch shows the same.
    """
    alert.calling_step, alert.calling_round, alert.escalated_to, alert.called_at = Step.BEGIN, 0, [], None
    if other is None:
        alert.escalate_at = at
        alert.calling_until_at = work.now + CALLING_MAX
        work.notify(CHANNEL, WAKE_UP)
        return Plan(is_shown=False)
    alert.escalate_at = None
    escalate_at = other.escalate_at
    if other.calling_step == Step.BEGIN and other.called_at is not None:
        escalate_at = earlier_round_at(escalate_at, other.called_at, work.now)
    brought_forward = Write(
        (("brought_forward", _BRING_FORWARD),), (other.alert_id, escalate_at, work.now + CALLING_MAX)
    )
    if other.state is not None:
        _set_state(work, alert, CallState(other.state))
    return Plan(other.state is not None, [brought_forward])


async def call_about_the_next(work: UnitOfWork, child_id: uuid.UUID) -> None:
    """Start calling about the child's oldest alert that waited for the end of another one."""
    if await _is_being_called(work, child_id):
        return
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == child_id,
            col(Alert.kind).in_(_KINDS),
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
        await start_calling(work, waiting, work.now + NEXT_PRESS_AFTER)


async def discard_waiting_calls(work: UnitOfWork, alert: Alert) -> None:
    """Delete the text messages about an alert that have not been sent yet.

    While a provider is down one message waits for each person, not one a round; after an answer none is sent.
    """
    contacts = await contacts_living_with(work, [alert.child_id])
    await discard_sms(work, [str(alert.alert_id), *(str(contact.contact_id) for contact in contacts)])


async def show_state(work: UnitOfWork, alert: Alert, state: CallState, seen_by: str | None = None) -> None:
    """Show a state of a locked alert on the watch that raised it, and of the child's other calls without an answer."""
    await _show(work, alert, state, seen_by)
    if state is CallState.SEEN:
        return
    result = await work.session.exec(
        select(Alert)
        .where(
            col(Alert.child_id) == alert.child_id,
            col(Alert.alert_id) != alert.alert_id,
            col(Alert.kind).in_(_KINDS),
            col(Alert.acknowledged_at).is_(None),
            col(Alert.raised_at) > work.now - SEEN_NOTICE_PERIOD,
        )
        .order_by(col(Alert.alert_id))
        # A locked row is being acknowledged at this moment.
        .with_for_update(key_share=True, skip_locked=True)
    )
    for other in result.all():
        await _show(work, other, state)


async def pressed_since(work: UnitOfWork, alert: Alert, since: datetime) -> bool:
    """Return whether the child's watch called again after a time, and nobody takes care of that call."""
    result = await work.session.exec(
        select(Alert.alert_id)
        .where(
            col(Alert.child_id) == alert.child_id,
            col(Alert.alert_id) != alert.alert_id,
            col(Alert.kind).in_(_KINDS),
            col(Alert.acknowledged_at).is_(None),
            col(Alert.raised_at) > since,
        )
        .limit(1)
    )
    return result.first() is not None


async def _show(work: UnitOfWork, alert: Alert, state: CallState, seen_by: str | None = None) -> None:
    _set_state(work, alert, state, seen_by)
    work.add(alert)
    await work.flush()
    await _notify_watch_of(work, alert)


async def _notify_watch_of(work: UnitOfWork, alert: Alert) -> None:
    if alert.username is not None and alert.ref is not None:
        await notify_watch(work, alert.username)


def _set_state(work: UnitOfWork, alert: Alert, state: CallState, seen_by: str | None = None) -> None:
    alert.state, alert.state_at = state, work.now
    alert.seen_by = seen_by
    alert.seen_told_at = None


async def _is_being_called(work: UnitOfWork, child_id: uuid.UUID) -> bool:
    result = await work.session.exec(
        select(Alert.alert_id).where(col(Alert.child_id) == child_id, col(Alert.escalate_at).is_not(None)).limit(1)
    )
    return result.first() is not None
