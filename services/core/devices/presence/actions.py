"""Record what the messages of a paired watch show: that it is there, its battery, its clock, the versions it holds.

Callers hold the row lock of the identity and of its presence (``standing_identity(..., lock=True)``).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from services.core.devices.presence.journeys import note_end_of_silence
from services.core.devices.presence.queries import battery_now
from services.core.devices.presence.rules import (
    KEEPALIVE_DEFAULT_S,
    OfflineReason,
    battery_after_reading,
    is_due_to_record,
)
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import measure_skew_s
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event, record_event_of_many
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import notify_watch


@dataclass(frozen=True)
class HelloReport:
    """The content of a hello; ``fields`` is stored as it is, for staff and for fitting content to the watch."""

    nonce: str
    tst: int
    contacts_version: int
    config_version: int
    fields: dict[str, Any]


async def record_hellos(work: UnitOfWork, hellos: Sequence[tuple[WatchIdentity, HelloReport]]) -> None:
    """Record hellos: the watches are online and hold these versions; everything unanswered is due again.

    The caller holds their families' rows.
    """
    came_back = {hello.child_id: hello.family_id for hello, report in hellos if not _record_hello(work, hello, report)}
    await record_event_of_many(work, "watch.presence", came_back, detail={"state": "online"})


def _record_hello(work: UnitOfWork, identity: WatchIdentity, report: HelloReport) -> bool:
    """Record a hello; return whether the watch was there before."""
    was_there = identity.online and identity.asleep_until_at is None
    if identity.last_hello_at is None:
        identity.first_boot = report.fields.get("boot")
    note_end_of_silence(work, identity)
    identity.connection_nonce = report.nonce
    identity.last_hello_at = work.now
    identity.presence.last_seen_at = work.now
    identity.presence.clock_skew_s = measure_skew_s(report.tst, work.now)
    identity.hello = report.fields
    identity.keepalive_s = int(report.fields.get("keepalive_s") or KEEPALIVE_DEFAULT_S)
    identity.contacts_acked_version = report.contacts_version
    identity.config_acked_version = report.config_version
    identity.contacts_sent_at = identity.config_sent_at = None
    identity.repeats = 0
    _set(work, identity, online=True)
    record_fact(work, "hello", watch_id=identity.watch_id, child_id=identity.child_id, family_id=identity.family_id)
    return was_there


async def record_status(
    work: UnitOfWork, identity: WatchIdentity, state: str, *, nonce: str | None, until_tst: int
) -> None:
    """Record a status: ``online``, ``asleep``, ``off`` (switched off), or a will (``offline``).

    A will whose nonce is not the latest hello's belongs to an earlier connection and is ignored. ``until_tst`` is in
    Unix seconds; 0 stands for an unknown end.
    """
    if state == "offline":
        if nonce == identity.connection_nonce and identity.online:
            await record_offline(work, identity, OfflineReason.WILL)
        return
    note_end_of_silence(work, identity)
    identity.presence.last_seen_at = work.now
    if state == "off":
        await record_offline(work, identity, OfflineReason.OFF)
        return
    until = datetime.fromtimestamp(until_tst, UTC) if state == "asleep" and until_tst else None
    _set(work, identity, online=True, asleep_until_at=until)
    await notify_presence(work, identity)


async def record_seen(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Record that a message of the watch arrived; every handler of an uplink calls it first.

    The time is written at most once in rules.SEEN_RESOLUTION: otherwise each message would rewrite a row. A watch that
    counted as offline is online again; the guardians are notified by the downlink that follows, because an event takes
    the family's lock, which comes after the locks of the handler.
    """
    if is_due_to_record(identity.presence.last_seen_at, work.now):
        note_end_of_silence(work, identity)
        identity.presence.last_seen_at = work.now
        work.add(identity.presence)
    if not identity.online:
        _set(work, identity, online=True)
        await notify_watch(work, identity.username, back=True)


async def record_offline(work: UnitOfWork, identity: WatchIdentity, why: OfflineReason) -> None:
    """Record that the watch is offline; a repeat changes nothing, the first reason stays."""
    if identity.online:
        _set(work, identity, online=False, gone_by=why.value)
        await notify_presence(work, identity)


async def record_disconnected(work: UnitOfWork, usernames: Collection[str]) -> None:
    """Record that the broker closed these users' connections; ended identities and unknown names are skipped."""
    result = await work.session.exec(
        select(WatchIdentity)
        .where(
            col(WatchIdentity.username).in_(usernames),
            col(WatchIdentity.ended_at).is_(None),
            col(WatchIdentity.online),
        )
        .order_by(col(WatchIdentity.username))
        .with_for_update(key_share=True)
    )
    # Each event locks its family: families in one order, so that two calls cannot deadlock.
    for identity in sorted(result.all(), key=lambda presence: presence.family_id):
        await record_offline(work, identity, OfflineReason.KICKED)


def _set(
    work: UnitOfWork, identity: WatchIdentity, *, online: bool, gone_by: str = "",
    asleep_until_at: datetime | None = None,
) -> None:  # fmt: skip
    changed = (identity.online, identity.gone_by, identity.asleep_until_at) != (online, gone_by, asleep_until_at)
    if changed or identity.presence_since_at is None:
        identity.presence_since_at = work.now
    identity.online = online
    identity.gone_by = gone_by
    identity.asleep_until_at = asleep_until_at
    work.add(identity)


def store_battery_level(work: UnitOfWork, identity: WatchIdentity, level_pct: int) -> None:
    """Store a battery level (percent) that any message of the watch carried."""
    known = battery_after_reading(battery_now(identity), level_pct, work.now)
    row = identity.presence
    row.battery_pct, row.battery_at = known.level_pct, known.at
    row.battery_before_pct, row.battery_before_at = known.before_pct, known.before_at
    work.add(row)


@dataclass(frozen=True)
class AcknowledgedList:
    """A watch holds this version of ``contacts`` or ``config`` (``what``) by its own acknowledgement."""

    identity: WatchIdentity
    what: str
    version: int


async def record_acknowledged_lists(work: UnitOfWork, acknowledged: Sequence[AcknowledgedList]) -> None:
    """Record acknowledgements of any number of watches, in their order. The caller holds their families' rows."""
    groups: defaultdict[tuple[str, int], dict[uuid.UUID, uuid.UUID]] = defaultdict(dict)
    for acknowledgement in acknowledged:
        identity = acknowledgement.identity
        if acknowledgement.what == "contacts":
            identity.contacts_acked_version = acknowledgement.version
        else:
            identity.config_acked_version = acknowledgement.version
        identity.repeats = 0
        work.add(identity)
        groups[acknowledgement.what, acknowledgement.version][identity.child_id] = identity.family_id
    for (what, version), families in groups.items():
        await record_event_of_many(work, f"{what}.acknowledged", families, detail={"version": version})


async def notify_presence(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Notify the guardians of the watch's state; call it last, because an event takes the family's lock."""
    state = "asleep" if identity.asleep_until_at else "online" if identity.online else "offline"
    await record_event(work, identity.family_id, "watch.presence", child_id=identity.child_id, detail={"state": state})
