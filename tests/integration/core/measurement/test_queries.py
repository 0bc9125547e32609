"""Figures that staff of a site read, and combinations that no other reader can form."""

from __future__ import annotations

from collections import Counter

from services.core.measurement.publishing.queries import device_counts, silent_families
from services.core.platform.db.database import Database
from tests.integration.core.measurement.conftest import Household, count_all, settle
from tests.support.clock import FakeClock


async def silent(household: Household) -> list[str]:
    async with household.database.begin() as work:
        return [family.serial for family in await silent_families(work, household.home.site_id)]


async def test_a_family_that_phones_is_not_silent_and_one_without_consent_is_not_listed(
    database: Database, clock: FakeClock
) -> None:
    household = await settle(database, clock)
    clock.advance(days=30)
    assert await silent(household) == []
    await household.agree()
    clock.advance(days=6)
    assert await silent(household) == []
    clock.advance(days=1)
    assert await silent(household) == [household.home.serial]
    tst = int(clock.now.timestamp())
    await household.report("u5d8k2m1h6vb", tst - 600, tst, calls_in=1)
    await count_all(database)
    assert await silent(household) == []
    clock.advance(days=8)
    assert await silent(household) == [household.home.serial]


async def test_watches_are_counted_by_state(household: Household) -> None:
    async with household.database.begin() as work:
        counts = await device_counts(work, household.home.site_id)
    assert counts == Counter({"handed_out": 1, "paired": 1, "on_its_way": 1})
