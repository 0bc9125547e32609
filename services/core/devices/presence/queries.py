"""Current state of a paired watch. Each figure has one function, which every face of the product calls.

The functions read ``identity.presence``: load the identity with ``watches.queries.WITH_PRESENCE``.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col

from services.core.devices.presence import rules
from services.core.devices.presence.rules import Battery, Journey, Presence, PresenceFacts, derive_presence
from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence
from services.core.devices.watches.timestamps import WatchClock
from services.core.people.programme.tables import Site


def last_seen_at(identity: WatchIdentity) -> datetime | None:
    """Return when the last message of the watch arrived, at most a minute too early; None before the first one."""
    return identity.presence.last_seen_at


def journey(identity: WatchIdentity, now: datetime) -> Journey | None:
    """Return the journey of a watch that is on its way to the child, or None once it has arrived."""
    return rules.journey_since(identity.presence.on_its_way_since_at, now)


def has_arrived() -> ColumnElement[bool]:
    """Return the same as a condition for statements that join WatchPresence: the watch is not on its way."""
    return col(WatchPresence.on_its_way_since_at).is_(None)


def silent_since(identity: WatchIdentity, now: datetime) -> datetime | None:
    """Return since when the watch has been silent if that is longer than 48 h, else None; see rules.silent_since."""
    on_its_way = journey(identity, now) is not None
    return rules.silent_since(last_seen_at(identity), identity.issued_at, now, on_its_way=on_its_way)


def battery_now(identity: WatchIdentity) -> Battery:
    """Return the last battery level that any message of the watch carried, with its time and its trend."""
    row = identity.presence
    return Battery(row.battery_pct, row.battery_at, row.battery_before_pct, row.battery_before_at)


def connection_state(identity: WatchIdentity, now: datetime) -> str:
    """Return ``asleep``, ``online`` or ``offline``: what the watch said last, without a guess at the reason."""
    if identity.asleep_until_at is not None and identity.asleep_until_at > now:
        return "asleep"
    return "online" if identity.online else "offline"


def presence_of_watch(identity: WatchIdentity, watch: Watch, site: Site, now: datetime) -> Presence:
    """Return the most likely state of a paired watch and since when; a SIM's plan ends with a day of its site."""
    return derive_presence(
        PresenceFacts(
            has_said_hello=identity.last_hello_at is not None, online=identity.online, gone_by=identity.gone_by,
            since_at=identity.presence_since_at, last_seen_at=last_seen_at(identity),
            asleep_until_at=identity.asleep_until_at, battery=battery_now(identity),
            sim_expires_on=watch.sim_expires_on, timezone=site.timezone, journey=journey(identity, now),
        ),
        now,
    )  # fmt: skip


def clock_of_watch(identity: WatchIdentity) -> WatchClock:
    """Return what the last hello showed of the watch's clock."""
    return WatchClock(
        skew_s=identity.presence.clock_skew_s,
        hello_at=identity.last_hello_at,
        hello_boot=identity.hello.get("boot"),
        hello_mono_s=identity.hello.get("mono_s"),
    )
