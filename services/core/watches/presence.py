"""Presence and versions: what is heard from a watch that is paired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.core.db.database import UnitOfWork
from services.core.events.actions import record_event
from services.core.facts.actions import record_fact
from services.core.watches.dating import WatchClock, measure_skew_s
from services.core.watches.tables import WatchIdentity


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


async def note_hello(work: UnitOfWork, identity: WatchIdentity, report: HelloReport) -> None:
    """Take a hello: the watch is there, these versions are on it, and everything unanswered is told again."""
    was_online = identity.online
    identity.online = True
    identity.asleep_until_at = None
    identity.connection_nonce = report.nonce
    identity.last_hello_at = identity.last_seen_at = work.now
    identity.clock_skew_s = measure_skew_s(report.tst, work.now)
    identity.hello = report.said
    identity.contacts_acked_version = report.contacts_version
    identity.config_acked_version = report.config_version
    identity.contacts_sent_at = identity.config_sent_at = None
    identity.repeats = 0
    work.add(identity)
    record_fact(work, "hello", watch_id=identity.watch_id, child_id=identity.child_id, family_id=identity.family_id)
    if not was_online:
        await _tell_presence(work, identity, "online")


async def note_status(
    work: UnitOfWork, identity: WatchIdentity, state: str, *, nonce: str | None, until_tst: int
) -> None:
    """Take a status: online, asleep until, or a will.

    A will (``offline``) with another nonce than the latest hello's belongs to a connection that is gone: ignored.
    """
    if state == "offline":
        if nonce != identity.connection_nonce or not identity.online:
            return
        identity.online = False
    else:
        identity.online = True
        identity.last_seen_at = work.now
        identity.asleep_until_at = datetime.fromtimestamp(until_tst, UTC) if state == "asleep" and until_tst else None
    work.add(identity)
    await _tell_presence(work, identity, state)


async def note_gone(work: UnitOfWork, identity: WatchIdentity) -> None:
    """The watch said nothing for so long that it cannot be there."""
    identity.online = False
    work.add(identity)
    await _tell_presence(work, identity, "offline")


async def note_ack(work: UnitOfWork, identity: WatchIdentity, what: str, version: int) -> None:
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


async def _tell_presence(work: UnitOfWork, identity: WatchIdentity, state: str) -> None:
    await record_event(work, identity.family_id, "watch.presence", child_id=identity.child_id, detail={"state": state})
