"""An office sets up its programme, twice and at once, and nothing is doubled."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import select

from services.core.people.accounts.tables import Staff
from services.core.people.programme import actions, errors, queries
from services.core.people.programme.tables import Cohort, Programme, Site, StaffScope
from services.core.people.staff_accounts.actions import create_staff
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.crypto.passwords import password_fits
from services.core.platform.db.database import Database
from tests.support.colleague import first_password_sent_to
from tests.support.http import sms_to


async def set_up(database: Database, country: str = "CN", name: str = "Pilot") -> tuple[bool, bool, bool]:
    async with database.begin() as work:
        programme = await actions.create_programme(work, OPERATOR, name)
        site = await actions.create_site(
            work, OPERATOR, programme.row, name="Dongguan", country=country, timezone="Asia/Shanghai", locale="zh-Hans"
        )
        cohort = await actions.create_cohort(work, OPERATOR, site.row, name="2026A")
        return programme.is_new, site.is_new, cohort.is_new


async def count(database: Database, table: type) -> int:
    async with database.begin() as work:
        return (await work.session.exec(select(func.count()).select_from(table))).one()


async def actions_logged(database: Database) -> Counter[str]:
    async with database.begin() as work:
        return Counter(await work.session.exec(select(AuditEntry.action)))


async def test_two_offices_at_once_make_one_programme_and_a_repeat_changes_nothing(database: Database) -> None:
    tables = (Programme, Site, Cohort)
    before, logged = [await count(database, table) for table in tables], await actions_logged(database)
    made = await asyncio.gather(*(set_up(database, name="Race") for _ in range(5)))
    assert sorted(made).count((True, True, True)) == 1
    assert await set_up(database, name="Race") == (False, False, False)
    assert [await count(database, table) for table in tables] == [rows + 1 for rows in before]
    new = await actions_logged(database) - logged
    assert sorted(new.elements()) == ["cohort.created", "programme.created", "site.created"]


async def test_a_site_with_other_particulars_is_refused_and_names_them(database: Database) -> None:
    await set_up(database)
    with pytest.raises(errors.SiteDiffersError) as refused:
        await set_up(database, country="VN")
    assert refused.value.fields() == {"differing": "country"}


async def test_a_site_name_of_two_programmes_needs_the_programme(database: Database) -> None:
    await set_up(database)
    async with database.begin() as work:
        other = await actions.create_programme(work, OPERATOR, "Second")
        await actions.create_site(
            work, OPERATOR, other.row, name="Dongguan", country="CN", timezone="Asia/Shanghai", locale="en"
        )
    async with database.begin() as work:
        with pytest.raises(errors.SiteAmbiguousError):
            await queries.site_named(work, "Dongguan")
        assert (await queries.site_named(work, "Dongguan", "Second")).locale == "en"
        with pytest.raises(errors.ProgrammeUnknownError):
            await queries.site_named(work, "Dongguan", "Third")
        with pytest.raises(errors.SiteUnknownError):
            await queries.site_named(work, "Dongguan\x00")
        assert [site.name for _, site in await queries.all_sites(work)].count("Dongguan") >= 2


async def test_staff_get_a_password_once_and_scopes_by_repeating(database: Database) -> None:
    await set_up(database)
    ann: dict[str, Any] = {"email": "Ann@Example.org", "display_name": "Ann", "role": "staff"}
    ann["phone"] = "+8613800138000"
    async with database.begin() as work:
        pilot = await queries.programme_named(work, "Pilot")
        site = await queries.site_named(work, "Dongguan", "Pilot")
        first = await create_staff(work, OPERATOR, **ann, site=site)
        repeat = await create_staff(work, OPERATOR, **ann, site=site)
        wider = await create_staff(work, OPERATOR, **ann, programme=pilot)
    assert (first.is_new, first.scope_is_new, first.first_password) == (True, True, None)
    assert (repeat.is_new, repeat.scope_is_new) == (False, False)
    assert (wider.is_new, wider.scope_is_new) == (False, True)
    assert len(await sms_to(database, "+8613800138000")) == 1
    assert await count(database, StaffScope) == 2
    async with database.begin() as work:
        (kept,) = await work.session.exec(select(Staff))
        assert kept.password_hash.startswith("$argon2id$")
        assert await password_fits(await first_password_sent_to(database, "+8613800138000"), kept.password_hash)
        with pytest.raises(errors.StaffDiffersError):
            await create_staff(work, OPERATOR, **(ann | {"role": "admin"}), programme=pilot)
        with pytest.raises(errors.ScopeNeededError):
            await create_staff(work, OPERATOR, **ann, programme=pilot, site=site)
        with pytest.raises(errors.ScopeOfRoleError):
            await create_staff(work, OPERATOR, **(ann | {"role": "coordinator"}), programme=pilot)
        kept.ended_at = work.now
        work.add(kept)
        await work.flush()
        with pytest.raises(errors.StaffEndedError):
            await create_staff(work, OPERATOR, **ann, programme=pilot)
