"""Usage over HTTP: published numbers within one's scopes, and files of them; no word of any person in either."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.measurement.exports.actions import expire_one_file
from services.core.measurement.exports.rendering import claim, render_one_file
from services.core.measurement.indicators.rules import INDICATORS
from services.core.measurement.tables import UsageExport, UsageExportFile
from services.core.people.accounts.tables import Guardian
from services.core.people.households.tables import Child, Enrolment, Family
from services.core.people.programme.actions import name_outside
from services.core.people.programme.tables import Cohort, Site, StaffScope
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from services.core.platform.facts.actions import record_fact
from services.core.platform.locales import LOCALES
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.writing import Plan, simulate
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.http import Place, fill_buckets
from tests.support.staff_http import StaffMember, make_staff, renewed

CANARY = "Canary-Child-9"
PHONE = "+999007"
WEEKS = 4


class World:
    """A simulated programme of two sites, with staff of every role at its first."""

    def __init__(self, client: httpx.AsyncClient, database: Database, sites: list[Site], cohorts: list[Cohort]) -> None:
        self.client = client
        self.database = database
        self.sites = sites
        self.cohorts = cohorts
        self.here = f"/v1/staff/sites/{sites[0].site_id}"
        self.programme = f"/v1/staff/programmes/{sites[0].programme_id}/usage"

    async def member(self, role: str, *, site: int = 0, programme: bool = False) -> StaffMember:
        cohort = next(cohort for cohort in self.cohorts if cohort.site_id == self.sites[site].site_id)
        return await make_staff(self.client, self.database, Place(self.sites[site], cohort), role, programme=programme)

    async def file(self, member: StaffMember, kind: str, audience: str, **options: Any) -> httpx.Response:
        """Ask for a file, have it made, and fetch it."""
        scope = {} if "programme_id" in options else {"site_id": str(self.sites[0].site_id)}
        body = {"kind": kind, "audience": audience} | scope | options
        export = await member.told("POST", "/v1/staff/exports", json=body)
        assert await render_one_file(self.database)
        answer = await member.ask("GET", f"/v1/staff/exports/{export['usage_export_id']}/file")
        assert answer.status_code == 200
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database, settings: Settings) -> World:
    made = await simulate(database, settings, Plan(sites=2, families=120, weeks=WEEKS, seed=7))
    async with database.begin() as work:
        sites = list(await work.session.exec(select(Site).order_by(col(Site.name))))
        cohorts = list(await work.session.exec(select(Cohort).order_by(col(Cohort.name))))
        for child in await work.session.exec(select(Child)):
            child.name = CANARY
            work.add(child)
        for guardian in await work.session.exec(select(Guardian)):
            guardian.display_name = CANARY
            work.add(guardian)
        for site in sites:
            await name_outside(work, OPERATOR, site, named=True)
        assert made.weeks == WEEKS
    return World(client, database, sites, cohorts)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


# Why families dropped out is told of the whole programme alone.
OF_A_PART = [code for code, indicator in INDICATORS.items() if not indicator.of_the_whole]


def numbers(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for week in page["weeks"] for cell in week["cells"]]


@pytest.mark.parametrize("role", ["factory", "staff", "manager", "admin"])
async def test_a_site_is_told_in_counts_that_show_no_small_group(world: World, role: str) -> None:
    member = await world.member(role)
    page = await member.told("GET", f"{world.here}/usage")
    assert [len(week["cells"]) for week in page["weeks"]] == [len(OF_A_PART)] * WEEKS
    assert (page["least_families"], page["next"], page["cohort_id"]) == (5, None, None)
    shown = [cell for cell in numbers(page) if not cell["suppressed"]]
    assert shown
    assert all(cell["n"] >= 5 and cell["n"] % 5 == 0 for cell in shown)
    assert all((cell["count"] or 5) >= 5 and (cell["count"] or 0) % 5 == 0 for cell in shown)
    hidden = [cell for cell in numbers(page) if cell["suppressed"]]
    figures = ("n", "count", "value", "lower_quartile", "upper_quartile")
    assert all(cell[figure] is None for cell in hidden for figure in figures)
    # Outside this scope: another site, and the programme that contains this site.
    assert await member.refused("GET", f"/v1/staff/sites/{world.sites[1].site_id}/usage") == (404, "not_found")
    assert await member.refused("GET", world.programme) == (404, "not_found")


async def test_coordinators_see_no_numbers_and_the_programme_is_for_who_serves_all_of_it(world: World) -> None:
    coordinator = await world.member("coordinator")
    for path in (f"{world.here}/usage", world.programme, f"{world.here}/silent-families", "/v1/staff/exports"):
        assert await coordinator.refused("GET", path) == (403, "permission_missing"), path
    manager = await world.member("manager", programme=True)
    page = await manager.told("GET", f"{world.programme}?indicator=messages")
    assert {cell["indicator"] for cell in numbers(page)} == {"messages"}
    assert len(page["weeks"]) == WEEKS


async def test_weeks_come_in_pages_and_between_two_days_and_of_a_cohort(world: World) -> None:
    member = await world.member("staff")
    whole = await member.told("GET", f"{world.here}/usage?indicator=active_use")
    seen: list[dict[str, Any]] = []
    first: str | None = "2000-01-01"
    while first is not None:
        page = await member.told("GET", f"{world.here}/usage?indicator=active_use&limit=3&first_week={first}")
        seen += page["weeks"]
        first = page["next"]
    assert seen == whole["weeks"]
    second = whole["weeks"][1]["week"]
    (week,) = (await member.told("GET", f"{world.here}/usage?first_week={second}&last_week={second}"))["weeks"]
    assert week["week"] == second
    mine, other = [
        next(cohort for cohort in world.cohorts if cohort.site_id == site.site_id).cohort_id for site in world.sites
    ]
    of_cohort = await member.told("GET", f"{world.here}/usage?cohort_id={mine}")
    assert (of_cohort["cohort_id"], len(numbers(of_cohort))) == (str(mine), WEEKS * len(OF_A_PART))
    assert numbers(of_cohort) != numbers(await member.told("GET", f"{world.here}/usage"))
    for foreign in (other, uuid.uuid4()):
        assert await member.refused("GET", f"{world.here}/usage?cohort_id={foreign}") == (404, "not_found")
    for wrong in ("limit=0", "limit=53", "first_week=yesterday", "indicator=%00", "cohort_id=1"):
        assert await member.refused("GET", f"{world.here}/usage?{wrong}") == (422, "invalid_request"), wrong


async def test_definitions_are_told_in_every_language(world: World) -> None:
    page = await (await world.member("coordinator")).told("GET", "/v1/staff/indicators")
    assert [indicator["code"] for indicator in page["indicators"]] == list(INDICATORS)
    for indicator in page["indicators"]:
        assert set(indicator["words"]) == set(LOCALES)
        assert len({words["name"] for words in indicator["words"].values()}) == len(LOCALES)
    assert "not an impact" in page["reading"]["en"]


async def test_silent_families_come_in_pages_of_codes(world: World, clock: FakeClock) -> None:
    clock.advance(days=40)
    member = await world.member("staff")
    async with world.database.begin() as work:
        # One that speaks is in the list all the same: it is made of watches, not of what a family says.
        family, child = (
            await work.session.exec(
                select(Family, Child)
                .join(Child, col(Child.family_id) == col(Family.family_id))
                .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
                .where(Enrolment.site_id == world.sites[0].site_id)
                .limit(1)
            )
        ).one()
        record_fact(work, "message_to_child_stored", child_id=child.child_id, family_id=family.family_id,
                    ref_id=uuid.uuid4())  # fmt: skip
    seen: list[str] = []
    after = ""
    while True:
        page = await member.told("GET", f"{world.here}/silent-families?limit=20&after={after}")
        seen += [family["family_code"] for family in page["families"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) > 20
    assert seen == sorted(set(seen))
    assert await (await world.member("factory")).refused("GET", f"{world.here}/silent-families") == (
        403, "permission_missing",
    )  # fmt: skip
    states = (await member.told("GET", f"{world.here}/device-states"))["states"]
    assert sum(states.get(state, 0) for state in ("handed_out", "registered", "lost", "returned", "broken")) == 60


async def test_a_file_is_made_by_the_worker_and_goes_after_its_day(world: World, clock: FakeClock) -> None:
    member = await world.member("staff")
    body = {"kind": "csv", "audience": "staff", "site_id": str(world.sites[0].site_id)}
    export = await member.told("POST", "/v1/staff/exports", json=body)
    path = f"/v1/staff/exports/{export['usage_export_id']}"
    assert (export["state"], export["percent"]) == ("waiting", 0)
    assert await member.refused("POST", "/v1/staff/exports", json=body) == (429, "usage_export_running")
    assert await member.refused("GET", f"{path}/file") == (409, "usage_export_not_ready")
    assert await render_one_file(world.database)
    assert not await render_one_file(world.database)
    state = await member.told("GET", path)
    assert (state["state"], state["percent"]) == ("ready", 100)
    assert (await member.told("GET", "/v1/staff/exports"))["exports"][0] == state
    answer = await member.ask("GET", f"{path}/file")
    assert (len(answer.content), answer.headers["cache-control"]) == (state["size_bytes"], "private, no-store")
    # Sealed where it lies.
    name = world.sites[0].name
    assert name in answer.text
    assert "usage_export_file" not in await rows_with(world.database, name)
    stranger = await world.member("admin", site=1)
    colleague = await world.member("staff")
    for other in (stranger, colleague):
        for leaf in ("", "/file"):
            assert await other.refused("GET", path + leaf) == (404, "not_found")
    clock.advance(hours=24)
    member = await renewed(member, world.database)
    assert await member.refused("GET", f"{path}/file") == (409, "usage_export_not_ready")
    # Files of other tests expire as well: one a call, until none is left.
    expired = 0
    async with world.database.begin() as work:
        while await expire_one_file(work):
            expired += 1
    assert expired > 0
    assert (await member.told("GET", path))["state"] == "expired"
    async with world.database.begin() as work:
        row = await work.session.get_one(UsageExport, uuid.UUID(export["usage_export_id"]))
        assert row.wrapped_key == b""
        assert await work.session.get(UsageExportFile, row.usage_export_id) is None
        logged = await work.session.exec(
            select(AuditEntry.action).where(AuditEntry.actor_id == member.staff_id, AuditEntry.outcome == "done")
        )
        assert sorted(action for action in logged if action.startswith("usage")) == [
            "usage_export.asked",
            "usage_export.read",
        ]


async def test_who_serves_a_site_no_longer_fetches_no_file_of_it(world: World) -> None:
    member = await world.member("staff")
    await world.file(member, "csv", "staff")
    (export,) = (await member.told("GET", "/v1/staff/exports"))["exports"]
    async with world.database.begin() as work:
        for scope in await work.session.exec(select(StaffScope).where(StaffScope.staff_id == member.staff.staff_id)):
            await work.session.delete(scope)
    path = f"/v1/staff/exports/{export['usage_export_id']}/file"
    assert await member.refused("GET", path) == (404, "not_found")


async def test_a_killed_process_loses_its_claim_and_gives_up_after_some_tries(world: World, clock: FakeClock) -> None:
    member = await world.member("staff")
    body = {"kind": "csv", "audience": "staff", "site_id": str(world.sites[0].site_id)}
    export = await member.told("POST", "/v1/staff/exports", json=body)
    for number in range(4):
        claimed = await claim(world.database)
        assert (claimed is None) is (number == 3)
        # A claimed request is claimed by no other.
        assert await claim(world.database) is None
        clock.advance(minutes=16)
    member = await renewed(member, world.database)
    assert (await member.told("GET", f"/v1/staff/exports/{export['usage_export_id']}"))["state"] == "failed"
    # And what failed is in nobody's way.
    assert (await member.ask("POST", "/v1/staff/exports", json=body)).status_code == 202
    assert await render_one_file(world.database)


async def test_the_factory_gets_files_for_the_factory_and_nobody_else(world: World) -> None:
    factory = await world.member("factory")
    body = {"kind": "csv", "site_id": str(world.sites[0].site_id)}
    for audience in ("staff", "brand"):
        refusal = await factory.refused("POST", "/v1/staff/exports", json=body | {"audience": audience})
        assert refusal == (403, "recipient_not_allowed")
    answer = await world.file(factory, "csv", "factory")
    assert "text/csv" in answer.headers["content-type"]
    for scope in ({"site_id": str(world.sites[1].site_id)}, {"programme_id": str(world.sites[0].programme_id)}):
        refusal = await factory.refused(
            "POST", "/v1/staff/exports", json={"kind": "csv", "audience": "factory"} | scope
        )
        assert refusal == (404, "not_found")


async def test_a_brand_is_told_of_fewer_groups_and_of_no_others(world: World) -> None:
    member = await world.member("manager", programme=True)

    async def shown(audience: str) -> set[tuple[str, ...]]:
        programme = str(world.sites[0].programme_id)
        text = (await world.file(member, "csv", audience, programme_id=programme)).content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {row["scope"] for row in rows} > {site.name for site in world.sites}
        figures = ("value", "lower_quartile")
        return {
            (row["week"], row["scope"], row["indicator"], figure) for row in rows for figure in figures if row[figure]
        }

    staff, brand = await shown("staff"), await shown("brand")
    assert brand < staff


async def test_workbooks_reports_and_value_sets_are_what_they_say(world: World) -> None:
    member = await world.member("manager", programme=True)
    book = openpyxl.load_workbook(io.BytesIO((await world.file(member, "xlsx", "staff", locale="tr")).content))
    assert book.sheetnames == ["data", "labels", "codebook", "provenance"]
    assert {row[1] for row in book["data"].iter_rows(min_row=2, values_only=True)} == {
        world.sites[0].name,
        *(
            f"{world.sites[0].name} / {cohort.name}"
            for cohort in world.cohorts
            if cohort.site_id == world.sites[0].site_id
        ),
    }
    programme = str(world.sites[0].programme_id)
    page = await world.file(member, "report", "brand", programme_id=programme, locale="vi")
    assert page.headers["content-type"].startswith("text/html")
    # An indicator that is shown in no week is named, and has no section.
    assert 10 < page.text.count("<section>") <= len(INDICATORS)
    assert 'lang="vi"' in page.text
    assert "<script" not in page.text
    mapping = {
        "data_elements": {"messages": "fbfJHSPpUQD"}, "org_units": {str(world.sites[0].site_id): "DiszpKrYNg8"},
    }  # fmt: skip
    document = (await world.file(member, "dhis2", "staff", dhis2=mapping)).json()
    assert document["parameters"]["dryRun"] is True
    values = document["body"]["dataValues"]
    assert values
    assert {(value["dataElement"], value["orgUnit"]) for value in values} == {("fbfJHSPpUQD", "DiszpKrYNg8")}
    assert set(document["left_out"]["indicators_without_element"]) == set(OF_A_PART) - {"messages"}
    site = {"site_id": str(world.sites[0].site_id), "audience": "staff"}
    for body in (
        {"kind": "dhis2"} | site,
        {"kind": "csv", "dhis2": mapping} | site,
    ):
        assert await member.refused("POST", "/v1/staff/exports", json=body) == (422, "mapping_needed")
    wrong: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
        lambda body: body | {"kind": "pdf"}, lambda body: body | {"audience": "public"},
        lambda body: body | {"locale": "de"}, lambda body: body | {"role": "admin"},
        lambda body: body | {"site_id": None}, lambda body: body | {"programme_id": programme},
        lambda body: body | {"dhis2": {"data_elements": {}, "org_units": {}}},
    ]  # fmt: skip
    for change in wrong:
        refusal = await member.refused("POST", "/v1/staff/exports", json=change({"kind": "csv"} | site))
        assert refusal[0] == 422, change({})


async def test_no_route_and_no_file_tells_a_word_of_any_person(world: World) -> None:
    member = await world.member("admin", programme=True)
    paths = [f"{world.here}/{leaf}" for leaf in ("usage", "silent-families", "device-states")]
    texts = [json.dumps(await member.told("GET", path)) for path in (*paths, world.programme, "/v1/staff/exports")]
    mapping = {
        "data_elements": dict.fromkeys(INDICATORS, "fbfJHSPpUQD"),
        "org_units": {str(world.sites[0].site_id): "DiszpKrYNg8"},
    }  # fmt: skip
    texts += [(await world.file(member, kind, "staff")).text for kind in ("csv", "report")]
    texts.append((await world.file(member, "dhis2", "staff", dhis2=mapping)).text)
    book = openpyxl.load_workbook(io.BytesIO((await world.file(member, "xlsx", "staff")).content))
    texts += [str(row) for sheet in book for row in sheet.iter_rows(values_only=True)]
    async with world.database.begin() as work:
        children = [str(child_id) for child_id in await work.session.exec(select(Child.child_id))]
        families = list(await work.session.exec(select(Family)))
    for text in texts:
        assert CANARY not in text
        assert PHONE not in text
        assert not any(child in text for child in children)
        assert not any(str(family.family_id) in text for family in families)
    # Families' codes are in the operational list alone.
    lists_codes = [any(family.family_code in text for family in families) for text in texts]
    assert lists_codes == [False, True, *[False] * (len(texts) - 2)]
