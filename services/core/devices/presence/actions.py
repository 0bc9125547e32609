"""Presence and versions: what is heard from a watch that is paired."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from services.core.devices.presence.rules import (
    KEEPALIVE_DEFAULT_S,
    Battery,
    Heard,
    OfflineReason,
    Presence,
    battery_after_reading,
    derive_presence,
)
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.devices.watches.timestamps import AssignmentSpan, WatchClock, measure_skew_s
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.outbox.actions import notify_watch


@dataclass(frozen=True)
class HelloReport:
    """What a hello says, in our words; ``said`` is kept for staff and for fitting content to the watch."""

    nonce: str
    tst: int
    contacts_version: int
    config_version: int
    said: dict[str, Any]


def clock_of_watch(identity: WatchIdentity) -> WatchClock:
    """Return what is known of the watch's clock."""
    return WatchClock(
        skew_s=identity.clock_skew_s,
        hello_at=identity.last_hello_at,
        hello_boot=identity.hello.get("boot"),
        hello_mono_s=identity.hello.get("mono_s"),
    )


async def assignment_spans(work: UnitOfWork, identities: Collection[WatchIdentity]) -> dict[str, list[AssignmentSpan]]:
    """Return when each of these watches was paired with the child that wears it now, by the standing user name.

    A pairing whose credentials were lost is followed by another one with the same child: what lies between is nobody's.
    """
    found = await work.session.exec(
        select(WatchIdentity.watch_id, WatchIdentity.child_id, WatchIdentity.issued_at, WatchIdentity.ended_at).where(
            # By their families, which the table has an index for; a child's earlier watches are others.
            col(WatchIdentity.family_id).in_({one.family_id for one in identities}),
            col(WatchIdentity.child_id).in_({one.child_id for one in identities}),
            col(WatchIdentity.ended_at).is_not(None),
        )
    )
    earlier: dict[tuple[uuid.UUID, uuid.UUID], list[AssignmentSpan]] = {}
    for watch_id, child_id, began_at, ended_at in found:
        earlier.setdefault((watch_id, child_id), []).append(AssignmentSpan(began_at, ended_at))
    return {
        one.username: [AssignmentSpan(one.issued_at), *earlier.get((one.watch_id, one.child_id), [])]
        for one in identities
    }


async def record_hello(work: UnitOfWork, identity: WatchIdentity, report: HelloReport) -> None:
    """Take a hello: the watch is there, these versions are on it, and everything unanswered is told again."""
    was_there = identity.online and identity.asleep_until_at is None
    if identity.last_hello_at is None:
        identity.first_boot = report.said.get("boot")
    identity.connection_nonce = report.nonce
    identity.last_hello_at = identity.last_seen_at = work.now
    identity.clock_skew_s = measure_skew_s(report.tst, work.now)
    identity.hello = report.said
    identity.keepalive_s = int(report.said.get("keepalive_s") or KEEPALIVE_DEFAULT_S)
    identity.contacts_acked_version = report.contacts_version
    identity.config_acked_version = report.config_version
    identity.contacts_sent_at = identity.config_sent_at = None
    identity.repeats = 0
    _set(work, identity, online=True)
    record_fact(work, "hello", watch_id=identity.watch_id, child_id=identity.child_id, family_id=identity.family_id)
    if not was_there:
        await notify_presence(work, identity)


async def record_status(
    work: UnitOfWork, identity: WatchIdentity, state: str, *, nonce: str | None, until_tst: int
) -> None:
    """Take a status: online, asleep until, switched off, or a will.

    A will (``offline``) with another nonce than the latest hello's belongs to a connection that is gone: ignored.
    """
    if state == "offline":
        if nonce == identity.connection_nonce and identity.online:
            await record_offline(work, identity, OfflineReason.WILL)
        return
    identity.last_seen_at = work.now
    if state == "off":
        await record_offline(work, identity, OfflineReason.OFF)
        return
    until = datetime.fromtimestamp(until_tst, UTC) if state == "asleep" and until_tst else None
    _set(work, identity, online=True, asleep_until_at=until)
    await notify_presence(work, identity)


async def record_seen(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Take note that the watch has said something: it is there. One that counted as gone is looked at again.

    The look tells the guardians, too: here, where a handler begins, the family's lock would come before the others.
    """
    identity.last_seen_at = work.now
    work.add(identity)
    if not identity.online:
        _set(work, identity, online=True)
        await notify_watch(work, identity.username, back=True)


async def record_offline(work: UnitOfWork, identity: WatchIdentity, why: OfflineReason) -> None:
    """Take note that the watch is not there any more; one that is gone already stays as it is."""
    if identity.online:
        _set(work, identity, online=False, gone_by=why.value)
        await notify_presence(work, identity)


async def record_disconnected(work: UnitOfWork, usernames: Collection[str]) -> None:
    """The broker has closed these users' connections: those that still stand are offline from now on."""
    found = await work.session.exec(
        select(WatchIdentity)
        .where(
            col(WatchIdentity.username).in_(usernames),
            col(WatchIdentity.ended_at).is_(None),
            col(WatchIdentity.online),
        )
        .order_by(col(WatchIdentity.username))
        .with_for_update(key_share=True)
    )
    # Families in one order, too: their events take their locks one after the other.
    for identity in sorted(found.all(), key=lambda one: one.family_id):
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


def battery_of(identity: WatchIdentity) -> Battery:
    """Return what is known of the watch's battery."""
    return Battery(
        identity.battery_pct, identity.battery_at, identity.battery_before_pct, identity.battery_before_at
    )  # fmt: skip


def store_battery_level(work: UnitOfWork, identity: WatchIdentity, level_pct: int) -> None:
    """Take note of a battery level, whatever the watch told it with."""
    known = battery_after_reading(battery_of(identity), level_pct, work.now)
    identity.battery_pct, identity.battery_at = known.level_pct, known.at
    identity.battery_before_pct, identity.battery_before_at = known.before_pct, known.before_at
    work.add(identity)


def presence_of_watch(identity: WatchIdentity, watch: Watch, site: Site, now: datetime) -> Presence:
    """Return how a paired watch is, and since when; a SIM's plan ends with a day of the watch's site."""
    return derive_presence(
        Heard(
            has_said_hello=identity.last_hello_at is not None, online=identity.online, gone_by=identity.gone_by,
            since_at=identity.presence_since_at, last_seen_at=identity.last_seen_at,
            asleep_until_at=identity.asleep_until_at, battery=battery_of(identity),
            sim_expires_on=watch.sim_expires_on, timezone=site.timezone,
        ),
        now,
    )  # fmt: skip


async def record_acknowledged_version(work: UnitOfWork, identity: WatchIdentity, what: str, version: int) -> None:
    """Take the acknowledgement of a contact list or configuration (``what``: contacts or config) by version."""
    if what == "contacts":
        identity.contacts_acked_version = version
    else:
        identity.config_acked_version = version
    identity.repeats = 0
    work.add(identity)
    await record_event(
        work, identity.family_id, f"{what}.acknowledged", child_id=identity.child_id, detail={"version": version}
    )


async def notify_presence(work: UnitOfWork, identity: WatchIdentity) -> None:
    """Tell the guardians how the watch is now; last of all, since an event takes the family's lock."""
    state = "asleep" if identity.asleep_until_at else "online" if identity.online else "offline"
    await record_event(work, identity.family_id, "watch.presence", child_id=identity.child_id, detail={"state": state})
