"""The figures of a report's first page over quarters: what is stored of each, and what stays as it was."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import col, select

from services.core.measurement.publishing.headlines import fix_headlines
from services.core.measurement.tables import UsageHeadline, UsagePopulation
from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from services.core.platform.disclosure import Audience
from tests.support.world import make_site

# Each quarter of these tests is one week long: figures are carried from the week before.
FIRST = date(2026, 1, 5)


@dataclass
class Site:
    """A site with families, and its quarters so far."""

    database: Database
    programme_id: uuid.UUID
    site_id: uuid.UUID
    cohort_id: uuid.UUID
    families: Sequence[uuid.UUID]
    quarters: int = 0

    @classmethod
    async def of(cls, database: Database, families: int) -> Site:
        async with database.begin() as work:
            site, cohort = await make_site(work)
            rows = [Family(family_code=uuid.uuid4().hex[:12], created_at=work.now) for _ in range(families)]
            work.add(*rows)
            await work.flush()
            return cls(database, site.programme_id, site.site_id, cohort.cohort_id, [row.family_id for row in rows])

    async def quarter(self, members: Collection[uuid.UUID]) -> None:
        """Begin a quarter with these families and publish its week."""
        quarter = FIRST + timedelta(weeks=self.quarters)
        self.quarters += 1
        async with self.database.begin() as work:
            fixed = [
                UsagePopulation(
                    quarter=quarter, family_id=member, programme_id=self.programme_id, site_id=self.site_id,
                    cohort_id=self.cohort_id,
                )
                for member in members
            ]  # fmt: skip
            work.add(*fixed)
            await work.flush()
            await fix_headlines(work, self.programme_id, quarter, quarter, fixed)

    async def erase(self, family_id: uuid.UUID) -> None:
        async with self.database.begin() as work:
            await work.session.delete(await work.session.get_one(Family, family_id))

    async def shown(self, audience: Audience) -> list[int | None]:
        """Return the number of families of each quarter's report."""
        async with self.database.begin() as work:
            result = await work.session.exec(
                select(UsageHeadline.families)
                .where(UsageHeadline.site_id == self.site_id, UsageHeadline.audience == audience.value)
                .order_by(col(UsageHeadline.week))
            )
            return list(result)


async def test_figures_stand_until_a_group_that_left_or_joined_is_large_enough(database: Database) -> None:
    # Given 40 families; then 4 of them are away, then all are there with 8 new ones, then 8 remain.
    site = await Site.of(database, 48)
    first = site.families[:40]
    for members in (first, first[4:], site.families, first[:8]):
        await site.quarter(members)
    # Outside, 4 and 8 are too few to be told, and so is a site of 8.
    assert await site.shown(Audience.PUBLIC) == [40, 40, 40, None]
    assert await site.shown(Audience.STAFF) == [40, 40, 50, 10]


async def test_an_erased_family_is_untold_until_ten_others_have_left(database: Database) -> None:
    site = await Site.of(database, 60)
    await site.quarter(site.families)
    await site.erase(site.families[0])
    # Its rows are gone from every population: that it was there is in the exact number that is never published.
    await site.quarter(site.families[1:])
    await site.quarter(site.families[5:])
    await site.quarter(site.families[11:])
    assert await site.shown(Audience.PUBLIC) == [60, 60, 60, 50]
