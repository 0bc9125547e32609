"""The figures on a report's first page: families, children, watches and recordings of each site, and their sums.

Two reports must not tell by subtraction what a group of fewer than k families did. So the figures of a site are fixed
with its population at the start of a quarter, and stay as they are until a later quarter's population differs by k
families or more that left, or k or more that joined, or both. A programme's figures are the sums of what is published
of its sites, and tell nothing else. Recordings are added week by week for the whole population of a site.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.measurement.tables import FamilyDay, UsageHeadline, UsagePopulation
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience, rounded


@dataclass(frozen=True)
class Headline:
    """Published figures of a site or a programme; counts are multiples of 5."""

    sites: int
    families: int
    children: int
    watches: int
    recordings: int


@dataclass(frozen=True)
class Fixed:
    """A site's population at the start of a quarter, counted exactly: never published as it is."""

    families: int
    children: int
    watches: int


def is_renewed(gone: int, come: int, least: int) -> bool:
    """Return whether figures may change to a population from which ``gone`` families left and ``come`` joined."""
    return gone + come > 0 and all(changed == 0 or changed >= least for changed in (gone, come))


async def fix_headlines(
    work: UnitOfWork, programme_id: uuid.UUID, week: date, quarter: date, fixed: Sequence[UsagePopulation]
) -> None:
    """Store the figures of every site for this week, for each audience; the week is being published.

    ``fixed`` is the population of the quarter as it was fixed, without erased families.
    """
    sites: dict[uuid.UUID, set[uuid.UUID]] = {}
    for figure in fixed:
        sites.setdefault(figure.site_id, set()).add(figure.family_id)
    before = await _rows(work, programme_id, week - timedelta(days=7))
    recorded = await _recordings(work, sites, week)
    for audience in Audience:
        for site_id, family_ids in sites.items():
            row = before.get((audience.value, site_id))
            if row is None or row.quarter != quarter:
                row = await _of_quarter(work, row, family_ids, audience, _Key(programme_id, site_id, week, quarter))
            recordings = row.recordings
            if row.families is not None and len(family_ids) >= LEAST[audience]:
                recordings += rounded(recorded.get(site_id, 0))
            work.add(
                UsageHeadline(
                    audience=audience, programme_id=programme_id, site_id=site_id, week=week, quarter=quarter,
                    shown_quarter=row.shown_quarter, members=row.members, families=row.families,
                    children=row.children, watches=row.watches, recordings=recordings,
                )
            )  # fmt: skip
    await work.flush()


async def headline_of(
    work: UnitOfWork, programme_id: uuid.UUID, audience: Audience, site_id: uuid.UUID | None = None
) -> Headline | None:
    """Return the latest published figures of a site, or of a programme; None while too few families take part."""
    newest = (
        select(func.max(UsageHeadline.week))
        .where(UsageHeadline.programme_id == programme_id, UsageHeadline.audience == audience)
        .scalar_subquery()
    )
    result = await work.session.exec(
        select(UsageHeadline).where(
            UsageHeadline.programme_id == programme_id,
            UsageHeadline.audience == audience,
            col(UsageHeadline.week) == newest,
            col(UsageHeadline.families).is_not(None),
            *([] if site_id is None else [UsageHeadline.site_id == site_id]),
        )
    )
    rows = result.all()
    if not rows:
        return None
    return Headline(
        sites=len(rows),
        families=sum(row.families or 0 for row in rows),
        children=sum(row.children or 0 for row in rows),
        watches=sum(row.watches or 0 for row in rows),
        recordings=sum(row.recordings for row in rows),
    )


def shown_figures(fixed: Fixed, least: int) -> Mapping[str, int | None]:
    """Return the figures as they are published; None for each that is below k."""
    if fixed.families < least:
        return {"families": None, "children": None, "watches": None}
    return {
        "families": rounded(fixed.families),
        "children": rounded(fixed.children) if fixed.children >= least else None,
        "watches": rounded(fixed.watches) if fixed.watches >= least else None,
    }


@dataclass(frozen=True)
class _Key:
    programme_id: uuid.UUID
    site_id: uuid.UUID
    week: date
    quarter: date


async def _of_quarter(
    work: UnitOfWork, before: UsageHeadline | None, family_ids: Collection[uuid.UUID], audience: Audience, key: _Key
) -> UsageHeadline:
    """Return the figures with which a site begins a quarter: those it had, or those of its new population."""
    least = LEAST[audience]
    if before is not None and before.families is not None:
        result = await work.session.exec(
            select(UsagePopulation.family_id).where(
                UsagePopulation.quarter == before.shown_quarter, UsagePopulation.site_id == key.site_id
            )
        )
        stayed = len(set(result.all()) & set(family_ids))
        # An erased family is in no population any more: it counts as one that left.
        if not is_renewed(before.members - stayed, len(family_ids) - stayed, least):
            return before
    fixed = await _count(work, family_ids)
    return UsageHeadline(
        audience=audience, programme_id=key.programme_id, site_id=key.site_id, week=key.week, quarter=key.quarter,
        shown_quarter=key.quarter, members=fixed.families, recordings=0 if before is None else before.recordings,
        **shown_figures(fixed, least),
    )  # fmt: skip


async def _count(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> Fixed:
    children = await work.session.exec(select(func.count()).where(col(Child.family_id).in_(family_ids)))
    watches = await work.session.exec(
        select(func.count()).where(col(Watch.handed_out_to).in_(family_ids), Watch.state == "handed_out")
    )
    return Fixed(len(family_ids), children.one(), watches.one())


async def _rows(work: UnitOfWork, programme_id: uuid.UUID, week: date) -> dict[tuple[str, uuid.UUID], UsageHeadline]:
    result = await work.session.exec(
        select(UsageHeadline).where(UsageHeadline.programme_id == programme_id, UsageHeadline.week == week)
    )
    return {(row.audience, row.site_id): row for row in result}


async def _recordings(
    work: UnitOfWork, sites: Mapping[uuid.UUID, Collection[uuid.UUID]], week: date
) -> dict[uuid.UUID, int]:
    """Return how many voice messages the families of each site recorded, both ways, in a week."""
    site_of = {family_id: site_id for site_id, family_ids in sites.items() for family_id in family_ids}
    result = await work.session.exec(
        select(FamilyDay.family_id, func.sum(FamilyDay.recordings))
        .where(
            col(FamilyDay.family_id).in_(site_of),
            col(FamilyDay.day) >= week,
            col(FamilyDay.day) < week + timedelta(days=7),
        )
        .group_by(col(FamilyDay.family_id))
    )
    total: dict[uuid.UUID, int] = dict.fromkeys(sites, 0)
    for family_id, count in result:
        total[site_of[family_id]] += count
    return total
