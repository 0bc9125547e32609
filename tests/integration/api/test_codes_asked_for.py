"""Codes asked for by strangers: limits of addresses, ranges and countries hold, and nobody is kept out."""

from __future__ import annotations

import httpx

from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from tests.support.clock import FakeClock
from tests.support.http import Parent, enrol_family, make_family, new_address, new_phone


async def test_nobody_keeps_a_guardian_out_by_asking_for_their_codes(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    victim = await make_family(client, database)
    clock.advance(minutes=2)
    new_phone = victim.new_device()
    begun: tuple[tuple[str, str], ...] = (await victim.ask_for_code(), await new_phone.ask_for_code())
    attacker = victim.new_device()
    refused = []
    for _ in range(120):
        clock.advance(seconds=61)
        answer = await attacker.post("/v1/auth/codes", {"phone": victim.phone})
        if answer.status_code == 429:
            refused.append(answer.json()["retry_after_s"])
        if begun and clock.now.minute % 5 == 0:
            # Codes that are on their way are not voided by others.
            assert (await victim.enter_code(*begun[0])).status_code == 200
            assert (await new_phone.enter_code(*begun[1])).status_code == 200
            begun = ()
    assert begun == ()
    assert refused
    # Both the known device and a new one at another address get theirs at once, and no wait is longer than two hours.
    await victim.log_in()
    assert not victim.tokens["limited"]
    elsewhere = await victim.new_device().log_in()
    assert elsewhere.tokens["limited"]
    assert max(refused) <= 2 * 3600


async def test_one_address_may_not_ask_for_everybodys_codes(client: httpx.AsyncClient) -> None:
    address = new_address()
    answers = [
        await client.post(
            "/v1/auth/codes", json={"phone": f"+49151{number:04d}0000"}, headers={"X-Forwarded-For": address}
        )
        for number in range(Limits.CODES_OF_ADDRESS.value.burst + 1)
    ]
    assert {answer.status_code for answer in answers[:-1]} == {202}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_requests")
    assert answers[-1].headers["retry-after"] == str(answers[-1].json()["retry_after_s"])


async def test_a_range_of_numbers_is_sent_so_many_codes_whoever_asks(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post(
            "/v1/auth/codes", json={"phone": f"+4915212{number:05d}"}, headers={"X-Forwarded-For": new_address()}
        )
        for number in range(Limits.CODES_OF_PREFIX.value.burst + 1)
    ]
    assert [answer.status_code for answer in answers].count(429) == 1
    assert answers[-1].status_code == 429


async def test_when_a_countrys_budget_is_used_up_strangers_wait_and_known_devices_do_not(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    phone = "+905321000001"
    parent = await Parent(client, database, phone, await enrol_family(database, phone)).log_in()
    async with database.begin() as work:
        await charge(work, Charge(Limits.SMS_OF_COUNTRY, "90", cost=Limits.SMS_OF_COUNTRY.value.burst - 1))
    for unknown in (phone, "+905321990002"):
        answer = await parent.new_device().post("/v1/auth/codes", {"phone": unknown})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    elsewhere = await parent.new_device().post("/v1/auth/codes", {"phone": new_phone()})
    assert elsewhere.status_code == 202
    clock.advance(minutes=1)
    await parent.log_in()
