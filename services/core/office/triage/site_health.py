"""Watches and families of a site for staff: devices, states and family codes, one page at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlmodel import col, select

from services.core.devices.presence.queries import battery_now, connection_state, journey, last_seen_at
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.queries import has_primary_guardian
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.tables import Cohort
from services.core.platform.db.database import UnitOfWork

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows, and whether more rows follow."""

    rows: list[Row]
    has_more: bool


@dataclass(frozen=True)
class Health:
    """Technical state of a watch; ``presence`` None: not paired.

    ``on_its_way_since_at`` is None once the watch has arrived with the child.
    ``refused_packets`` counts protocol-violating MQTT packets since the registration: the firmware is faulty.
    """

    serial: str
    model: str
    state: str
    presence: str | None
    last_seen_at: datetime | None
    battery_pct: int | None
    firmware: str | None
    refused_packets: int = 0
    on_its_way_since_at: datetime | None = None


@dataclass(frozen=True)
class FamilyRow:
    """A family by its code; ``has_logged_in``: its enrolled guardian has logged in at least once."""

    family_code: str
    cohort: str
    enrolled_at: datetime
    has_logged_in: bool
    watches: list[Health]


async def watches_at(
    work: UnitOfWork,
    site_id: uuid.UUID,
    *,
    after: str | None,
    limit: int,
    state: str | None = None,
    prefix: str = "",
    only: str | None = None,
) -> Page[tuple[Health, str | None]]:
    """Return the site's watches after the serial ``after``, each with the code of its family.

    ``prefix``: only serials that begin with it. ``only``: this serial alone.
    """
    statement = (
        select(Watch, WatchIdentity, Family.family_code)
        .options(WITH_PRESENCE)
        .outerjoin(Family, col(Family.family_id) == col(Watch.handed_out_to))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(Watch.site_id == site_id, col(Watch.serial) > (after or ""))
        .order_by(col(Watch.serial))
        .limit(limit + 1)
    )
    if state is not None:
        statement = statement.where(Watch.state == state)
    if prefix:
        statement = statement.where(col(Watch.serial).startswith(prefix.upper(), autoescape=True))
    if only is not None:
        statement = statement.where(Watch.serial == only)
    rows: list[tuple[Health, str | None]] = [
        (_health(watch, identity, work.now), family_code)
        for watch, identity, family_code in await work.session.exec(statement)
    ]
    return Page(rows[:limit], len(rows) > limit)


async def families_at(
    work: UnitOfWork,
    site_id: uuid.UUID,
    *,
    after: str | None,
    limit: int,
    prefix: str = "",
    only: str | None = None,
) -> Page[FamilyRow]:
    """Return the families enrolled at the site after the code ``after``.

    ``prefix``: only codes that begin with it. ``only``: this code alone.
    """
    narrowed = [col(Family.family_code).startswith(prefix.upper(), autoescape=True)] if prefix else []
    narrowed += [] if only is None else [col(Family.family_code) == only]
    families = (
        await work.session.exec(
            select(Family, Enrolment, Cohort.name, has_primary_guardian())
            .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
            .join(Cohort, col(Cohort.cohort_id) == col(Enrolment.cohort_id))
            .where(
                Enrolment.site_id == site_id,
                col(Enrolment.ended_at).is_(None),
                col(Family.family_code) > (after or ""),
                *narrowed,
            )
            .order_by(col(Family.family_code))
            .limit(limit + 1)
        )
    ).all()
    shown = families[:limit]
    watches = await _watches_of(work, [family.family_id for family, _, _, _ in shown])
    rows = [
        FamilyRow(family.family_code, cohort, enrolment.enrolled_at, has_logged_in, watches.get(family.family_id, []))
        for family, enrolment, cohort, has_logged_in in shown
    ]
    return Page(rows, len(families) > limit)


async def _watches_of(work: UnitOfWork, family_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Health]]:
    result = await work.session.exec(
        select(Watch, WatchIdentity)
        .options(WITH_PRESENCE)
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(col(Watch.handed_out_to).in_(family_ids))
        .order_by(col(Watch.serial))
    )
    watches: dict[uuid.UUID, list[Health]] = {}
    for watch, identity in result:
        if watch.handed_out_to is not None:
            watches.setdefault(watch.handed_out_to, []).append(_health(watch, identity, work.now))
    return watches


def _health(watch: Watch, identity: WatchIdentity | None, now: datetime) -> Health:
    if identity is None:
        return Health(
            watch.serial, watch.model, watch.state, None, None, None, None, refused_packets=watch.refused_packets
        )  # fmt: skip
    firmware = identity.hello.get("firmware")
    on_its_way = journey(identity, now)
    return Health(
        watch.serial, watch.model, watch.state, connection_state(identity, now), last_seen_at(identity),
        battery_now(identity).level_pct, firmware if isinstance(firmware, str) else None,
        watch.refused_packets, None if on_its_way is None else on_its_way.since_at,
    )  # fmt: skip
