"""Publish weeks: computed once, when they can no longer change, controlled for disclosure, and never changed again."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import insert, or_
from sqlmodel import col, select

from services.core.measurement.counting.actions import hold_counting
from services.core.measurement.counting.consenting_families import measured_since
from services.core.measurement.indicators.rules import INDICATORS, quarter_of, week_of
from services.core.measurement.indicators.weeks import family_weeks
from services.core.measurement.publishing.controlling import (
    CUMULATIVE,
    NOTHING,
    Kept,
    Scopes,
    controlled_cells,
)
from services.core.measurement.publishing.headlines import fix_headlines
from services.core.measurement.publishing.sizes import MOVED, Dark
from services.core.measurement.tables import UsageCell, UsagePopulation, UsageWeek
from services.core.people.households.tables import Enrolment
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience

# A week is published when it can no longer change: its messages are followed for 7 days, and it is over everywhere on
# earth a day after it is over in UTC.
_TOLD_AFTER: Final = timedelta(days=7 + 7 + 1)


async def publish_one_week(work: UnitOfWork) -> bool:
    """Publish the next week that is due in a programme; return whether there was one."""
    if not await hold_counting(work):
        return False
    for programme_id in await work.session.exec(select(Programme.programme_id).order_by(col(Programme.created_at))):
        week = await _next_week(work, programme_id)
        if week is not None and _moment(week) + _TOLD_AFTER <= work.now:
            await publish_week(work, programme_id, week)
            return True
    return False


async def publish_week(work: UnitOfWork, programme_id: uuid.UUID, week: date) -> None:
    """Publish one week of one programme. The caller holds the counting lock and publishes week after week."""
    quarter = quarter_of(week)
    await _fix_population(work, programme_id, quarter)
    result = await work.session.exec(
        select(UsagePopulation).where(UsagePopulation.programme_id == programme_id, UsagePopulation.quarter == quarter)
    )
    fixed = result.all()
    measured = await measured_since(work, [member.family_id for member in fixed])
    population = [member for member in fixed if member.family_id in measured]
    scopes = Scopes.of(programme_id, population)
    weeks = await family_weeks(work, population, week)
    changed = await _changes(work, programme_id, week, quarter, scopes)
    dark_before = await _dark_before(work, programme_id, week, quarter, scopes)
    kept = await _cumulative_cells(work, programme_id, week - timedelta(days=7))
    cells, dark = controlled_cells(scopes, weeks, changed, dark_before, kept)
    work.add(
        UsageWeek(
            programme_id=programme_id, week=week, quarter=quarter, published_at=work.now,
            members={str(scope): len(members) for scope, members in scopes.members.items()},
            dark={of: sorted(str(scope) for scope in hidden) for of, hidden in dark.items()},
        )
    )  # fmt: skip
    await work.flush()
    await fix_headlines(work, programme_id, week, quarter, fixed)
    if cells:
        rows = [{"programme_id": programme_id, "week": week, **cell} for cell in cells]
        await (await work.session.connection()).execute(insert(UsageCell), rows)


async def _next_week(work: UnitOfWork, programme_id: uuid.UUID) -> date | None:
    """Return the Monday of the next week to publish; None before the first family."""
    latest = await work.session.exec(
        select(UsageWeek).where(UsageWeek.programme_id == programme_id).order_by(col(UsageWeek.week).desc())
        .limit(1)
    )  # fmt: skip
    if (published := latest.first()) is not None:
        return published.week + timedelta(days=7)
    first = await work.session.exec(
        select(Enrolment.enrolled_at)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Site.programme_id) == programme_id)
        .order_by(col(Enrolment.enrolled_at))
        .limit(1)
    )
    enrolled_at = first.first()
    return None if enrolled_at is None else week_of(enrolled_at.date())


async def _dark_before(work: UnitOfWork, programme_id: uuid.UUID, week: date, quarter: date, scopes: Scopes) -> Dark:
    """Return what the week before hid for the rest of its quarter.

    Another quarter is about other families, but for the scopes whose cumulative indicators stand still: they go on
    where the new population differs by k families or more from the one that the quarter before began with.
    """
    before = await work.session.get(UsageWeek, (programme_id, week - timedelta(days=7)))
    if before is None:
        return {}
    dark = {of: frozenset(uuid.UUID(scope) for scope in hidden) for of, hidden in before.dark.items()}
    if before.quarter == quarter:
        return dark
    began = await work.session.exec(
        select(UsageWeek)
        .where(UsageWeek.programme_id == programme_id, UsageWeek.quarter == before.quarter)
        .order_by(col(UsageWeek.week))
        .limit(1)
    )
    members_then: dict[str, int] = began.one().members
    earlier = await _population(work, programme_id, before.quarter)
    still: dict[str, frozenset[Hashable]] = {}
    for audience in Audience:
        moved = dark.get(f"{audience}/{MOVED}", frozenset()) & frozenset(scopes.parent)
        still[f"{audience}/{MOVED}"] = frozenset(
            scope
            for scope in moved
            if sum(_difference(members_then.get(str(scope), 0), earlier.get(scope, set()), scopes.members[scope]))
            < LEAST[audience]
        )
    return still


async def _population(work: UnitOfWork, programme_id: uuid.UUID, quarter: date) -> dict[Hashable, set[uuid.UUID]]:
    """Return the families of each scope in a quarter's population; erased ones are gone from it."""
    result = await work.session.exec(
        select(UsagePopulation).where(UsagePopulation.programme_id == programme_id, UsagePopulation.quarter == quarter)
    )
    return {scope: set(ids) for scope, ids in Scopes.of(programme_id, result.all()).members.items()}


