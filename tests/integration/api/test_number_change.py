"""A guardian moves to another number: PIN, a code to the new number, and a day in which the old number can object."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio
from sqlmodel import select

from services.core.devices.number_changes.actions import carry_out_one_number_change, purge_ended_number_changes
from services.core.devices.number_changes.tables import NumberChange
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.households.tables import Enrolment
from services.core.platform.db.database import Database
from tests.integration.api.test_own_number_and_contests import _numbers_on_watch
from tests.support.clock import FakeClock
from tests.support.http import Parent, code_in, make_family, new_phone, sms_to

PIN = "730418"
PATH = "/v1/me/number-change"


async def _with_pin(parent: Parent) -> Parent:
    await parent.told("PUT", "/v1/me/pin", json={"pin": PIN})
    return parent


async def _code_at(parent: Parent, phone: str) -> dict[str, str]:
    """Have a code sent to another number, and return the body that asks for it."""
    sent = await parent.told("POST", f"{PATH}/codes", json={"phone": phone})
    code = code_in((await sms_to(parent.database, phone))[-1])
    return {"phone": phone, "code": code, **{name: sent[name] for name in ("challenge_id", "challenge_secret")}}


async def _ask(parent: Parent, phone: str) -> dict[str, Any]:
    change: dict[str, Any] = await parent.told("POST", PATH, json=await _code_at(parent, phone))
    return change


async def _carry_out(database: Database) -> bool:
    async with database.begin() as work:
        return await carry_out_one_number_change(work)


@pytest_asyncio.fixture(autouse=True)
async def no_change_waits(database: Database, clock: FakeClock) -> None:
    """Carry out what an earlier test left: the sweep takes any family's change."""
    clock.advance(days=1)
    while await _carry_out(database):
        pass


