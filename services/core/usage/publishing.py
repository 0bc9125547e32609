"""Publish weeks: computed once, when nothing more is waited for, controlled for disclosure, and never changed again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import insert, or_
from sqlmodel import col, select

from services.core.db.database import UnitOfWork
from services.core.disclosure import LEAST, Audience, Groups, hidden_groups, membership_is_telling, rounded
from services.core.families.tables import Enrolment
from services.core.programme.tables import Programme, Site
from services.core.usage.counting import hold_counting
from services.core.usage.measured import measured_since
from services.core.usage.rules import INDICATORS, FamilyWeek, Indicator, Kind, Measure, quarter_of, week_of
from services.core.usage.tables import UsageCell, UsagePopulation, UsageWeek
from services.core.usage.weeks import family_weeks

# A week is told when it can no longer change: what was said in it is followed for 7 days, and everywhere on earth it is
# over a day after it is over in UTC.
_TOLD_AFTER: Final = timedelta(days=7 + 7 + 1)


async def publish_one_week(work: UnitOfWork) -> bool:
    """Publish the next week of a programme whose time has come; return whether there was one."""
    if not await hold_counting(work):
        return False
    for programme_id in await work.session.exec(select(Programme.programme_id).order_by(col(Programme.created_at))):
        week = await _next_week(work, programme_id)
        if week is not None and _moment(week) + _TOLD_AFTER <= work.now:
            await publish_week(work, programme_id, week)
            return True
    return False


async def publish_week(work: UnitOfWork, programme_id: uuid.UUID, week: date) -> None:
    """Publish one week of one programme; the caller holds the counting lock and publishes week after week."""
    quarter = quarter_of(week)
    await _fix_population(work, programme_id, quarter)
    found = await work.session.exec(
        select(UsagePopulation).where(UsagePopulation.programme_id == programme_id, UsagePopulation.quarter == quarter)
    )
    fixed = found.all()
    measured = await measured_since(work, [one.family_id for one in fixed])
    population = [one for one in fixed if one.family_id in measured]
    scopes = _Scopes.of(programme_id, population)
    weeks = await family_weeks(work, population, week)
    changed = await _changes(work, programme_id, week, quarter, scopes)
    cells = controlled_cells(scopes, weeks, changed)
    work.add(
        UsageWeek(
            programme_id=programme_id, week=week, quarter=quarter, published_at=work.now,
            members={str(scope): len(members) for scope, members in scopes.members.items()},
        )
    )  # fmt: skip
    await work.flush()
    if cells:
        rows = [{"programme_id": programme_id, "week": week, **cell} for cell in cells]
        await (await work.session.connection()).execute(insert(UsageCell), rows)


@dataclass(frozen=True)
class _Scopes:
    """A programme, its sites and their cohorts: which families each has, and which is part of which."""

    members: Mapping[uuid.UUID, Sequence[uuid.UUID]]
    parent: Mapping[Hashable, Hashable | None]

    @classmethod
    def of(cls, programme_id: uuid.UUID, population: Sequence[UsagePopulation]) -> _Scopes:
        members: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        parent: dict[Hashable, Hashable | None] = {}
        for one in population:
            for scope in (programme_id, one.site_id, one.cohort_id):
                members[scope].append(one.family_id)
            parent |= {programme_id: None, one.site_id: programme_id, one.cohort_id: one.site_id}
        return cls(members, parent)


def controlled_cells(
    scopes: _Scopes, weeks: Mapping[uuid.UUID, FamilyWeek], changed: Mapping[Hashable, tuple[int, int]]
) -> list[dict[str, Any]]:
    """Return every cell of a week, for every audience, without those that must not be shown.

    ``changed``: how many families went from and came to each scope since the week before.
    """
    groups = {scope: [weeks[family_id] for family_id in members] for scope, members in scopes.members.items()}
    measures = {code: {scope: one.formula(families) for scope, families in groups.items()}
                for code, one in INDICATORS.items()}  # fmt: skip
    cells: list[dict[str, Any]] = []
    hidden_inside: dict[str, frozenset[Hashable]] = {}
    for audience in Audience:
        least = LEAST[audience]
        telling = {scope for scope, (gone, come) in changed.items() if membership_is_telling(gone, come, least)}
        sizes = Groups(scopes.parent, {scope: len(members) for scope, members in scopes.members.items()})
        # What is hidden inside stays hidden outside, so that both tables together tell no more than one.
        unknown = hidden_groups(sizes, least, telling | hidden_inside.get("", frozenset()))
        hidden_inside[""] = unknown
        for code, indicator in INDICATORS.items():
            hidden = unknown | hidden_inside.get(code, frozenset())
            if indicator.kind in _TOLD_BY_COUNTS:
                hidden = hidden_groups(_shares(scopes, measures[code]), least, hidden)
            hidden_inside[code] = hidden
            for scope, measure in measures[code].items():
                shown = None if scope in hidden else _shown(indicator, measure, sizes.count[scope], least)
                cells.append({"audience": audience.value, "scope_id": scope, "indicator": code,
                              "version": indicator.version, **(shown or _NOTHING)})  # fmt: skip
    return cells


_QUARTERS: Final = 4
# Whatever is a share of families could be had by subtraction.
_TOLD_BY_COUNTS: Final = (Kind.SHARE_OF_FAMILIES, Kind.SHARE_OF_WEEKS, Kind.SURVIVAL)
_NOTHING: Final[dict[str, Any]] = {
    "n": None, "count": None, "value": None, "lower_quartile": None, "upper_quartile": None,
}  # fmt: skip


def _shares(scopes: _Scopes, measures: Mapping[uuid.UUID, Measure]) -> Groups:
    return Groups(
        scopes.parent,
        {
            # Of survival: how many it has lost.
            scope: round(one.families * (1 - (one.value or 1))) if one.count is None else one.count
            for scope, one in measures.items()
        },
        {scope: one.families for scope, one in measures.items()},
    )


def _shown(indicator: Indicator, measure: Measure, members: int, least: int) -> dict[str, Any] | None:
    """Return a measure as it is shown, or None: too few families, or everybody or nobody."""
    if measure.value is None or measure.families < least:
        return None
    told = {**_NOTHING, "n": rounded(members)}
    match indicator.kind:
        case Kind.SHARE_OF_FAMILIES:
            # From the rounded counts: a share of its own would tell the counts.
            n, count = rounded(measure.families), rounded(measure.count or 0)
            return {**told, "count": count, "value": round(count / n, 2)} if 0 < count < n else None
        case Kind.RATIO:
            value = round(measure.value, 2)
            return {**told, "value": value} if 0 < value < 1 else None
        case Kind.SURVIVAL | Kind.SHARE_OF_WEEKS:
            # One family of a small cohort would show as a step of its own: told in twentieths.
            value = round(round(measure.value * 20) / 20, 2)
            return {**told, "value": value} if 0 < value < 1 else None
        case _:
            told["value"] = round(measure.value, indicator.digits)
            # A quarter of the families is a group, too.
            if measure.families >= _QUARTERS * least and measure.lower_quartile is not None:
                told["lower_quartile"] = round(measure.lower_quartile, indicator.digits)
                told["upper_quartile"] = round(measure.upper_quartile or 0, indicator.digits)
            return told


async def _next_week(work: UnitOfWork, programme_id: uuid.UUID) -> date | None:
    """Return the Monday of the week to publish next; None before the first family."""
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


async def _fix_population(work: UnitOfWork, programme_id: uuid.UUID, quarter: date) -> None:
    """Fix whom a quarter's numbers are about, once: families that take part and agree since before it began."""
    known = await work.session.exec(
        select(UsageWeek).where(UsageWeek.programme_id == programme_id, UsageWeek.quarter == quarter).limit(1)
    )
    if known.first() is not None:
        return
    begins_at = _moment(quarter)
    found = await work.session.exec(
        select(Enrolment)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(
            col(Site.programme_id) == programme_id,
            col(Enrolment.enrolled_at) < begins_at,
            or_(col(Enrolment.ended_at).is_(None), col(Enrolment.ended_at) > begins_at),
        )
        .order_by(col(Enrolment.enrolled_at))
    )
    # The latest of each family, should it have taken part twice.
    enrolments = {one.family_id: one for one in found}
    measured = await measured_since(work, enrolments)
    work.add(
        *(
            UsagePopulation(
                quarter=quarter, family_id=family_id, programme_id=programme_id, site_id=one.site_id,
                cohort_id=one.cohort_id,
            )
            for family_id, one in enrolments.items()
            if family_id in measured and measured[family_id] < begins_at
        )
    )  # fmt: skip
    await work.flush()


async def _changes(
    work: UnitOfWork, programme_id: uuid.UUID, week: date, quarter: date, scopes: _Scopes
) -> dict[Hashable, tuple[int, int]]:
    """Return how many families each scope lost and gained since the week before.

    Who is erased leaves no trace but the number that was there: the population still has the others.
    """
    before = await work.session.get(UsageWeek, (programme_id, week - timedelta(days=7)))
    if before is None or not before.members:
        return {}
    earlier: dict[uuid.UUID, set[uuid.UUID]] = {scope: set(members) for scope, members in scopes.members.items()}
    if before.quarter != quarter:
        found = await work.session.exec(
            select(UsagePopulation).where(
                UsagePopulation.programme_id == programme_id, UsagePopulation.quarter == before.quarter
            )
        )
        earlier = {scope: set(ids) for scope, ids in _Scopes.of(programme_id, found.all()).members.items()}
    changes: dict[Hashable, tuple[int, int]] = {}
    for scope, members in scopes.members.items():
        stayed = len(earlier.get(scope, set()) & set(members))
        changes[scope] = before.members.get(str(scope), 0) - stayed, len(members) - stayed
    return changes


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