def _difference(count_then: int, then: Collection[uuid.UUID], now: Collection[uuid.UUID]) -> tuple[int, int]:
    """Return how many families left and joined; ``then`` may lack erased ones, ``count_then`` has them."""
    stayed = len(set(then) & set(now))
    return count_then - stayed, len(now) - stayed


async def _cumulative_cells(work: UnitOfWork, programme_id: uuid.UUID, week: date) -> Kept:
    """Return the shown cells of a week that scopes with a changed membership repeat."""
    result = await work.session.exec(
        select(UsageCell).where(
            UsageCell.programme_id == programme_id,
            UsageCell.week == week,
            col(UsageCell.indicator).in_(CUMULATIVE),
            col(UsageCell.value).is_not(None),
        )
    )
    return {
        (cell.audience, cell.scope_id, cell.indicator): {name: getattr(cell, name) for name in NOTHING}
        for cell in result
        # A value of an earlier definition is not repeated as one of the present one.
        if cell.version == INDICATORS[cell.indicator].version
    }


async def _fix_population(work: UnitOfWork, programme_id: uuid.UUID, quarter: date) -> None:
    """Fix the population of a quarter, once: families that take part and consented before it began."""
    known = await work.session.exec(
        select(UsageWeek).where(UsageWeek.programme_id == programme_id, UsageWeek.quarter == quarter).limit(1)
    )
    if known.first() is not None:
        return
    begins_at = _moment(quarter)
    result = await work.session.exec(
        select(Enrolment)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(
            col(Site.programme_id) == programme_id,
            col(Enrolment.enrolled_at) < begins_at,
            or_(col(Enrolment.ended_at).is_(None), col(Enrolment.ended_at) > begins_at),
        )
        .order_by(col(Enrolment.enrolled_at))
    )
    # The latest enrolment of a family that took part twice.
    enrolments = {row.family_id: row for row in result}
    measured = await measured_since(work, enrolments)
    work.add(
        *(
            UsagePopulation(
                quarter=quarter, family_id=family_id, programme_id=programme_id, site_id=row.site_id,
                cohort_id=row.cohort_id,
            )
            for family_id, row in enrolments.items()
            if family_id in measured and measured[family_id] < begins_at
        )
    )  # fmt: skip
    await work.flush()


async def _changes(
    work: UnitOfWork, programme_id: uuid.UUID, week: date, quarter: date, scopes: Scopes
) -> dict[Hashable, tuple[int, int]]:
    """Return how many families each scope lost and gained since the week before.

    An erased family leaves only the former count behind: the population has all other families.
    """
    before = await work.session.get(UsageWeek, (programme_id, week - timedelta(days=7)))
    if before is None or not before.members:
        return {}
    earlier: dict[Hashable, set[uuid.UUID]] = {scope: set(members) for scope, members in scopes.members.items()}
    if before.quarter != quarter:
        earlier = await _population(work, programme_id, before.quarter)
    return {
        scope: _difference(before.members.get(str(scope), 0), earlier.get(scope, set()), members)
        for scope, members in scopes.members.items()
    }


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
