"""Before consent: code, phone and site, for thirty days, and then nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.office.enrolment.unconsented import purge_one_unconsented
from services.core.people.accounts.tables import Guardian
from services.core.people.households.tables import Enrolment, Family
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import enrol_family, make_family, make_parent, make_place, new_phone
from tests.support.world import make_watch


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def programme() -> None:
    """None of the lists' programme here."""


async def sweep(database: Database) -> int:
    count = 0
    while True:
        async with database.begin() as work:
            if not await purge_one_unconsented(work):
                return count
        count += 1


async def left_of(database: Database, phone: str) -> tuple[int, int]:
    async with database.begin() as work:
        enrolments = await work.session.exec(select(Enrolment).where(col(Enrolment.guardian_phone) == phone))
        guardians = await work.session.exec(select(Guardian).where(col(Guardian.phone) == phone))
        return len(enrolments.all()), len(guardians.all())


async def test_who_has_not_consented_within_thirty_days_is_forgotten_with_the_account(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    silent = new_phone()
    family_id = await enrol_family(database, silent, place)
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, family_id)
    logged_in, consented = await make_parent(client, database, place), await make_family(client, database, place)
    clock.advance(days=29, hours=23)
    late = new_phone()
    await enrol_family(database, late, place)

    assert await sweep(database) == 0
    clock.advance(hours=1)
    assert sum(await asyncio.gather(sweep(database), sweep(database))) >= 2
    assert await sweep(database) == 0

    assert await left_of(database, silent) == (0, 0)
    assert await left_of(database, logged_in.phone) == (0, 0)
    assert await left_of(database, consented.phone) == (1, 1)
    assert await left_of(database, late) == (1, 0)
    async with database.begin() as work:
        assert await work.session.get(Family, family_id) is None
        taken_back = await work.session.get_one(Watch, watch.watch_id)
        assert (taken_back.state, taken_back.handed_out_to) == ("returned", None)


async def test_an_account_with_another_family_stays(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    guardian = await make_family(client, database)
    await enrol_family(database, guardian.phone)
    clock.advance(minutes=5)
    await guardian.log_in()
    clock.advance(days=30)
    assert await sweep(database) >= 1
    assert await left_of(database, guardian.phone) == (1, 1)
    await guardian.log_in()
    assert len((await guardian.told("GET", "/v1/me"))["families"]) == 1
