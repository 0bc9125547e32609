"""Read usage: published cells for readers of their audience, operational lists for a site's own staff."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import select as sql_select
from sqlmodel import col, func, select

from services.core.devices.presence.queries import battery_now, journey, last_seen_at
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import Watch, WatchGiven, WatchIdentity
from services.core.measurement.exports.files import Extract
from services.core.measurement.indicators.device_states import Device, device_states
from services.core.measurement.indicators.rules import SILENT_DAYS, Cell
from services.core.measurement.publishing.headlines import headline_of
from services.core.measurement.tables import UsageCell, UsageWeek
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.queries import cohorts_of, sites_of
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience


@dataclass(frozen=True)
class SilentFamily:
    """A family that its site's staff should contact: its code and its watch's health, nothing else."""

    family_code: str
    serial: str
    states: tuple[str, ...]
    battery_pct: int | None
    last_seen_at: datetime | None


async def published_cells(
    work: UnitOfWork,
    programme_id: uuid.UUID,
    audience: Audience,
    *,
    scope_id: uuid.UUID | None = None,
    indicator: str | None = None,
    first_week: date = date.min,
    last_week: date = date.max,
) -> list[Cell]:
    """Return published cells of a programme by week: of one scope, of one indicator, or all of a week.

    The cells are as they were published; no query selects another group.
    """
    chosen = [] if scope_id is None else [col(UsageCell.scope_id) == scope_id]
    chosen += [] if indicator is None else [col(UsageCell.indicator) == indicator]
    result = await work.run(
        # As columns: a year of one indicator is some 8,000 cells, and as objects they took 5 times as long.
        sql_select(*(col(getattr(UsageCell, field.name)) for field in fields(Cell)))
        .where(
            col(UsageCell.programme_id) == programme_id,
            col(UsageCell.audience) == audience,
            col(UsageCell.week) >= first_week,
            col(UsageCell.week) <= last_week,
            *chosen,
        )
        .order_by(col(UsageCell.week), col(UsageCell.scope_id), col(UsageCell.indicator))
    )  # fmt: skip
    return [Cell(*tuple(row)) for row in result]


@dataclass(frozen=True)
class Weeks:
    """Published weeks of one scope with their cells, and the first week of the next page (None: the last page)."""

    weeks: list[tuple[date, list[Cell]]]
    next_week: date | None


@dataclass(frozen=True)
class CellQuery:
    """Selection of published numbers: one scope, one indicator or all, between two days."""

    scope_id: uuid.UUID
    audience: Audience = Audience.STAFF
    indicator: str | None = None
    first_week: date = date.min
    last_week: date = date.max


async def published_weeks(work: UnitOfWork, programme_id: uuid.UUID, query: CellQuery, limit: int) -> Weeks:
    """Return a page of published weeks, oldest first; a published week has cells for each of its scopes."""
    result = await work.run(
        sql_select(col(UsageWeek.week))
        .where(
            col(UsageWeek.programme_id) == programme_id,
            col(UsageWeek.week) >= query.first_week,
            col(UsageWeek.week) <= query.last_week,
        )
        .order_by(col(UsageWeek.week))
        .limit(limit + 1)
    )
    weeks: list[date] = [week for (week,) in result]
    page = weeks[:limit]
    if not page:
        return Weeks([], None)
    cells = await published_cells(
        work, programme_id, query.audience, scope_id=query.scope_id, indicator=query.indicator,
        first_week=page[0], last_week=page[-1],
    )  # fmt: skip
    of_week: dict[date, list[Cell]] = {week: [] for week in page}
    for cell in cells:
        of_week[cell.week].append(cell)
    return Weeks(list(of_week.items()), weeks[limit] if len(weeks) > limit else None)


async def extract_of(
    work: UnitOfWork,
    programme: Programme,
    audience: Audience,
    *,
    site: Site | None = None,
    parts: bool = False,
    locale: str = "en",
) -> Extract:
    """Return everything published about a programme or one of its sites, with names; the input of files.

    ``parts`` adds the programme's sites; a site always includes its cohorts.
    """
    scopes = await scopes_of_file(work, programme, site, audience, parts=parts)
    cells: list[Cell] = []
    for scope_id in scopes:
        cells += await published_cells(work, programme.programme_id, audience, scope_id=scope_id)
    headline = await headline_of(work, programme.programme_id, audience, None if site is None else site.site_id)
    return Extract(
        next(iter(scopes.values())), audience, cells, scopes, work.now, locale, headline, simulated=programme.simulated
    )


async def scopes_of_file(
    work: UnitOfWork, programme: Programme, site: Site | None, audience: Audience, *, parts: bool
) -> dict[uuid.UUID, str]:
    """Return the scopes of a file by name: first the whole, then its parts (of a programme only if ``parts``).

    Outside the programme a site is named only where its setting says so; else it has a number and its country.
    """
    sites = await sites_of(work, programme.programme_id) if parts or site is not None else ()
    names = {
        row.site_id: row.name if audience is Audience.STAFF or row.named_outside else f"{row.country} {number}"
        for number, row in enumerate(sorted(sites, key=lambda row: (row.created_at, row.site_id)), start=1)
    }
    if site is None:
        return {programme.programme_id: programme.name, **{site.site_id: names[site.site_id] for site in sites}}
    name = names[site.site_id]
    cohorts = await cohorts_of(work, site)
    outside = audience is not Audience.STAFF and not site.named_outside
    return {
        site.site_id: name,
        **{
            row.cohort_id: f"{name} / {number if outside else row.name}"
            for number, row in enumerate(sorted(cohorts, key=lambda row: (row.created_at, row.cohort_id)), start=1)
        },
    }


async def silent_families(work: UnitOfWork, site_id: uuid.UUID) -> list[SilentFamily]:
    """Return the site's families whose watch has not been heard for 7 days, by code. An operational list, no statistic.

    For staff assigned to this site only. It rests on the health of the watch alone, which needs no consent to
    measurement: made of messages, the list would show which families have agreed to be counted. A watch that is not
    paired counts from its hand-out. A watch on its way to the child is left out until it is overdue, as in triage.
    """
    silent_since_at = work.now - timedelta(days=SILENT_DAYS)
    given = (
        select(WatchGiven.watch_id, func.max(col(WatchGiven.given_at)).label("given_at"))
        .where(col(WatchGiven.undone_at).is_(None))
        .group_by(col(WatchGiven.watch_id))
        .subquery()
    )
    result = await work.session.exec(
        select(Family.family_code, Watch, WatchIdentity, given.c.given_at)
        .options(WITH_PRESENCE)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(Watch, col(Watch.handed_out_to) == col(Family.family_id))
        .join(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
            isouter=True,
        )
        .join(given, given.c.watch_id == col(Watch.watch_id), isouter=True)
        .where(Enrolment.site_id == site_id, col(Enrolment.ended_at).is_(None))
        .order_by(col(Family.family_code), col(Watch.serial))
    )
    listed = []
    for family_code, watch, identity, given_at in result:
        device = _device(watch, identity, work.now)
        heard_at = device.last_seen_at or device.paired_at or given_at
        if heard_at is not None and heard_at > silent_since_at:
            continue
        if device.journey is not None and not device.journey.is_overdue:
            continue
        states = device_states(device, work.now)
        listed.append(SilentFamily(family_code, watch.serial, states, device.battery_pct, device.last_seen_at))
    return listed


async def device_counts(work: UnitOfWork, site_id: uuid.UUID) -> Counter[str]:
    """Return how many of the site's watches are in each state now; a watch may be in several. For its staff only.

    ``misdated_fixes``: watches that sent positions with an impossible date, so that the clock or the GPS module is
    faulty. Told of five watches or more: a position is kept only of a family that has agreed to location.
    """
    result = await work.session.exec(
        select(Watch, WatchIdentity)
        .options(WITH_PRESENCE)
        .join(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
            isouter=True,
        )
        .where(Watch.site_id == site_id)
    )
    rows: Sequence[tuple[Watch, WatchIdentity | None]] = result.all()
    counts: Counter[str] = Counter()
    for watch, identity in rows:
        counts.update(device_states(_device(watch, identity, work.now), work.now))
        counts["misdated_fixes"] += identity is not None and identity.misdated_fixes > 0
    if counts["misdated_fixes"] < LEAST[Audience.STAFF]:
        del counts["misdated_fixes"]
    return counts


def _device(watch: Watch, identity: WatchIdentity | None, now: datetime) -> Device:
    if identity is None:
        return Device(watch.state, None, None, None)
    return Device(
        watch.state, identity.issued_at, last_seen_at(identity), battery_now(identity).level_pct,
        journey(identity, now),
    )  # fmt: skip
