"""What staff see today in a simulated programme, beside a worker that forgets families without a consent."""

from __future__ import annotations

from sqlmodel import col, select

from services.core.devices.watches.tables import WatchIdentity
from services.core.office.enrolment.unconsented import WAITS_FOR_CONSENT, purge_one_unconsented
from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.today import fill_today
from services.devstack.simulated_programme.writing import Plan, simulate

PLAN = Plan(sites=1, families=60, weeks=6, seed=17)


async def _codes(database: Database, *, filled_only: bool) -> set[str]:
    statement = select(Family.family_code)
    if filled_only:
        statement = statement.join(WatchIdentity, col(WatchIdentity.family_id) == col(Family.family_id))
    async with database.begin() as work:
        return set((await work.session.exec(statement)).all())


async def test_only_families_that_the_worker_keeps_are_filled(database: Database, settings: Settings) -> None:
    """A family that is forgotten while the console is being filled made the demo fail."""
    assert PLAN.weeks * 7 > WAITS_FOR_CONSENT.days
    await simulate(database, settings, PLAN)
    await fill_today(database, f"Simulated programme, seed {PLAN.seed}", PLAN.seed)
    before, filled = await _codes(database, filled_only=False), await _codes(database, filled_only=True)
    due = True
    while due:
        async with database.begin() as work:
            due = await purge_one_unconsented(work)
    forgotten = before - await _codes(database, filled_only=False)
    assert forgotten
    assert filled
    assert forgotten.isdisjoint(filled)
