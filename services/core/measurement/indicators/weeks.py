"""Read the input of one published week: a FamilyWeek for each family of the programme's population."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select as sql_select
from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from services.core.devices.presence.battery_levels import LOW_PCT
from services.core.measurement.counting.days import local_day
from services.core.measurement.indicators.rules import (
    LONGEST_GAP_LOOK_BACK_DAYS,
    WAKING_HOURS,
    FamilyWeek,
    assigned_days,
    drop_out,
    longest_gap,
)
from services.core.measurement.tables import FamilyDay, UsagePopulation, WatchDay
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.tables import Fact

_COMES = ("watch_handed_out", "paired")
_GOES = ("watch_returned", "watch_lost", "watch_broken")
_WAKING = sum(1 << hour for hour in WAKING_HOURS)

# One array a family: as rows they would be close to a million for a large programme late in its year.
_CONTACTS = text("""
    SELECT family_id, array_agg(day ORDER BY day) FROM family_day
     WHERE family_id = ANY(:families) AND day <= :last AND to_child + to_family + calls > 0 GROUP BY family_id
""")


@dataclass(frozen=True)
class Held:
    """A family's time with a watch; ``last`` None: it still has it. ``how`` names the fact that ended it."""

    first: date
    last: date | None
    how: str | None


async def family_weeks(
    work: UnitOfWork, population: Sequence[UsagePopulation], week: date
) -> dict[uuid.UUID, FamilyWeek]:
    """Return what each of these families did in the week that begins on this Monday, in its site's time zone."""
    families = [member.family_id for member in population]
    zones = await _zones(work)
    periods = await held_watches(work, families, {member.family_id: zones[member.site_id] for member in population})
    last = week + timedelta(days=6)
    days = await _days(work, FamilyDay, families, week, last)
    health = await _days(work, WatchDay, families, week, last)
    contacts = await _contacts(work, families, last)
    return {
        family_id: _family_week(family_id, week, periods[family_id], days[family_id], health[family_id],
                                contacts[family_id])
        for family_id in families
    }  # fmt: skip


def _family_week(
    family_id: uuid.UUID,
    week: date,
    periods: Sequence[Held],
    days: Sequence[Any],
    health: Sequence[Any],
    contacts: Sequence[date],
) -> FamilyWeek:
    last = week + timedelta(days=6)
    first = min((period.first for period in periods), default=None)
    first_seen = max(first or last, last - timedelta(days=LONGEST_GAP_LOOK_BACK_DAYS - 1))
    returned_on = periods[-1].last if periods and periods[-1].how == "watch_returned" else None
    dropped = None if first is None or first > last else drop_out(contacts, first, last, returned_on)
    until = last if dropped is None else dropped[0]
    spoke_on = contacts[-1] if contacts else first or last
    return FamilyWeek(
        family_id=family_id,
        assigned_days=assigned_days([(period.first, period.last) for period in periods], week),
        to_child=sum(day.to_child for day in days),
        to_family=sum(day.to_family for day in days),
        voice_s=sum(day.voice_s for day in days),
        delivered=sum(day.delivered for day in days),
        delivered_5_min=sum(day.delivered_5_min for day in days),
        delivered_24_h=sum(day.delivered_24_h for day in days),
        played_7_d=sum(day.played_7_d for day in days),
        calls=sum(day.calls for day in days),
        worn_s=sum(day.worn_s for day in days),
        reminders=sum(day.reminders for day in days),
        reminders_followed=sum(day.reminders_followed for day in days),
        contact_days=sum(day >= week for day in contacts),
        longest_gap_days=longest_gap(contacts, first_seen, last),
        silent_days=(last - spoke_on).days,
        heartbeat_hours=sum((day.hours & _WAKING).bit_count() for day in _one_a_day(health)),
        low_battery_days=len({
            day.day for day in health if day.battery_min_pct is not None and day.battery_min_pct <= LOW_PCT
        }),
        reboots=sum(day.reboots for day in health),
        child_waits=tuple((wait[0], wait[1]) for day in days for wait in day.child_waits),
        parent_waits=tuple((wait[0], wait[1]) for day in days for wait in day.parent_waits),
        followed_days=0 if first is None or first > last else (until - first).days + 1,
        drop_out_reason=None if dropped is None else dropped[1],
    )  # fmt: skip


def _one_a_day(health: Sequence[Any]) -> list[Any]:
    """Return the watch that was heard longest on each day: a family with two watches has no more hours than a day."""
    best: dict[date, Any] = {}
    for day in health:
        if day.day not in best or day.hours.bit_count() > best[day.day].hours.bit_count():
            best[day.day] = day
    return list(best.values())


async def held_watches(
    work: UnitOfWork, families: Sequence[uuid.UUID], zones: Mapping[uuid.UUID, ZoneInfo]
) -> dict[uuid.UUID, list[Held]]:
    """Return when each family had a watch: from hand-out or pairing until it was returned, lost or broken."""
    result = await work.session.exec(
        select(Fact.family_id, Fact.watch_id, Fact.kind, Fact.received_at)
        .where(col(Fact.family_id).in_(families), col(Fact.kind).in_([*_COMES, *_GOES]))
        .order_by(col(Fact.received_at))
    )
    began: dict[tuple[uuid.UUID, uuid.UUID], date] = {}
    periods: dict[uuid.UUID, list[Held]] = defaultdict(list)
    for family_id, watch_id, kind, received_at in result:
        if family_id is None or watch_id is None:
            continue
        day = local_day(received_at, zones[family_id])
        if kind in _COMES:
            began.setdefault((family_id, watch_id), day)
        elif (family_id, watch_id) in began:
            periods[family_id].append(Held(began.pop((family_id, watch_id)), day, kind))
    for (family_id, _), day in began.items():
        periods[family_id].append(Held(day, None, None))
    return periods


async def _zones(work: UnitOfWork) -> dict[uuid.UUID, ZoneInfo]:
    result = await work.session.exec(select(Site.site_id, Site.timezone))
    return {site_id: ZoneInfo(timezone) for site_id, timezone in result}


async def _days(
    work: UnitOfWork, table: type[SQLModel], families: Sequence[uuid.UUID], first: date, last: date
) -> dict[uuid.UUID, list[Any]]:
    """Return a table's rows between two days, by family; as columns, because there are many."""
    columns = table.__table__.columns  # type: ignore[attr-defined]
    result = await work.run(
        sql_select(*columns).where(columns["family_id"].in_(families), columns["day"] >= first, columns["day"] <= last)
    )
    days: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in result:
        days[row.family_id].append(row)
    return days


async def _contacts(work: UnitOfWork, families: Sequence[uuid.UUID], last: date) -> dict[uuid.UUID, list[date]]:
    """Return every day with a contact of each family, up to ``last``."""
    result = await work.run(_CONTACTS, {"families": families, "last": last})
    return defaultdict(list, {row["family_id"]: row["array_agg"] for row in result.mappings()})
