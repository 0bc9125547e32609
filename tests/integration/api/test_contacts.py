"""The contact list: who may change what, a version for every change, and no change lost between two guardians."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import pytest
from sqlmodel import select

from services.core.devices.contacts.queries import wire_contacts
from services.core.platform.db.database import Database
from services.core.platform.outbox.tables import OutboxRow
from tests.support.http import Parent, make_family, make_place, new_phone, pair


async def _on_watch(parent: Parent) -> list[str]:
    async with parent.database.begin() as work:
        _, contacts = await wire_contacts(work, uuid.UUID(parent.child_id))
    return [contact.wire_id for contact in contacts]


async def _watch_is_told(database: Database, username: str) -> int:
    async with database.begin() as work:
        rows = await work.session.exec(select(OutboxRow).where(OutboxRow.kind == "watch", OutboxRow.target == username))
        return len(rows.all())


async def test_a_proposal_reaches_the_watch_when_a_managing_guardian_has_approved_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    proposed = await aunt.add_contact(name="Neighbour Wu", relation="neighbour")
    assert (proposed["state"], proposed["wire_id"]) == ("proposed", "c-3")
    assert await _on_watch(mother) == ["g-1", "g-2"]
    path = f"{mother.child}/contacts/{proposed['contact_id']}/approve"
    assert await aunt.refused("POST", path) == (403, "right_missing")
    for _ in range(2):
        assert (await mother.told("POST", path))["state"] == "approved"
    assert await _on_watch(mother) == ["g-1", "g-2", "c-3"]
    assert (await mother.add_contact())["state"] == "approved"


async def test_every_guardian_sees_everyone_who_can_reach_the_child(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    await mother.add_contact()
    assert await aunt.contacts() == await mother.contacts()


async def test_each_change_is_a_new_version_and_the_watch_is_told(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    items = await _watch_is_told(database, identity.username)
    version = (await mother.contacts())["version"]
    contact = await mother.add_contact()
    path = f"{mother.child}/contacts/{contact['contact_id']}"
    await mother.told("PATCH", path, json={"name": "Miss Li", "emergency": True, "number": new_phone()})
    ids = [contact["contact_id"] for contact in (await mother.contacts())["contacts"]]
    await mother.told("PUT", f"{mother.child}/contacts/order", json={"contact_ids": ids[::-1]})
    assert await _on_watch(mother) == ["c-2", "g-1"]
    await mother.told("DELETE", path)
    after = await mother.contacts()
    assert (after["version"], after["acked_version"]) == (version + 4, 0)
    assert await _watch_is_told(database, identity.username) == items + 4


async def test_a_number_on_the_wire_is_never_used_again(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    first = await mother.add_contact()
    await mother.told("DELETE", f"{mother.child}/contacts/{first['contact_id']}")
    assert (await mother.add_contact())["wire_id"] == "c-3"
    assert await mother.refused("DELETE", f"{mother.child}/contacts/{first['contact_id']}") == (404, "not_found")
    assert await mother.refused("PATCH", f"{mother.child}/contacts/{first['contact_id']}", json={"name": "x"}) == (
        404,
        "not_found",
    )


async def test_two_guardians_at_once_lose_no_change_and_no_version(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    version = (await mother.contacts())["version"]
    added = await asyncio.gather(*(who.add_contact(name=f"Name {n}") for n in range(8) for who in (mother, aunt)))
    after = await mother.contacts()
    assert after["version"] == version + 16
    assert len({contact["wire_id"] for contact in added}) == 16
    positions = [contact["position"] for contact in after["contacts"]]
    assert positions == sorted(set(positions))


async def test_guardians_and_contacts_changed_at_once_wait_for_each_other_and_never_fail(
    client: httpx.AsyncClient, database: Database
) -> None:
    # Two children: what follows a guardian takes both lists, while others take one list and then tell the family.
    mother = await make_family(client, database)
    first = mother.child_id
    await mother.add_child("Lin")
    second = Parent(client, database, mother.phone, mother.family_id, mother.child_id, mother.tokens)
    mother.child_id = first
    aunt = await mother.invite(may_manage=True)
    path = f"{mother.family}/guardians/{aunt.guardian_id}"

    async def change(parent: Parent, number: int) -> int:
        contact = {"name": f"Name {number}", "relation": "friend", "number": new_phone()}
        return (await parent.ask("POST", f"{parent.child}/contacts", json=contact)).status_code

    async def flip(number: int) -> int:
        return (await mother.ask("PATCH", path, json={"may_message": number % 2 == 0})).status_code

    async def write(parent: Parent, number: int) -> int:
        headers = {"Idempotency-Key": f"at-once-{parent.child_id}-{number}"}
        body = {"kind": "text", "text": "hi"}
        return (await parent.ask("POST", f"{parent.child}/messages", json=body, headers=headers)).status_code

    answers = await asyncio.gather(
        *(change(parent, n) for n in range(6) for parent in (mother, second)),
        *(flip(n) for n in range(6)),
        *(write(parent, n) for n in range(6) for parent in (mother, second)),
    )
    assert set(answers) == {200, 201}


async def test_the_list_is_bounded_and_a_number_is_in_it_once(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    number = new_phone()
    await mother.add_contact(number=number)
    wanted = {"name": "Li", "relation": "aunt", "number": number}
    assert await mother.refused("POST", f"{mother.child}/contacts", json=wanted) == (409, "contact_number_taken")
    answers = [
        (await mother.ask("POST", f"{mother.child}/contacts", json={**wanted, "number": new_phone()})).status_code
        for _ in range(29)
    ]
    assert answers == [201] * 28 + [409]
    first = (await mother.contacts())["contacts"][-1]
    path = f"{mother.child}/contacts/{first['contact_id']}"
    assert await mother.refused("PATCH", path, json={"number": number}) == (409, "contact_number_taken")
    # A number that stays what it is was not taken by somebody else.
    assert (await mother.told("PATCH", path, json={"number": first["number"]}))["number"] == first["number"]


async def test_a_guardians_entry_follows_the_guardian(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    own = (await mother.contacts())["contacts"][0]
    path = f"{mother.child}/contacts/{own['contact_id']}"
    assert await mother.refused("DELETE", path) == (409, "contact_of_guardian")
    assert await mother.refused("PATCH", path, json={"number": new_phone()}) == (409, "contact_of_guardian")
    assert (await mother.told("PATCH", path, json={"may_call": False}))["may_call"] is False


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"relation": "boss"}, "invalid_request"),
        ({"number": "not a number"}, "phone_invalid"),
        ({"number": "12345678901234567890"}, "phone_invalid"),
        ({"name": "a\nb"}, "text_not_allowed"),
        ({"name": "\u202eMei"}, "text_not_allowed"),
        ({"name": "   "}, "text_not_allowed"),
        ({"name": "a" * 41}, "text_not_allowed"),
        ({"wire_id": "g-1"}, "invalid_request"),
        ({"may_message": True}, "invalid_request"),
    ],
)
async def test_what_a_watch_cannot_show_or_dial_is_refused(
    client: httpx.AsyncClient, database: Database, wrong: dict[str, object], code: str
) -> None:
    mother = await make_family(client, database)
    contact = {"name": "Li", "relation": "aunt", "number": new_phone(), **wrong}
    assert await mother.refused("POST", f"{mother.child}/contacts", json=contact) == (422, code)
    assert len((await mother.contacts())["contacts"]) == 1


@pytest.mark.parametrize("change", ["twice", "one missing", "a stranger", "none"])
async def test_an_order_names_everyone_once(client: httpx.AsyncClient, database: Database, change: str) -> None:
    mother = await make_family(client, database)
    await mother.add_contact()
    ids = [contact["contact_id"] for contact in (await mother.contacts())["contacts"]]
    orders = {"twice": [*ids, ids[0]], "one missing": ids[:1], "a stranger": [ids[0], str(uuid.uuid4())], "none": []}
    assert await mother.refused("PUT", f"{mother.child}/contacts/order", json={"contact_ids": orders[change]}) == (
        422,
        "contact_order_incomplete",
    )
