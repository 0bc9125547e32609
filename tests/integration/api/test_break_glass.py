"""Break-glass shows a name and a number for an hour, to who asked, when another has agreed; and it is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlmodel import select

from services.core.office.break_glass.actions import notify_one_break_glass
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, sms_to
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed

REASON = "The school called: the child did not arrive."


class Case:
    """Three managers of a site, and a mother with a second guardian."""

    def __init__(self, site: str, code: str, managers: list[StaffMember], mother: Parent, grandmother: Parent) -> None:
        self.ann, self.bo, self.cem = managers
        self.mother, self.grandmother = mother, grandmother
        self.site, self.code = site, code
        self.path = ""

    async def ask(self, **other: Any) -> dict[str, Any]:
        request: dict[str, Any] = await self.ann.told(
            "POST", f"{self.site}/families/{self.code}/break-glass", json={"reason": REASON, **other}
        )
        self.path = f"{self.site}/break-glass/{request['break_glass_id']}"
        return request

    async def sees(self, member: StaffMember) -> tuple[int, Any]:
        answer = await member.ask("GET", f"{self.path}/guardian")
        body = answer.json()
        return answer.status_code, body if answer.is_success else body["code"]


async def _case(client: httpx.AsyncClient, database: Database) -> Case:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await mother.told("PATCH", "/v1/me", json={"display_name": "Lan"})
    grandmother = await mother.invite()
    managers = [await make_staff(client, database, place, role) for role in ("manager", "manager", "admin")]
    return Case(f"/v1/staff/sites/{place.site.site_id}", await family_code_of(mother), managers, mother, grandmother)


async def _tell_due(database: Database) -> int:
    count = 0
    while True:
        async with database.begin() as work:
            if not await notify_one_break_glass(work):
                return count
        count += 1


async def _texts(database: Database, parent: Parent) -> list[str]:
    return [text for text in await sms_to(database, parent.phone) if "looked up" in text]


CLOSED = (403, "break_glass_closed")


async def test_two_people_see_to_it_that_one_sees_a_name_and_a_number_for_an_hour(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    case = await _case(client, database)
    cursor = (await case.mother.told("GET", "/v1/sync"))["cursor"]
    request = await case.ask()
    assert await case.sees(case.ann) == CLOSED
    assert await case.ann.refused("POST", f"{case.path}/approve") == (403, "second_person_needed")
    assert await _texts(database, case.mother) == []
    await case.bo.told("POST", f"{case.path}/approve")
    assert await case.sees(case.ann) == (200, {"name": "Lan", "phone": case.mother.phone})
    assert await case.sees(case.bo) == CLOSED
    # The guardian was told with the approval, and nobody else was.
    assert len(await _texts(database, case.mother)) == 1
    assert await _texts(database, case.grandmother) == []
    events = (await case.mother.told("GET", f"/v1/sync?since={cursor}"))["events"]
    assert [(event["kind"], event["ref_id"]) for event in events] == [("guardian.looked_up", request["break_glass_id"])]
    (listed,) = (await case.cem.told("GET", f"{case.site}/break-glass"))["break_glass"]
    assert (listed["reason"], listed["told_at"] is not None) == (REASON, True)
    clock.advance(minutes=59)
    ann = await renewed(case.ann, database)
    assert (await case.sees(ann))[0] == 200
    clock.advance(minutes=1)
    assert await case.sees(ann) == CLOSED


async def test_every_step_is_in_the_log_with_ids_and_no_reason_name_or_number(
    client: httpx.AsyncClient, database: Database
) -> None:
    case = await _case(client, database)
    request = await case.ask()
    await case.sees(case.ann)
    await case.bo.told("POST", f"{case.path}/approve")
    await case.sees(case.ann)
    async with database.begin() as work:
        entries = (
            await work.session.exec(select(AuditEntry).where(AuditEntry.subject_id == request["break_glass_id"]))
        ).all()
    noted = [(entry.action.removeprefix("break_glass."), entry.outcome) for entry in entries]
    # Steps before the notice are recorded twice: in the office's log, and copied to the family's log.
    assert sorted(noted) == [
        ("approved", "done"), ("asked", "done"), ("asked", "done"), ("looked", "done"), ("looked", "refused"),
        ("looked", "refused"), ("told", "done"),
    ]  # fmt: skip
    assert sum(entry.family_id == case.mother.family_id for entry in entries) == 5
    text = repr(entries)
    assert not any(personal in text for personal in (REASON, "Lan", case.mother.phone))


async def test_where_telling_is_dangerous_a_third_person_agrees_and_it_is_told_when_the_delay_is_over(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    case = await _case(client, database)
    request = await case.ask(tell_after_days=30)
    await case.bo.told("POST", f"{case.path}/approve")
    # One approval opens nothing here, and nobody approves twice.
    assert await case.sees(case.ann) == CLOSED
    for member in (case.ann, case.bo):
        assert await member.refused("POST", f"{case.path}/approve") == (403, "second_person_needed")
    await case.cem.told("POST", f"{case.path}/approve")
    assert (await case.sees(case.ann))[0] == 200
    clock.advance(days=29, hours=23)
    assert await _tell_due(database) == 0
    assert await _texts(database, case.mother) == []
    async with database.begin() as work:
        mine = await work.session.exec(select(AuditEntry.action).where(AuditEntry.family_id == case.mother.family_id))
        # The family's own log gives nothing away before.
        assert not any(action.startswith("break_glass") for action in mine)
    clock.advance(hours=1)
    assert [await _tell_due(database) for _ in range(2)] == [1, 0]
    assert len(await _texts(database, case.mother)) == 1
    assert request["tell_after_days"] == 30


async def test_nobody_delays_for_longer_or_asks_without_a_reason(client: httpx.AsyncClient, database: Database) -> None:
    case = await _case(client, database)
    path = f"{case.site}/families/{case.code}/break-glass"
    for body, refusal in (
        ({"reason": REASON, "tell_after_days": 31}, (422, "invalid_request")),
        ({"reason": REASON, "tell_after_days": -1}, (422, "invalid_request")),
        ({"reason": ""}, (422, "invalid_request")),
        ({"reason": "   "}, (422, "text_not_allowed")),
    ):
        assert await case.ann.refused("POST", path, json=body) == refusal


async def test_what_nobody_approved_for_a_week_is_over(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    case = await _case(client, database)
    await case.ask()
    clock.advance(days=7)
    bo = await renewed(case.bo, database)
    assert await bo.refused("POST", f"{case.path}/approve") == CLOSED


@pytest.mark.parametrize("role", ["staff", "coordinator", "factory"])
async def test_others_than_managers_and_admins_neither_ask_nor_approve(
    client: httpx.AsyncClient, database: Database, role: str
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    member = await make_staff(client, database, place, role)
    path = f"/v1/staff/sites/{place.site.site_id}/families/{await family_code_of(mother)}/break-glass"
    assert await member.refused("POST", path, json={"reason": REASON}) == (403, "permission_missing")
