"""The doctor warns while fewer than three people could approve at a site."""

from __future__ import annotations

import httpx
from sqlalchemy import update

from services.core.people.accounts.tables import Staff
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.doctor import approvers
from tests.support.http import make_place
from tests.support.staff_http import make_staff


async def test_a_site_with_two_who_could_approve_is_warned_of_and_one_with_three_is_not(
    database: Database, settings: Settings
) -> None:
    assert not (await approvers(settings)).warns
    place = await make_place(database)
    async with httpx.AsyncClient() as client:
        for number in range(3):
            finding = await approvers(settings)
            assert (finding.ok, finding.warns, place.site.name in finding.what) == (True, True, True), number
            await make_staff(client, database, place, "manager")
            async with database.begin() as work:
                await work.run(update(Staff).values(totp_confirmed_at=work.now))
    finding = await approvers(settings)
    assert (finding.warns, finding.what) == (False, "three people or more at each of 1 sites")
