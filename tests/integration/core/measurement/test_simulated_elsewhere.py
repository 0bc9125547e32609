"""Simulated programmes of a test's own: publishing takes the next week of any programme of the database."""

from __future__ import annotations

import asyncio

from services.core.measurement.publishing.actions import publish_one_week
from services.core.measurement.publishing.headlines import Headline
from services.core.measurement.publishing.queries import extract_of
from services.core.people.programme.actions import name_outside
from services.core.people.programme.queries import sites_of
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.disclosure import Audience
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.writing import Plan, simulate


async def test_nobody_else_publishes_before_every_site_is_there(database: Database, settings: Settings) -> None:
    async def publish_as_the_worker_does() -> bool:
        async with database.begin() as work:
            return await publish_one_week(work)

    tries: list[asyncio.Task[bool]] = []
    plan = Plan(sites=2, families=30, weeks=2, seed=14)
    made = await simulate(
        database, settings, plan, lambda: tries.append(asyncio.create_task(publish_as_the_worker_does()))
    )
    assert not any(await asyncio.gather(*tries[:-1]))
    await tries[-1]
    assert len(tries) == plan.sites + plan.weeks
    assert made.weeks == plan.weeks


async def test_the_first_page_sums_what_sites_publish_and_names_no_site_outside(
    database: Database, settings: Settings
) -> None:
    made = await simulate(database, settings, Plan(sites=3, families=100, weeks=2, seed=15))
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, made.programme_id)
        sites = await sites_of(work, programme.programme_id)
        public = await extract_of(work, programme, Audience.PUBLIC, parts=True)
        of_sites = [await extract_of(work, programme, Audience.PUBLIC, site=site) for site in sites]
        assert public.simulated
        heads = [site.headline for site in of_sites if site.headline is not None]
        assert public.headline == Headline(
            sites=len(heads),
            families=sum(headline.families for headline in heads),
            children=sum(headline.children for headline in heads),
            watches=sum(headline.watches for headline in heads),
            recordings=sum(headline.recordings for headline in heads),
        )
        assert public.headline.families > 50
        assert public.headline.recordings > 100
        assert all(
            figure % 5 == 0
            for headline in heads
            for figure in (headline.families, headline.children, headline.recordings)
        )
        # Outside, a site is a number and its country, and its cohorts are numbers; inside it has its name.
        names = {site.name for site in sites}
        shown = {name for extract in (public, *of_sites) for name in extract.scopes.values()}
        assert not [name for name in shown if any(site in name for site in names)]
        staff = await extract_of(work, programme, Audience.STAFF, parts=True)
        assert names <= set(staff.scopes.values())
        assert await name_outside(work, OPERATOR, sites[0], named=True)
        assert not await name_outside(work, OPERATOR, sites[0], named=True)
        named = await extract_of(work, programme, Audience.PUBLIC, parts=True)
        assert [site.name in named.scopes.values() for site in sites] == [True, False, False]
