"""A parent types the number without a country code: it is read as one of the site's or of the chosen country."""

from __future__ import annotations

from typing import Any

import httpx
from sqlmodel import select

from services.core.office.hand_outs.actions import print_slips
from services.core.people.households.tables import Invitation
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.http import Parent, code_in, enrol_family, make_family, make_place, new_address, new_phone, sms_to
from tests.support.staff_http import family_code_of, make_staff


async def _post(client: httpx.AsyncClient, leaf: str, body: dict[str, Any]) -> httpx.Response:
    return await client.post(f"/v1/auth/{leaf}", json=body, headers={"X-Forwarded-For": new_address()})


async def _log_in(
    client: httpx.AsyncClient, database: Database, phone: str, requested: dict[str, Any], entered: dict[str, Any]
) -> int:
    """Request a code and enter it, both with the number as it is dialled at home; return the status."""
    national = phone.removeprefix("+86")
    answer = await _post(client, "codes", {"phone": national, **requested})
    assert answer.status_code == 202, answer.text
    challenge = {name: answer.json()[name] for name in ("challenge_id", "challenge_secret")}
    code = code_in((await sms_to(database, phone))[-1])
    return (await _post(client, "tokens", {**challenge, "phone": national, "code": code, **entered})).status_code


async def test_a_log_in_reads_the_number_of_the_chosen_country_whatever_the_language(
    client: httpx.AsyncClient, database: Database
) -> None:
    phone = new_phone()
    await enrol_family(database, phone)
    # Without any hint it is no number; the language alone would make it another country's.
    national = {"phone": phone.removeprefix("+86")}
    assert (await _post(client, "codes", national)).json()["code"] == "phone_invalid"
    assert (await _post(client, "codes", national | {"locale": "tr"})).json()["code"] == "phone_invalid"
    assert (await _post(client, "codes", national | {"country": "cn"})).json()["code"] == "invalid_request"
    # The code is entered without saying the country again.
    assert await _log_in(client, database, phone, {"locale": "en", "country": "CN"}, {}) == 200


async def test_at_a_hand_out_the_number_is_one_of_the_sites_country(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    coordinator = await make_staff(client, database, place, "coordinator")
    path = f"/v1/staff/sites/{place.site.site_id}/hand-outs"
    hand_out = await coordinator.told("POST", path, json={"families": 5, "minutes": 60})
    phone = new_phone()
    await enrol_family(database, phone, place)
    wall = {"locale": "en", "hand_out_code": hand_out["code"]}
    assert await _log_in(client, database, phone, wall, {"locale": "en"}) == 200
    other = new_phone()
    family_id = await enrol_family(database, other, place)
    code = await family_code_of(Parent(client, database, other, family_id))
    async with database.begin() as work:
        (slip,) = await print_slips(work, coordinator.staff.staff_id, place.site, hand_out["hand_out_id"], [code])
    body = {"slip_code": slip.code, "phone": other.removeprefix("+86"), "locale": "en"}
    assert (await _post(client, "slips", body)).status_code == 200


async def test_an_invitation_reads_the_number_of_the_familys_site_or_of_the_chosen_country(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    await mother.told("PATCH", "/v1/me", json={"locale": "en"})
    invited = new_phone()
    for body in (
        {"phone": invited.removeprefix("+86"), "relation": "aunt"},
        {"phone": "0912 345 678", "country": "VN", "relation": "uncle"},
    ):
        await mother.told("POST", f"{mother.family}/invitations", json=body)
    landline = {"phone": "0769-22221234", "relation": "uncle"}
    assert await mother.refused("POST", f"{mother.family}/invitations", json=landline) == (422, "phone_not_mobile")
    async with database.begin() as work:
        phones = await work.session.exec(select(Invitation.phone).where(Invitation.family_id == mother.family_id))
        assert set(phones) == {invited, "+84912345678"}
    # A child may call a landline.
    contact = await mother.add_contact(number="0769-22221234", name=f"School {new_ref(4)}")
    assert contact["number"] == "+8676922221234"
