"""A small simulated programme: counted, published, controlled and frozen like a real one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy
from sqlmodel import SQLModel, col, select

from services.core.measurement.counting.actions import rebuild
from services.core.measurement.errors import SimulationExistsError, SimulationRefusedError
from services.core.measurement.indicators.rules import INDICATORS
from services.core.measurement.publishing.actions import publish_one_week
from services.core.measurement.tables import FamilyDay, UsageCell, UsagePopulation, UsageWeek, WatchDay
from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings
from services.devstack.simulated_programme.writing import Plan, Simulated, simulate
from tests.support.clock import FakeClock

PLAN = Plan(sites=3, families=120, weeks=4, seed=13)
UNIQUE = [col(UsageCell.week), *sqlalchemy.inspect(UsageCell).primary_key]


@pytest.fixture(scope="module")
async def made(database: Database, settings: Settings) -> Simulated:
    return await simulate(database, settings, PLAN)


async def cells(database: Database, made: Simulated, **where: object) -> list[UsageCell]:
    async with database.begin() as work:
        cells_of_week = await work.session.exec(
            select(UsageCell).filter_by(programme_id=made.programme_id, **where).order_by(*UNIQUE)
        )
        return list(cells_of_week)


async def last_week(database: Database, made: Simulated) -> date:
    async with database.begin() as work:
        weeks = await work.session.exec(select(col(UsageWeek.week)).where(UsageWeek.programme_id == made.programme_id))
        return max(weeks)


async def publish_next(database: Database) -> None:
    async with database.begin() as work:
        assert await publish_one_week(work)


async def test_the_programme_has_numbers_and_small_groups_have_none(database: Database, made: Simulated) -> None:
    shown = await cells(database, made, audience="staff", scope_id=made.programme_id, indicator="active_use")
    # Other tests of this file publish the weeks after those.
    shown = shown[: PLAN.weeks]
    assert len(shown) == PLAN.weeks
    # A week before which a few families have withdrawn their consent is withheld.
    valued = [cell for cell in shown if cell.value is not None]
    assert valued[:1] == shown[:1]
    assert all(cell.n is not None and cell.n % 5 == 0 and cell.count is not None for cell in valued)
    assert all(0 < (cell.value or 0) < 1 for cell in valued)
    all_cells = await cells(database, made)
    assert {cell.indicator for cell in all_cells} == set(INDICATORS)
    staff = {(cell.scope_id, cell.week, cell.indicator) for cell in all_cells
             if cell.audience == "staff" and cell.value is not None}  # fmt: skip
    public = {(cell.scope_id, cell.week, cell.indicator) for cell in all_cells
              if cell.audience == "public" and cell.value is not None}  # fmt: skip
    # A cell hidden inside the programme is hidden outside.
    assert public < staff


async def test_counting_everything_again_finds_the_same_days_and_leaves_the_published_weeks(
    database: Database, made: Simulated
) -> None:
    async def all_tables() -> list[list[dict[str, object]]]:
        per_table = []
        async with database.begin() as work:
            tables: tuple[type[SQLModel], ...] = (FamilyDay, WatchDay, UsageCell)
            for table in tables:
                rows = await work.session.exec(select(table).order_by(*sqlalchemy.inspect(table).primary_key))
                per_table.append([row.model_dump() for row in rows])
        return per_table

    before = await all_tables()
    assert all(len(rows) > 1000 for rows in before)
    async with database.begin() as work:
        families = list(await work.session.exec(select(UsagePopulation.family_id).distinct()))
    assert len(families) > 80
    async with database.begin() as work:
        await rebuild(work, families)
    assert await all_tables() == before
    assert await cells(database, made)


async def test_a_family_that_is_erased_is_gone_and_the_week_after_is_withheld_and_the_published_stand(
    database: Database, made: Simulated, clock: FakeClock
) -> None:
    before = [cell.model_dump() for cell in await cells(database, made)]
    week = await last_week(database, made)
    async with database.begin() as work:
        gone = (await work.session.exec(select(UsagePopulation).order_by(col(UsagePopulation.family_id)))).first()
        assert gone is not None
        site_id, programme_id = gone.site_id, gone.programme_id
        await work.session.delete(await work.session.get_one(Family, gone.family_id))
    clock.advance(days=60)
    await publish_next(database)
    assert [cell.model_dump() for cell in await cells(database, made) if cell.week <= week] == before
    after = await cells(database, made, week=week + timedelta(days=7))
    # One family fewer: nothing new is told of its site, nor, outside, of the programme it was in (below 200 families).
    # What only grows stands still.
    valued = {(cell.audience, cell.scope_id, cell.indicator): cell for cell in after if cell.value is not None}
    stood = {(cell["audience"], cell["scope_id"], cell["indicator"]): cell for cell in before if cell["week"] == week}
    of_both = [at for at in valued if at[1] == site_id or at[:2] == ("public", programme_id)]
    assert [at for at in of_both if not at[2].startswith(("drop_out", "survival_"))] == []
    assert [(valued[at].value, valued[at].n) for at in of_both] == [
        (stood[at]["value"], stood[at]["n"]) for at in of_both
    ]
    assert [cell for cell in after if cell.scope_id not in {site_id, programme_id} and cell.value is not None]
    await publish_next(database)
    again = await cells(database, made, week=week + timedelta(days=14), scope_id=programme_id, audience="staff")
    assert [cell for cell in again if cell.value is not None]


async def test_a_week_waits_until_nothing_can_change_it(database: Database, made: Simulated, clock: FakeClock) -> None:
    latest = await last_week(database, made)
    clock.now = clock.now.replace(year=latest.year, month=latest.month, day=latest.day, hour=0, minute=0)
    # The next week begins 7 days on, and is told 15 days after its Monday.
    clock.advance(days=7 + 14, hours=23)
    async with database.begin() as work:
        assert not await publish_one_week(work)
    clock.advance(hours=1)
    await publish_next(database)
    assert await last_week(database, made) == latest + timedelta(days=7)


@pytest.mark.usefixtures("made")
async def test_the_same_plan_is_made_once_and_never_in_production(database: Database, settings: Settings) -> None:
    with pytest.raises(SimulationExistsError):
        await simulate(database, settings, PLAN)
    production = settings.model_copy(update={"environment": Environment.PRODUCTION})
    with pytest.raises(SimulationRefusedError):
        await simulate(database, production, Plan(seed=12))
