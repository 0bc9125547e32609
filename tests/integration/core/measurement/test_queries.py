"""Figures that staff of a site read, and combinations that no other reader can form."""

from __future__ import annotations

from collections import Counter

from services.core.devices.presence.actions import record_seen
from services.core.devices.watches.queries import lock_standing_identities
from services.core.measurement.publishing.queries import device_counts, silent_families
from services.core.platform.db.database import Database
from tests.integration.core.measurement.conftest import Household, count_all, settle
from tests.support.clock import FakeClock
from tests.support.world import arrive


async def silent(household: Household) -> list[str]:
    async with household.database.begin() as work:
        return [family.serial for family in await silent_families(work, household.home.site_id)]


async def test_a_family_is_silent_by_its_watch_whether_it_agreed_to_measurement_or_not(
    database: Database, clock: FakeClock
) -> None:
    agreed, other = await settle(database, clock), await settle(database, clock)
    await agreed.agree()
    for household in (agreed, other):
        await arrive(database, household.worn.username)
    assert [await silent(family) for family in (agreed, other)] == [[], []]
    clock.advance(days=7)
    assert [await silent(family) for family in (agreed, other)] == [[agreed.home.serial], [other.home.serial]]
    # Heard again: what the family says, or that it says nothing, changes nothing in this list.
    await agreed.note("message_to_child_stored")
    await count_all(database)
    assert await silent(agreed) == [agreed.home.serial]
    for household in (agreed, other):
        async with database.begin() as work:
            identity = (await lock_standing_identities(work, [household.worn.username]))[household.worn.username]
            await record_seen(work, identity)
    assert [await silent(family) for family in (agreed, other)] == [[], []]


async def test_watches_are_counted_by_state(household: Household) -> None:
    async with household.database.begin() as work:
        counts = await device_counts(work, household.home.site_id)
    assert counts == Counter({"handed_out": 1, "paired": 1, "on_its_way": 1})
