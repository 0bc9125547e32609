"""Publish weeks: computed once, when they can no longer change, controlled for disclosure, and never changed again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import insert, or_
from sqlmodel import col, select

from services.core.measurement.counting.actions import hold_counting
from services.core.measurement.counting.consenting_families import measured_since
from services.core.measurement.indicators.rules import (
    INDICATORS,
    FamilyWeek,
    Indicator,
    Kind,
    Measure,
    quarter_of,
    week_of,
)
from services.core.measurement.indicators.weeks import family_weeks
from services.core.measurement.publishing.headlines import fix_headlines
from services.core.measurement.tables import UsageCell, UsagePopulation, UsageWeek
from services.core.people.households.tables import Enrolment
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience, Groups, hidden_groups, membership_is_telling, rounded

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


@dataclass(frozen=True)
class Scopes:
    """A programme, its sites and their cohorts: the families of each scope, and the scope that each is part of."""

    members: Mapping[uuid.UUID, Sequence[uuid.UUID]]
    parent: Mapping[Hashable, Hashable | None]

    @classmethod
    def of(cls, programme_id: uuid.UUID, population: Sequence[UsagePopulation]) -> Scopes:
        members: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        parent: dict[Hashable, Hashable | None] = {}
        for member in population:
            for scope in (programme_id, member.site_id, member.cohort_id):
                members[scope].append(member.family_id)
            parent |= {programme_id: None, member.site_id: programme_id, member.cohort_id: member.site_id}
        return cls(members, parent)


Dark = Mapping[str, frozenset[Hashable]]
# Cells of cumulative indicators as they were published the week before: by audience, scope and indicator.
Kept = Mapping[tuple[str, Hashable, str], Mapping[str, Any]]


def controlled_cells(
    scopes: Scopes,
    weeks: Mapping[uuid.UUID, FamilyWeek],
    changed: Mapping[Hashable, tuple[int, int]],
    dark_before: Dark = MappingProxyType({}),
    kept: Kept = MappingProxyType({}),
) -> tuple[list[dict[str, Any]], dict[str, frozenset[Hashable]]]:
    """Return every cell of a week for every audience, suppressed where it must be; and what stays hidden.

    ``changed``: how many families left and joined each scope since the week before. ``dark_before``: what this function
    returned for the week before in the same quarter. ``kept``: what a scope whose membership changed goes on showing of
    its cumulative indicators.
    """
    groups = {scope: [weeks[family_id] for family_id in members] for scope, members in scopes.members.items()}
    measures = {
        code: {scope: indicator.formula(families) for scope, families in groups.items()
               if scopes.parent[scope] is None or not indicator.of_the_whole}
        for code, indicator in INDICATORS.items()
    }  # fmt: skip
    cells: list[dict[str, Any]] = []
    stays: dict[str, frozenset[Hashable]] = {}
    inside: dict[str, frozenset[Hashable]] = {}
    for audience in Audience:
        least = LEAST[audience]
        telling = {scope for scope, (gone, come) in changed.items() if membership_is_telling(gone, come, least)}
        # A cumulative indicator of a fixed population changes only when a family does: a week later it would tell
        # what the one family was that has left.
        moved: frozenset[Hashable] = frozenset(telling) | dark_before.get(
            f"{audience}/{_MOVED}", frozenset()
        ) & frozenset(scopes.parent)
        told = dark_before.get(f"{audience}/{_TOLD}", frozenset())
        told = frozenset(scope for scope in told if changed.get(scope, (0, 0)) == (0, 0))
        sizes = Groups(
            scopes.parent, {scope: len(members) for scope, members in scopes.members.items()}, known=told
        )  # fmt: skip
        small_before = dark_before.get(f"{audience}/{_SIZES}", frozenset())
        # Whatever is hidden from staff is hidden from the public, so that both tables together reveal no more than one.
        unknown = hidden_groups(sizes, least, telling | small_before | inside.get(_SIZES, frozenset()))
        hidden = {_SIZES: unknown}
        for code in _ORDER:
            known = unknown | inside.get(code, frozenset()) | dark_before.get(f"{audience}/{code}", frozenset())
            if code in _CUMULATIVE:
                known |= moved
            if INDICATORS[code].kind in _TOLD_BY_COUNTS:
                known = known.union(*(hidden[other] for other in _NEVER_BOTH.get(code, ())))
                known = hidden_groups(_shares(scopes, measures, code, hidden), least, known)
            hidden[code] = known
        few = _few_of_a_reason(measures, least) | dark_before.get(f"{audience}/{_REASONS}", frozenset())
        few |= stays.get(f"{Audience.STAFF}/{_REASONS}", frozenset())
        hidden |= dict.fromkeys(_OF_THE_WHOLE, few | hidden["drop_out"])
        cells += [
            {"audience": audience.value, "scope_id": scope, "indicator": code, "version": indicator.version,
             **((kept.get((audience.value, scope, code)) if code in _CUMULATIVE and scope in moved else
                 None if scope in hidden[code] else _shown(indicator, measure, sizes.count[scope], least))
                or _NOTHING)}
            for code, indicator in INDICATORS.items()
            for scope, measure in measures[code].items()
        ]  # fmt: skip
        inside = hidden
        # Scopes that are withheld for one week, and those hidden with them, may be shown in the next.
        small = hidden_groups(sizes, least, small_before | stays.get(f"{Audience.STAFF}/{_SIZES}", frozenset()))
        stays[f"{audience}/{_SIZES}"] = small
        stays[f"{audience}/{_REASONS}"] = few
        stays[f"{audience}/{_MOVED}"] = moved
        stays[f"{audience}/{_TOLD}"] = told | (frozenset(scopes.parent) - unknown)
        for code in _ONLY_GROWS:
            before = dark_before.get(f"{audience}/{code}", frozenset())
            # The programme hides no other scope and begins each quarter small: it is shown once it is large.
            parts = frozenset(scope for scope, over in scopes.parent.items() if over is not None)
            stays[f"{audience}/{code}"] = before | ((hidden[code] - (unknown - small)) & parts)
    return cells, stays


# Key under which scopes are kept that are hidden for their size.
_SIZES: Final = "families"
# Key under which scopes are kept that were shown with their present size.
_TOLD: Final = "told"
# Key under which scopes are kept whose membership has changed by fewer than k families in the quarter.
_MOVED: Final = "moved"
# Their value for a fixed population only grows, or only falls: see `moved`.
_CUMULATIVE: Final = frozenset(code for code in INDICATORS if code.startswith(("drop_out", "survival_")))
# Shown in the weeks before and after one in which it is hidden, this count would be known in that week, and by
# subtraction the count that it is hidden for.
_ONLY_GROWS: Final = ("drop_out",)
# A family of the first indicator is in none of the others: the active ones bound the silent ones.
_NEVER_BOTH: Final[Mapping[str, tuple[str, ...]]] = {"silent": ("active_use", "regularity")}
# Reasons for drop-out add up to it: both are shown or none. And the key under which that is kept.
_OF_THE_WHOLE: Final = tuple(code for code, indicator in INDICATORS.items() if indicator.of_the_whole)
_REASONS: Final = "drop_out_reasons"
_ORDER: Final = [
    *(code for code in INDICATORS if code not in (*_NEVER_BOTH, *_OF_THE_WHOLE)), *_NEVER_BOTH,
]  # fmt: skip
_QUARTERS: Final = 4
# Shares of families can be derived by subtraction.
_TOLD_BY_COUNTS: Final = (Kind.SHARE_OF_FAMILIES, Kind.SHARE_OF_WEEKS, Kind.SURVIVAL)
_NOTHING: Final[dict[str, Any]] = {
    "n": None, "count": None, "value": None, "lower_quartile": None, "upper_quartile": None,
}  # fmt: skip


def _shares(
    scopes: Scopes, measures: Mapping[str, Mapping[uuid.UUID, Measure]], code: str, hidden: Dark
) -> Groups:  # fmt: skip
    shown = [(other, scope) for other in _NEVER_BOTH.get(code, ()) for scope in measures[other]
             if scope not in hidden[other]]  # fmt: skip
    most: dict[Hashable, int] = {}
    for other, scope in shown:
        rest = measures[code][scope].families - (measures[other][scope].count or 0)
        most[scope] = min(most.get(scope, rest), rest)
    return Groups(
        scopes.parent,
        {
            # Of survival: the families that it has lost.
            scope: round(measure.families * (1 - (measure.value or 1))) if measure.count is None else measure.count
            for scope, measure in measures[code].items()
        },
        {scope: measure.families for scope, measure in measures[code].items()},
        most,
    )


def _few_of_a_reason(measures: Mapping[str, Mapping[uuid.UUID, Measure]], least: int) -> frozenset[Hashable]:
    """Return the programme when too few families have dropped out for one of the reasons.

    Reasons only grow: once hidden, they stay hidden for the quarter.
    """
    return frozenset(
        scope for code in _OF_THE_WHOLE for scope, measure in measures[code].items() if (measure.count or 0) < least
    )


def _shown(indicator: Indicator, measure: Measure, members: int, least: int) -> dict[str, Any] | None:
    """Return a measure as it is published; None for too few families, and for shares of 0 and 100 %."""
    if measure.value is None or measure.families < least:
        return None
    told = {**_NOTHING, "n": rounded(members)}
    match indicator.kind:
        case Kind.SHARE_OF_FAMILIES:
            # Computed from the rounded counts: an exact share would reveal the counts.
            n, count = rounded(measure.families), rounded(measure.count or 0)
            return {**told, "count": count, "value": round(count / n, 2)} if 0 < count < n else None
        case Kind.RATIO:
            value = round(measure.value, 2)
            return {**told, "value": value} if 0 < value < 1 else None
        case Kind.SURVIVAL | Kind.SHARE_OF_WEEKS:
            # One family of a small cohort would show as a step of its own: published in twentieths.
            value = round(round(measure.value * 20) / 20, 2)
            return {**told, "value": value} if 0 < value < 1 else None
        case _:
            told["value"] = round(measure.value, indicator.digits)
            # A quarter of the families is a group of its own.
            if measure.families >= _QUARTERS * least and measure.lower_quartile is not None:
                told["lower_quartile"] = round(measure.lower_quartile, indicator.digits)
                told["upper_quartile"] = round(measure.upper_quartile or 0, indicator.digits)
            return told


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
        moved = dark.get(f"{audience}/{_MOVED}", frozenset()) & frozenset(scopes.parent)
        still[f"{audience}/{_MOVED}"] = frozenset(
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
            col(UsageCell.indicator).in_(_CUMULATIVE),
            col(UsageCell.value).is_not(None),
        )
    )
    return {
        (cell.audience, cell.scope_id, cell.indicator): {name: getattr(cell, name) for name in _NOTHING}
        for cell in result
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
