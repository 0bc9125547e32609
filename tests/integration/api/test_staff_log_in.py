"""Staff log in with three things, each refusal is the same, and sessions are short."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import pytest
from sqlmodel import select

from services.core.people.accounts.tables import Staff, StaffRecoveryCode
from services.core.people.staff_accounts.actions import end_staff, reset_staff
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.limits.rules import Limits
from tests.support.clock import FakeClock
from tests.support.colleague import Colleague, first_password_sent_to, new_colleague, status_and_code
from tests.support.http import make_parent, make_place, new_address
from tests.support.staff_http import make_staff, renewed

REFUSED = (403, "staff_log_in_refused")


async def test_the_first_log_in_sets_up_the_app_and_each_code_works_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await new_colleague(client, database, clock)
    assert await ming.log_in("000000") == (403, "staff_set_up_needed")
    await ming.set_up()
    assert await ming.me() == (200, "")
    # The code of the set-up is used; the next one logs in, once.
    assert await ming.log_in(ming.shown()) == REFUSED
    assert await ming.log_in(ming.shown(1)) == (200, "")
    assert await ming.log_in(ming.shown(1)) == REFUSED
    # A TOTP secret that is set up cannot be replaced with the password alone.
    assert status_and_code(await ming.say("set-up")) == REFUSED
    async with database.begin() as work:
        staff = (await work.session.exec(select(Staff).where(Staff.email == ming.email))).one()
        codes = (
            await work.session.exec(select(StaffRecoveryCode).where(StaffRecoveryCode.staff_id == staff.staff_id))
        ).all()
    assert len(codes) == 10
    stored = repr(staff) + repr(codes)
    for secret in (ming.password, ming.secret.hex(), *ming.recovery_codes):
        assert secret not in stored


async def test_of_several_at_once_with_the_same_code_one_gets_in(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    for code in (ming.shown(1), ming.recovery_codes[0]):
        answers = await asyncio.gather(*(ming.log_in(code) for _ in range(3)))
        assert sorted(answers) == [(200, ""), REFUSED, REFUSED]


async def test_each_recovery_code_works_once_in_place_of_the_app(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    assert len(set(ming.recovery_codes)) == 10
    assert await ming.log_in(ming.recovery_codes[0].upper()) == (200, "")
    assert await ming.log_in(ming.recovery_codes[2].replace("-", " ")) == (200, "")
    assert await ming.log_in(ming.recovery_codes[0]) == REFUSED
    assert await ming.log_in(ming.recovery_codes[1]) == (200, "")


async def test_every_refusal_is_the_same(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    answers = []
    for email, password, code in (
        (ming.email, "wrong", ming.shown(1)),
        (ming.email, ming.password, "000000"),
        (f"{new_ref()}@wecare.example", ming.password, ming.shown(1)),
        ("no address", "x", "x"),
    ):
        body = {"email": email, "password": password, "code": code}
        answer = await client.post("/v1/staff/auth/tokens", json=body, headers={"X-Forwarded-For": new_address()})
        answers.append((answer.status_code, answer.json() | {"request_id": ""}))
    assert answers == [answers[0]] * 4
    assert (answers[0][0], answers[0][1]["code"]) == REFUSED


async def test_nobody_locks_a_colleague_out_by_trying_their_password(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    most = Limits.STAFF_TRIES_OF_ACCOUNT_AT_ADDRESS.value.burst
    thief = Colleague(client, clock, ming.email, "guess")
    assert {await thief.log_in("000000") for _ in range(most)} == {REFUSED}
    assert await thief.log_in("000000") == (429, "too_many_requests")
    # An address that nobody has is limited alike.
    stranger = Colleague(client, clock, f"{new_ref()}@wecare.example", "guess")
    assert [(await stranger.log_in("0"))[0] for _ in range(most + 1)] == [403] * most + [429]
    assert await ming.log_in(ming.shown(1)) == (200, "")


async def test_a_session_ends_half_an_hour_after_its_last_use_and_after_a_working_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    clock.advance(minutes=10)
    assert await ming.me() == (401, "access_token_invalid")
    for _ in range(24):
        ming.tokens = (await ming.refresh()).json()
        assert await ming.me() == (200, "")
        clock.advance(minutes=29)
    # 11 h 46 min: one more, and then the day is over however busy it was.
    ming.tokens = (await ming.refresh()).json()
    clock.advance(minutes=9)
    assert await ming.me() == (200, "")
    clock.advance(minutes=6)
    assert status_and_code(await ming.refresh()) == (401, "refresh_token_invalid")


async def test_an_idle_session_is_over(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    clock.advance(minutes=30)
    assert status_and_code(await ming.refresh()) == (401, "refresh_token_invalid")


async def test_a_refresh_token_used_twice_ends_the_session(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    old = ming.tokens["refresh_token"]
    first = (await ming.refresh()).json()
    # A lost answer is repeated; a thief's second use is not.
    assert (await ming.refresh(old)).json()["refresh_token"] == first["refresh_token"]
    clock.advance(seconds=61)
    ming.tokens = first
    assert status_and_code(await ming.refresh(old)) == (401, "refresh_token_invalid")
    assert await ming.me() == (401, "session_ended")


async def test_a_staff_token_older_than_a_used_one_ends_the_session_at_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    old = ming.tokens["refresh_token"]
    for _ in range(2):
        ming.tokens = (await ming.refresh()).json()
    assert status_and_code(await ming.refresh(old)) == (401, "refresh_token_invalid")
    assert await ming.me() == (401, "session_ended")


async def test_two_refreshes_of_staff_at_once_get_the_same_successor(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    answers = await asyncio.gather(*(ming.refresh() for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_reset_and_end_close_every_session_at_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()
    async with database.begin() as work:
        await reset_staff(work, OPERATOR, ming.email)
        staff = (await work.session.exec(select(Staff).where(Staff.email == ming.email))).one()
    assert staff.phone is not None
    assert await ming.me() == (401, "session_ended")
    assert await ming.log_in(ming.shown(1)) == REFUSED
    ming.password = await first_password_sent_to(database, staff.phone)
    ming.own_password = "another-river-of-7-maps"
    assert await ming.log_in(ming.recovery_codes[0]) == (403, "staff_set_up_needed")
    await ming.set_up()
    async with database.begin() as work:
        assert [await end_staff(work, OPERATOR, ming.email) for _ in range(2)] == [True, False]
    assert await ming.me() == (401, "session_ended")
    assert await ming.log_in(ming.shown(1)) == REFUSED


async def test_sessions_are_listed_and_ended(client: httpx.AsyncClient, database: Database) -> None:
    here = await make_staff(client, database, await make_place(database))
    elsewhere = await renewed(here, database)
    sessions = (await here.told("GET", "/v1/staff/me/sessions"))["sessions"]
    assert len(sessions) == 2
    (other,) = [session["staff_session_id"] for session in sessions if not session["current"]]
    await here.told("DELETE", f"/v1/staff/me/sessions/{other}")
    assert await elsewhere.refused("GET", "/v1/staff/me") == (401, "session_ended")
    assert await here.refused("DELETE", f"/v1/staff/me/sessions/{uuid.uuid4()}") == (404, "not_found")
    await here.told("POST", "/v1/staff/auth/logout")
    assert await here.refused("GET", "/v1/staff/me") == (401, "session_ended")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/sync"])
async def test_a_staff_token_is_worth_nothing_to_guardians_and_the_other_way_round(
    client: httpx.AsyncClient, database: Database, path: str
) -> None:
    place = await make_place(database)
    staff, parent = await make_staff(client, database, place, "admin"), await make_parent(client, database, place)
    assert await staff.refused("GET", path) == (401, "access_token_invalid")
    assert await parent.refused("GET", "/v1/staff/me") == (401, "access_token_invalid")
    assert await parent.refused("GET", "/v1/staff/sites") == (401, "access_token_invalid")
