"""Accounts of the office: first passwords, own changes, the command line, requests, and who could approve."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from services.core.people.accounts.tables import Staff
from services.core.people.programme.tables import StaffScope
from services.core.people.staff_accounts.actions import create_staff, reset_staff
from services.core.people.staff_accounts.queries import approvers_at
from services.core.people.staff_accounts.tables import StaffOrigin
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.colleague import Colleague, first_password_sent_to, status_and_code
from tests.support.http import new_phone
from tests.support.office import make_office
from tests.support.staff_http import StaffMember, make_staff, renewed

TOO_NEW = (403, "approver_too_new")


async def test_a_first_password_works_once_within_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await make_office(client, database)
    wanted = [office.new_account("factory") for _ in range(2)]
    for account in wanted:
        assert (await office.ann.told("POST", "/v1/staff/accounts", json=account))["state"] == "done"
    dora, eve = [
        Colleague(client, clock, account["email"], await first_password_sent_to(database, account["phone"]))
        for account in wanted
    ]
    first = dora.password
    assert status_and_code(await dora.say("set-up/confirm", code="123456", new_password=first)) == (
        422, "password_refused",
    )  # fmt: skip
    await dora.set_up()
    clock.advance(seconds=30)
    assert await dora.log_in(dora.shown()) == (200, "")
    dora.password = first
    clock.advance(seconds=30)
    assert await dora.log_in(dora.shown()) == (403, "staff_log_in_refused")
    clock.advance(hours=24)
    assert status_and_code(await eve.say("set-up")) == (403, "staff_log_in_refused")


async def test_a_change_of_ones_own_password_ends_the_other_sessions_and_keeps_the_standing(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await make_office(client, database)
    phone = new_phone()
    async with database.begin() as work:
        made = await create_staff(
            work, OPERATOR, email=f"{new_ref()}@wecare.example", display_name="Fen", role="manager",
            site=office.place.site, phone=phone,
        )  # fmt: skip
        email = made.staff.email
    fen = await Colleague(client, clock, email, await first_password_sent_to(database, phone)).set_up()
    clock.advance(days=7)
    await fen.log_in(fen.shown())
    tokens = [(await fen.say("tokens", code=fen.shown(step))).json() for step in (1,)]
    here = tokens[0]
    clock.advance(minutes=1)
    other = (await fen.say("tokens", code=fen.shown())).json()

    async def change(old: str, code: str, new: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        body = {"password": old, "code": code, "new_password": new}
        return status_and_code(await client.post("/v1/staff/me/password", json=body, headers=headers))

    new = "copper-5-window-river"
    assert await change("wrong", fen.shown(1), new) == (403, "staff_log_in_refused")
    assert await change(fen.password, fen.recovery_codes[0][:6].replace("-", "0"), new) in {
        (422, "invalid_request"), (403, "staff_log_in_refused"),
    }  # fmt: skip
    assert await change(fen.password, fen.shown(1), fen.password) == (422, "password_refused")
    assert await change(fen.password, fen.shown(1), "aaaaaaaaaaaaaa") == (422, "password_refused")
    assert await change(fen.password, fen.shown(1), new) == (204, "")
    fen.tokens = other
    assert await fen.me() == (401, "session_ended")
    fen.tokens = here
    assert await fen.me() == (200, "")
    member = StaffMember(client, made.staff, here["access_token"])
    await member.told("POST", await office.break_glass(await renewed(office.cem, database)))


async def test_accounts_of_the_command_line_count_at_once_until_the_first_family_is_enrolled(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await make_office(client, database)
    async with database.begin() as work:
        # Families are enrolled here already.
        late = await create_staff(
            work, OPERATOR, email=f"{new_ref()}@wecare.example", display_name="Gul", role="manager",
            site=office.place.site, phone=new_phone(),
        )  # fmt: skip
        late_id = late.staff.staff_id
        founder = await make_staff(client, database, office.place, "manager")
    gul = await office.member(late_id, client)
    assert await gul.refused("POST", await office.break_glass(office.cem)) == TOO_NEW
    async with database.begin() as work:
        await work.run(
            update(Staff)
            .where(col(Staff.staff_id) == founder.staff.staff_id)
            .values(is_founding=True, appointed_at=work.now)
        )
    await founder.told("POST", await office.break_glass(office.cem))


async def test_a_new_number_from_the_command_line_ends_what_stood_behind_an_account(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await make_office(client, database)
    dora = await office.opened(office.ann, office.bo, "manager")
    async with database.begin() as work:
        await reset_staff(work, OPERATOR, dora.staff.email)
        assert len(
            (await work.session.exec(select(StaffOrigin).where(StaffOrigin.staff_id == dora.staff.staff_id))).all()
        )
        await reset_staff(work, OPERATOR, dora.staff.email, phone=new_phone())
    clock.advance(days=7)
    dora, ann = await renewed(dora, database), await renewed(office.ann, database)
    await dora.told("POST", await office.break_glass(ann))


async def test_requests_lapse_are_withdrawn_and_seen_within_ones_scopes_only(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office, elsewhere = await make_office(client, database), await make_office(client, database)
    wanted = office.new_account("manager")
    request = await office.ann.told("POST", "/v1/staff/accounts", json=wanted)
    (listed,) = (await office.cem.told("GET", "/v1/staff/account-requests"))["requests"]
    assert (listed["request_id"], listed["asked_by_name"], listed["phone"]) == (
        request["request_id"], "admin", wanted["phone"],
    )  # fmt: skip
    assert (await elsewhere.bo.told("GET", "/v1/staff/account-requests"))["requests"] == []
    path = f"/v1/staff/account-requests/{request['request_id']}"
    assert await elsewhere.bo.refused("POST", f"{path}/approve") == (404, "not_found")
    assert await office.bo.refused("POST", "/v1/staff/accounts", json=wanted) == (409, "staff_request_stands")
    await office.bo.told("POST", f"{path}/withdraw")
    assert await office.cem.refused("POST", f"{path}/approve") == (409, "staff_request_ended")
    request = await office.bo.told("POST", "/v1/staff/accounts", json=wanted)
    clock.advance(days=7)
    ann, cem = await renewed(office.ann, database), await renewed(office.cem, database)
    path = f"/v1/staff/account-requests/{request['request_id']}/approve"
    assert await cem.refused("POST", path) == (409, "staff_request_ended")
    request = await ann.told("POST", "/v1/staff/accounts", json=wanted)
    # Whose author has gone meanwhile does not stand.
    bo = await renewed(office.bo, database)
    await bo.told("POST", f"/v1/staff/accounts/{ann.staff_id}/end")
    path = f"/v1/staff/account-requests/{request['request_id']}/approve"
    assert await cem.refused("POST", path) == (409, "staff_request_ended")


async def test_another_scope_for_an_account_needs_a_second_person_as_well(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await make_office(client, database)
    dora = await office.opened(office.ann, office.bo, "manager")
    chief, second = [await make_staff(client, database, office.place, "admin", programme=True) for _ in range(2)]
    wanted = office.new_account("manager", email=dora.staff.email, phone=dora.staff.phone)
    del wanted["site_id"]
    wanted["programme_id"] = str(office.place.site.programme_id)
    request = await chief.told("POST", "/v1/staff/accounts", json=wanted)
    async with database.begin() as work:
        assert (
            len((await work.session.exec(select(StaffScope).where(StaffScope.staff_id == dora.staff.staff_id))).all())
            == 1
        )
    # A manager of one site cannot approve what reaches beyond it.
    path = f"/v1/staff/account-requests/{request['request_id']}/approve"
    assert await office.cem.refused("POST", path) == (404, "not_found")
    await second.told("POST", path)
    async with database.begin() as work:
        assert (
            len((await work.session.exec(select(StaffScope).where(StaffScope.staff_id == dora.staff.staff_id))).all())
            == 2
        )


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"employed_by_factory": True}, (422, "role_of_factory")),
        ({"role": "coordinator", "employed_by_factory": True}, (422, "role_of_factory")),
        ({"phone": "12345"}, (422, "phone_invalid")),
        ({"phone": None}, (422, "invalid_request")),
        ({"employed_by_factory": None}, (422, "invalid_request")),
    ],
)
async def test_what_an_account_cannot_be(
    client: httpx.AsyncClient, database: Database, other: dict[str, Any], refusal: tuple[int, str]
) -> None:
    office = await make_office(client, database)
    assert await office.ann.refused("POST", "/v1/staff/accounts", json=office.new_account() | other) == refusal


async def test_people_who_could_approve_are_counted_and_not_their_accounts(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await make_office(client, database)

    async def approvers() -> int:
        async with database.begin() as work:
            await work.run(update(Staff).values(totp_confirmed_at=work.now))
            return await approvers_at(work, office.place.site)

    assert await approvers() == 3
    await office.opened(office.ann, office.bo)
    assert await approvers() == 3
    clock.advance(days=7)
    # Dora is nobody beside Ann.
    assert await approvers() == 3
    await make_staff(client, database, office.place, "staff")
    assert await approvers() == 3
    bo, cem = await renewed(office.bo, database), await renewed(office.cem, database)
    triage = f"/v1/staff/sites/{office.place.site.site_id}/triage"
    assert (await bo.told("GET", triage))["site_warnings"] == []
    await bo.told("POST", f"/v1/staff/accounts/{cem.staff_id}/end")
    assert await approvers() == 2
    # The triage list says so to those who could be asked to approve, and to no coordinator.
    assert [warning["kind"] for warning in (await bo.told("GET", triage))["site_warnings"]] == ["few_approvers"]
    coordinator = await make_staff(client, database, office.place, "coordinator")
    assert (await coordinator.told("GET", triage))["site_warnings"] == []
