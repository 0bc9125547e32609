"""A programme has ended: each family is erased when its own thirty days are over, and not a minute before."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date, timedelta

import httpx
import pytest

from services.core.devices.watches.queries import standing_identity
from services.core.office.programme_end import actions as ending
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.audit.queries import entries_of_family
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings
from services.core.privacy.erasure.actions import erase_family
from services.core.privacy.purging.ended_programmes import erase_one_ended
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, make_family, make_place, pair, sms_to

LAST = 40


@pytest.fixture
def ledger(settings: Settings) -> ErasureLedger:
    return ErasureLedger(settings.erasure_ledger)


async def _announce(database: Database, place: Place, ends_on: date | None) -> None:
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, place.site.programme_id)
        assert await ending.announce_end(work, OPERATOR, programme, ends_on)
    notified = True
    while notified:
        async with database.begin() as work:
            notified = await ending.notify_one_family(work)


async def _there(parent: Parent) -> bool:
    async with parent.database.begin() as work:
        return await work.session.get(Family, parent.family_id) is not None


async def test_when_the_days_are_over_the_family_is_erased_into_the_ledger_and_the_others_stay(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, ledger: ErasureLedger
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    other = await make_family(client, database)
    identity = await pair(mother, place)
    await mother.told("PATCH", mother.child, json={"name": "CanaryEnded"})
    await mother.send("canary of the end")
    # 16:00 UTC is midnight in Shanghai.
    await _announce(database, place, clock.now.date() + timedelta(days=LAST))
    ends_at = (clock.now + timedelta(days=LAST)).replace(hour=16, minute=0, second=0, microsecond=0)
    clock.now = ends_at - timedelta(seconds=1)
    assert not await erase_one_ended(database, ledger)
    assert await _there(mother)
    clock.now = ends_at

    assert await erase_one_ended(database, ledger)

    assert not await erase_one_ended(database, ledger)
    assert (await _there(mother), await _there(other)) == (False, True)
    for canary in ("CanaryEnded", mother.phone):
        assert await rows_with(database, canary) == []
    assert mother.family_id in {entry.subject_id for entry in ledger.read()}
    assert (await sms_to(database, mother.phone))[-1].endswith("has been erased.")
    async with database.begin() as work:
        assert await standing_identity(work, identity.username) is None
        [entry] = await entries_of_family(work, uuid.UUID(str(mother.family_id)), limit=1)
    assert (entry.action, entry.actor_kind) == ("family.erased", "system")


async def test_a_last_day_that_is_taken_back_or_moved_erases_nobody(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, ledger: ErasureLedger
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await _announce(database, place, clock.now.date() + timedelta(days=LAST))
    clock.advance(days=LAST - 1)
    moved_to = clock.now.date() + timedelta(days=LAST)
    await _announce(database, place, moved_to)
    clock.advance(days=2)
    assert not await erase_one_ended(database, ledger)
    await _announce(database, place, None)
    clock.advance(days=2 * LAST)
    assert not await erase_one_ended(database, ledger)
    assert await _there(mother)


async def test_several_workers_at_once_erase_each_family_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, ledger: ErasureLedger
) -> None:
    place = await make_place(database)
    families = [await make_family(client, database, place) for _ in range(3)]
    await _announce(database, place, clock.now.date() + timedelta(days=LAST))
    clock.advance(days=LAST + 2)

    async def erase_all() -> None:
        while await erase_one_ended(database, ledger):
            pass

    await asyncio.gather(*(erase_all() for _ in range(3)))
    await erase_all()
    written = [entry.subject_id for entry in ledger.read()]
    for family in families:
        assert not await _there(family)
        assert written.count(uuid.UUID(str(family.family_id))) == 1


async def test_one_whose_rows_are_still_to_go_is_not_due_again(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, ledger: ErasureLedger
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await _announce(database, place, clock.now.date() + timedelta(days=LAST))
    clock.advance(days=LAST + 2)
    assert mother.family_id is not None
    # The worker was killed between the two transactions.
    async with database.begin() as work:
        await erase_family(work, ledger, mother.family_id, None)
    assert not await erase_one_ended(database, ledger)
    async with database.begin() as work:
        assert await ending.families_due_for_erasure(work) == []
