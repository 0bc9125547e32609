"""A contested right is decided by two of staff with the family's document; every guardian hears before and after."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from services.core.privacy.contests.decisions import carry_out_one_decision
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, sms_to
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed

CARD = {"form_number": "440301 1988 0417 2213", "document": "identity_card"}


class Case:
    """Two managers of a site; a mother, and an uncle whose right she contests."""

    def __init__(self, site: str, managers: list[StaffMember], mother: Parent, uncle: Parent) -> None:
        self.ann, self.bo = managers
        self.mother, self.uncle = mother, uncle
        self.site = site
        self.contest: dict[str, Any] = {}

    @property
    def path(self) -> str:
        return f"{self.site}/contests/{self.contest['contest_id']}/decision"

    async def raised(self, right: str, by: Parent | None = None, about: Parent | None = None) -> Case:
        by, about = by or self.mother, about or self.uncle
        body = {"guardian_id": about.guardian_id, "right": right}
        self.contest = await by.told("POST", f"{by.family}/contests", json=body)
        return self

    async def agreed(self, *, upholds: bool = True) -> None:
        await self.ann.told("POST", self.path, json={"upholds": upholds, **CARD})
        await self.bo.told("POST", f"{self.path}/approve", json=CARD)

    async def rights(self, guardian: Parent) -> list[str]:
        guardians = (await self.mother.told("GET", f"{self.mother.family}/guardians"))["guardians"]
        (mine,) = [other for other in guardians if other["guardian_id"] == guardian.guardian_id]
        return [right for right in ("message", "locate", "manage") if mine[f"may_{right}"]]


async def _case(client: httpx.AsyncClient, database: Database) -> Case:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    uncle = await mother.invite(may_locate=True, may_manage=True, relation="uncle", display_name="Canary")
    managers = [await make_staff(client, database, place, "manager") for _ in range(2)]
    return Case(f"/v1/staff/sites/{place.site.site_id}", managers, mother, uncle)


async def _carry_out(database: Database) -> int:
    done = 0
    while True:
        async with database.begin() as work:
            if not await carry_out_one_decision(work):
                return done
        done += 1


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _nothing_waits(database: Database, clock: FakeClock) -> None:
    """No decision of another test becomes due in this one."""
    clock.advance(hours=49)
    await _carry_out(database)


@pytest.mark.parametrize(("upholds", "left"), [(True, ["message", "locate"]), (False, ["message", "locate", "manage"])])
async def test_two_managers_decide_and_48_hours_later_it_is_done_and_every_guardian_heard_twice(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, *, upholds: bool, left: list[str]
) -> None:
    case = await (await _case(client, database)).raised("manage")
    cursor = (await case.uncle.told("GET", "/v1/sync"))["cursor"]
    await case.ann.told("POST", case.path, json={"upholds": upholds, **CARD})
    assert await case.ann.refused("POST", f"{case.path}/approve", json=CARD) == (403, "second_person_needed")
    other = {**CARD, "form_number": "1"}
    assert await case.bo.refused("POST", f"{case.path}/approve", json=other) == (422, "recovery_paper_differs")
    for guardian in (case.mother, case.uncle):
        assert not any("contested" in text for text in await sms_to(database, guardian.phone))
    settled = await case.bo.told("POST", f"{case.path}/approve", json=CARD)
    assert (settled["state"], settled["approved_by"]) == ("waiting", case.bo.staff_id)
    for guardian in (case.mother, case.uncle):
        (text,) = [text for text in await sms_to(database, guardian.phone) if "contested" in text]
        assert "48 hours" in text
        assert "call the office" in text
    clock.advance(hours=47, minutes=59)
    assert await _carry_out(database) == 0
    clock.advance(minutes=1)
    assert await _carry_out(database) == 1
    assert await _carry_out(database) == 0
    await case.mother.log_in()
    await case.uncle.log_in()
    assert await case.rights(case.uncle) == left
    for guardian in (case.mother, case.uncle):
        assert len([text for text in await sms_to(database, guardian.phone) if "contested" in text]) == 2
    events = (await case.uncle.told("GET", f"/v1/sync?since={cursor}"))["events"]
    decisions = [event["detail"].get("decision") for event in events if event["kind"] == "contest.changed"]
    assert [decision for decision in decisions if decision] == ["waiting", "done"]
    async with database.begin() as work:
        noted = await work.session.exec(
            select(AuditEntry.action, AuditEntry.outcome).where(
                AuditEntry.family_id == case.mother.family_id, col(AuditEntry.action).like("contest_decision.%")
            )
        )
        assert sorted(noted) == [
            ("contest_decision.approved", "done"), ("contest_decision.approved", "refused"),
            ("contest_decision.approved", "refused"), ("contest_decision.asked", "done"),
        ]  # fmt: skip


async def test_staff_see_relations_and_the_right_and_no_name(client: httpx.AsyncClient, database: Database) -> None:
    case = await (await _case(client, database)).raised("manage")
    listed = await case.ann.told("GET", f"{case.site}/contests")
    (contest,) = listed["contests"]
    assert (contest["family_code"], contest["about_relation"], contest["right"], contest["decision"]) == (
        await family_code_of(case.mother), "uncle", "manage", None,
    )  # fmt: skip
    text = json.dumps(listed)
    assert not any(word in text for word in ("Canary", case.uncle.phone, case.uncle.guardian_id, case.mother.phone))
    await case.ann.told("POST", case.path, json={"upholds": True, **CARD})
    assert (await case.bo.told("GET", f"{case.site}/contests"))["contests"][0]["decision"]["state"] == "asked"
    assert await case.bo.refused("POST", case.path, json={"upholds": False, **CARD}) == (
        409, "contest_decision_stands",
    )  # fmt: skip


async def test_while_the_first_guardian_contests_the_other_one_locates_nobody(
    client: httpx.AsyncClient, database: Database
) -> None:
    case = await _case(client, database)
    for parent in (case.mother, case.uncle):
        await parent.consent("location")
    latest = f"{case.mother.child}/checkins/latest"
    assert (await case.uncle.ask("GET", latest)).status_code != 403
    await case.raised("manage")
    assert await case.uncle.refused("GET", latest) == (403, "right_missing")
    # A change of another right does not remove the stored one.
    await case.mother.told(
        "PATCH", f"{case.mother.family}/guardians/{case.uncle.guardian_id}", json={"may_message": False}
    )
    await case.mother.told("DELETE", f"{case.mother.family}/contests/{case.contest['contest_id']}")
    assert (await case.uncle.ask("GET", latest)).status_code != 403
    # Contested by another guardian it goes on: else anybody could blind anybody.
    aunt = await case.mother.invite(relation="aunt")
    await case.raised("locate", by=aunt)
    assert (await case.uncle.ask("GET", latest)).status_code != 403


async def test_a_decision_gives_nothing_takes_nothing_of_the_first_and_leaves_one_who_may_message(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    case = await (await _case(client, database)).raised("manage", by=None)
    await case.agreed(upholds=False)
    clock.advance(hours=48)
    assert await _carry_out(database) == 1
    await case.mother.log_in()
    assert await case.rights(case.uncle) == ["message", "locate", "manage"]
    case.ann, case.bo = await renewed(case.ann, database), await renewed(case.bo, database)
    await case.uncle.log_in()
    await case.raised("manage", by=case.uncle, about=case.mother)
    assert await case.ann.refused("POST", case.path, json={"upholds": True, **CARD}) == (409, "primary_guardian")
    # The mother gives her own right to message up; then the uncle is the last one who has it.
    mine = f"{case.mother.family}/guardians/{case.mother.guardian_id}"
    await case.mother.told("PATCH", mine, json={"may_message": False})
    # An aunt who took her consent back cannot use hers.
    aunt = await case.mother.invite(relation="aunt")
    await aunt.told("POST", f"{aunt.family}/consents/withdraw", json={"part": "messages"})
    await case.raised("message")
    assert await case.ann.refused("POST", case.path, json={"upholds": True, **CARD}) == (409, "last_messenger")
    assert (await case.ann.told("POST", case.path, json={"upholds": False, **CARD}))["upholds"] is False


async def test_an_objection_ends_it_and_so_does_a_contest_that_is_withdrawn(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    case = await (await _case(client, database)).raised("manage")
    await case.agreed()
    assert (await case.ann.told("POST", f"{case.path}/withdraw"))["state"] == "withdrawn"
    assert await case.ann.refused("POST", f"{case.path}/withdraw") == (409, "contest_decision_ended")
    assert await case.bo.refused("POST", f"{case.path}/approve", json=CARD) == (409, "contest_decision_ended")
    await case.agreed()
    await case.mother.told("DELETE", f"{case.mother.family}/contests/{case.contest['contest_id']}")
    clock.advance(hours=48)
    assert await _carry_out(database) == 1
    await case.mother.log_in()
    assert await case.rights(case.uncle) == ["message", "locate", "manage"]
    ann = await renewed(case.ann, database)
    assert await ann.refused("POST", case.path, json={"upholds": True, **CARD}) == (404, "not_found")