async def test_after_a_day_the_account_is_at_the_new_number_and_the_session_has_stayed(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await _with_pin(await make_family(client, database))
    aunt = await mother.invite()
    cursor = (await aunt.told("GET", "/v1/sync"))["cursor"]
    old, new = mother.phone, new_phone()
    texts = {phone: len(await sms_to(database, phone)) for phone in (old, aunt.phone)}
    change = await _ask(mother, new)
    assert datetime.fromisoformat(change["due_at"]) == clock.now + timedelta(hours=24)
    for phone, before in texts.items():
        (text,) = (await sms_to(database, phone))[before:]
        assert old not in text
        assert new not in text
    assert "24 hours" in (await sms_to(database, old))[-1]
    assert (await aunt.told("GET", f"{aunt.family}/number-changes"))["changes"] == [change]
    assert old not in str(change)
    assert await mother.refused("POST", PATH, json=await _code_at(mother, new_phone())) == (
        409, "number_change_waiting",
    )  # fmt: skip
    # Nothing has changed yet.
    clock.advance(hours=23, minutes=59)
    assert not await _carry_out(database)
    clock.advance(minutes=1)
    assert await _carry_out(database)
    assert not await _carry_out(database)
    refresh = {"refresh_token": mother.tokens["refresh_token"]}
    answer = await client.post("/v1/auth/refresh", json=refresh)
    assert answer.status_code == 200
    mother.tokens = answer.json()
    assert (await mother.told("GET", "/v1/me"))["phone"] == new
    assert await _numbers_on_watch(mother) == {"g-1": (new, True), "g-2": (aunt.phone, True)}
    await aunt.log_in()
    events = (await aunt.told("GET", f"/v1/sync?since={cursor}"))["events"]
    assert [event["detail"] for event in events if event["kind"] == "number_change.changed"] == [
        {"state": state, "guardian_id": mother.guardian_id} for state in ("waiting", "done")
    ]
    # The phone is known at the new number; the old one opens nothing.
    texts_before = len(await sms_to(database, old))
    await mother.post("/v1/auth/codes", {"phone": old})
    assert len(await sms_to(database, old)) == texts_before
    mother.phone = new
    assert not (await mother.log_in()).tokens["limited"]
    async with database.begin() as work:
        (row,) = await work.session.exec(select(NumberChange).where(NumberChange.guardian_id == mother.guardian_id))
        assert (row.state, row.old_phone, row.new_phone) == ("done", "", "")
        enrolled = await work.session.exec(
            select(Enrolment.guardian_phone).where(Enrolment.family_id == mother.family_id)
        )
        assert list(enrolled) == [new]
    clock.advance(days=90)
    async with database.begin() as work:
        assert await purge_ended_number_changes(work)
        assert not await purge_ended_number_changes(work)


async def test_whoever_has_the_old_number_objects_before_the_second_step_and_the_thief_is_out(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    thief = await _with_pin(await make_family(client, database))
    await _ask(thief, new_phone())
    clock.advance(hours=23)
    # The owner with the SIM in another phone: a limited session, which sees nothing but this.
    owner = await thief.new_device().log_in()
    assert owner.tokens["limited"]
    (change,) = (await owner.told("GET", PATH))["changes"]
    stopped = await owner.told("POST", f"{PATH}/stop")
    assert (stopped["change_id"], stopped["state"]) == (change["change_id"], "contested")
    refresh = {"refresh_token": thief.tokens["refresh_token"]}
    assert (await client.post("/v1/auth/refresh", json=refresh)).status_code == 401
    assert await owner.refused("POST", f"{PATH}/stop") == (409, "number_change_ended")
    clock.advance(hours=1)
    assert not await _carry_out(database)
    # The phone that asked is not known any more.
    assert (await thief.log_in()).tokens["limited"]


async def test_withdrawing_keeps_the_session_and_a_number_that_was_taken_meanwhile_fails(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await _with_pin(await make_family(client, database))
    await _ask(mother, new_phone())
    assert (await mother.told("POST", f"{PATH}/stop"))["state"] == "withdrawn"
    number = new_phone()
    await _ask(mother, number)
    other = await make_family(client, database)
    async with database.begin() as work:
        owner = await guardian_by_phone(work, other.phone)
        assert owner is not None
        owner.phone = number
        work.add(owner)
    clock.advance(hours=24)
    assert await _carry_out(database)
    await mother.log_in()
    assert (await mother.told("GET", "/v1/me"))["phone"] == mother.phone
    assert (await mother.told("GET", PATH))["changes"] == []


async def test_what_is_refused(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    mother = await make_family(client, database)
    other = await make_family(client, database)
    # Without a PIN the office's way.
    assert await mother.refused("POST", f"{PATH}/codes", json={"phone": new_phone()}) == (403, "number_needs_office")
    await _with_pin(mother)
    assert await mother.refused("POST", f"{PATH}/codes", json={"phone": mother.phone}) == (409, "number_taken")
    assert await mother.refused("POST", f"{PATH}/codes", json={"phone": "12345"}) == (422, "phone_invalid")
    # That a number has an account is told to whoever receives its texts, and to nobody else.
    body = await _code_at(mother, other.phone)
    wrong = f"{(int(body['code']) + 1) % 1_000_000:06d}"
    assert await mother.refused("POST", PATH, json={**body, "code": wrong}) == (403, "login_code_wrong")
    assert await mother.refused("POST", PATH, json=body) == (409, "number_taken")
    # The code of one number is worth nothing for another, nor for a log-in.
    body = await _code_at(mother, new_phone())
    assert await mother.refused("POST", PATH, json={**body, "phone": new_phone()}) == (403, "login_code_ended")
    assert (await mother.post("/v1/auth/tokens", body)).json()["code"] == "login_code_wrong"
    clock.advance(minutes=5)
    assert await mother.refused("POST", PATH, json=body) == (403, "step_up_required")
    await mother.step_up(PIN)
    assert (await mother.told("POST", PATH, json=body))["state"] == "waiting"
