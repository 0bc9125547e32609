"""Guardians of a family: invited by phone, given rights, reduced, removed, gone; and never more than was handed on."""

from __future__ import annotations

import uuid

import httpx
import pytest
from sqlmodel import select

from services.core.devices.contacts.queries import recipients_of
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import TEXT_VERSION, Parent, make_family, make_parent, new_phone, sms_to

ACCEPT = {"part": "messages", "text_version": TEXT_VERSION, "locale": "en"}


async def _invite(parent: Parent, phone: str, **fields: object) -> dict[str, str]:
    invited = {"phone": phone, "relation": "aunt", **fields}
    invitation: dict[str, str] = await parent.told("POST", f"{parent.family}/invitations", json=invited)
    return invitation


async def _rights(parent: Parent, guardian_id: str) -> dict[str, bool]:
    guardians = (await parent.told("GET", f"{parent.family}/guardians"))["guardians"]
    match = next(guardian for guardian in guardians if guardian["guardian_id"] == guardian_id)
    return {name: match[name] for name in ("may_message", "may_locate", "may_manage")}


async def test_an_invited_phone_joins_with_consent_and_appears_to_everyone(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    grandmother = await mother.invite()
    assert await _rights(mother, grandmother.guardian_id) == {
        "may_message": True, "may_locate": False, "may_manage": False,
    }  # fmt: skip
    for guardian in (mother, grandmother):
        contacts = (await guardian.contacts())["contacts"]
        assert [(contact["wire_id"], contact["name"]) for contact in contacts if contact["kind"] == "guardian"][1] == (
            "g-2",
            "Nai Nai",
        )
    async with database.begin() as work:
        reached = await recipients_of(work, uuid.UUID(mother.child_id), "family")
    assert [contact.wire_id for contact in reached] == ["g-1", "g-2"]


async def test_the_sms_of_an_invitation_says_nothing_of_the_family(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    phone = new_phone()
    await _invite(mother, phone, display_name="Lao Wang")
    (text,) = await sms_to(database, phone)
    me = await mother.told("GET", "/v1/me")
    for personal in ("Mei", "Lao Wang", mother.phone, me["families"][0]["family_code"]):
        assert personal not in text


async def test_nothing_of_the_family_is_told_before_the_invitation_is_accepted(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = Parent(client, database, new_phone(), mother.family_id, mother.child_id)
    invitation = await _invite(mother, aunt.phone)
    await aunt.log_in()
    for path in (aunt.child, f"{aunt.family}/guardians", f"{aunt.family}/consents"):
        assert await aunt.refused("GET", path) == (404, "not_found")
    invitations = (await aunt.told("GET", "/v1/me"))["invitations"]
    assert [invitation["invitation_id"] for invitation in invitations] == [invitation["invitation_id"]]
    await aunt.told("POST", f"/v1/invitations/{invitation['invitation_id']}/accept", json=ACCEPT)
    again = await aunt.told("POST", f"/v1/invitations/{invitation['invitation_id']}/accept", json=ACCEPT)
    assert [family["family_id"] for family in again["families"]] == [str(mother.family_id)]
    assert (await mother.told("GET", f"{mother.family}/invitations"))["invitations"] == []


async def test_an_invitation_ends_after_fourteen_days_by_a_no_and_when_it_is_taken_back(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    aunt = Parent(client, database, new_phone())
    accept = "/v1/invitations/{}/accept"

    first = await _invite(mother, aunt.phone)
    assert await mother.refused(
        "POST", f"{mother.family}/invitations", json={"phone": aunt.phone, "relation": "aunt"}
    ) == (409, "invitation_exists")
    await aunt.log_in()
    for _ in range(2):
        await aunt.told("POST", f"/v1/invitations/{first['invitation_id']}/decline")
    refused = await aunt.ask("POST", accept.format(first["invitation_id"]), json=ACCEPT)
    assert (refused.status_code, refused.json()["code"], refused.json()["reason"]) == (
        409,
        "invitation_ended",
        "declined",
    )

    second = await _invite(mother, aunt.phone)
    for _ in range(2):
        await mother.told("DELETE", f"{mother.family}/invitations/{second['invitation_id']}")
    assert (await aunt.refused("POST", accept.format(second["invitation_id"]), json=ACCEPT))[0] == 409

    third = await _invite(mother, aunt.phone)
    clock.advance(days=14)
    await aunt.log_in()
    refused = await aunt.ask("POST", accept.format(third["invitation_id"]), json=ACCEPT)
    assert refused.json()["reason"] == "expired"
    await mother.log_in()
    assert await _invite(mother, aunt.phone)


async def test_another_phone_cannot_take_an_invitation(client: httpx.AsyncClient, database: Database) -> None:
    mother, stranger = await make_family(client, database), await make_parent(client, database)
    invitation = await _invite(mother, new_phone())
    for verb in ("accept", "decline"):
        path = f"/v1/invitations/{invitation['invitation_id']}/{verb}"
        assert await stranger.refused("POST", path, json=ACCEPT) == (404, "not_found")


async def test_rights_do_not_grow_by_handing_them_on(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    invited = {"phone": new_phone(), "relation": "uncle", "may_locate": True}
    assert await aunt.refused("POST", f"{aunt.family}/invitations", json=invited) == (403, "right_not_yours")
    own = f"{aunt.family}/guardians/{aunt.guardian_id}"
    assert await aunt.refused("PATCH", own, json={"may_locate": True}) == (403, "right_not_yours")
    await mother.told("PATCH", own, json={"may_locate": True})
    assert (await _rights(mother, aunt.guardian_id))["may_locate"]
    assert await aunt.told("POST", f"{aunt.family}/invitations", json=invited)


async def test_a_guardian_without_the_right_to_manage_changes_only_their_own_relation(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt, uncle = await mother.invite(), await mother.invite()
    forbidden = (403, "right_missing")
    for target in (mother, aunt, uncle):
        path = f"{aunt.family}/guardians/{target.guardian_id}"
        assert await aunt.refused("PATCH", path, json={"may_manage": True}) == forbidden
        if target is not aunt:
            assert await aunt.refused("DELETE", path) == forbidden
            assert await aunt.refused("PATCH", path, json={"relation": "friend"}) == forbidden
    await aunt.told("PATCH", f"{aunt.family}/guardians/{aunt.guardian_id}", json={"relation": "aunt"})
    shown = {contact["guardian_id"]: contact["relation"] for contact in (await mother.contacts())["contacts"]}
    assert shown[aunt.guardian_id] == "aunt"
    assert await aunt.refused("POST", f"{aunt.family}/children", json={"name": "Lin"}) == forbidden
    assert await aunt.refused("PATCH", aunt.child, json={"name": "Lin"}) == forbidden
    assert await aunt.refused("GET", f"{aunt.family}/invitations") == forbidden
    assert await aunt.refused("POST", f"{aunt.child}/pairing", json={"code": "123456"}) == forbidden


async def test_the_first_guardian_is_neither_removed_nor_reduced_and_stays(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    path = f"{mother.family}/guardians/{mother.guardian_id}"
    kept = (409, "primary_guardian")
    assert await aunt.refused("DELETE", path) == kept
    assert await aunt.refused("PATCH", path, json={"may_manage": False}) == kept
    assert await aunt.refused("PATCH", path, json={"may_message": False}) == kept
    assert await mother.refused("DELETE", path) == kept
    assert await mother.refused("PATCH", path, json={"may_manage": False}) == kept


@pytest.mark.parametrize("by_themselves", [True, False])
async def test_who_leaves_or_is_removed_has_no_access_from_that_moment(
    client: httpx.AsyncClient,
    database: Database,
    by_themselves: bool,  # noqa: FBT001
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    pending = await _invite(aunt, new_phone())
    before = (await mother.contacts())["version"]
    who = aunt if by_themselves else mother
    await who.told("DELETE", f"{mother.family}/guardians/{aunt.guardian_id}")
    for path in (aunt.child, f"{aunt.child}/messages", f"{aunt.family}/guardians", f"{aunt.family}/consents"):
        assert await aunt.refused("GET", path) == (404, "not_found")
    assert (await aunt.told("GET", "/v1/me"))["families"] == []
    after = await mother.contacts()
    assert after["version"] == before + 1
    assert aunt.guardian_id not in {contact["guardian_id"] for contact in after["contacts"]}
    # Nor does anybody come in through a door that they had opened.
    standing = (await mother.told("GET", f"{mother.family}/invitations"))["invitations"]
    assert pending["invitation_id"] not in {invitation["invitation_id"] for invitation in standing}
    assert await mother.refused("DELETE", f"{mother.family}/guardians/{aunt.guardian_id}") == (404, "not_found")
    async with database.begin() as work:
        entries = await work.session.exec(select(AuditEntry).where(AuditEntry.subject_id == aunt.guardian_id))
        assert {"guardian.left" if by_themselves else "guardian.removed"} <= {entry.action for entry in entries}


async def test_without_the_right_to_write_a_guardian_is_off_the_watch_and_back_with_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    path = f"{mother.family}/guardians/{aunt.guardian_id}"
    await mother.told("PATCH", path, json={"may_message": False})
    assert await aunt.refused("GET", f"{aunt.child}/messages") == (403, "right_missing")
    assert aunt.guardian_id not in {contact["guardian_id"] for contact in (await mother.contacts())["contacts"]}
    async with database.begin() as work:
        assert [recipient.wire_id for recipient in await recipients_of(work, uuid.UUID(mother.child_id), "family")] == [
            "g-1"
        ]
        assert await recipients_of(work, uuid.UUID(mother.child_id), "g-2") == []
    await mother.told("PATCH", path, json={"may_message": True})
    assert aunt.guardian_id in {contact["guardian_id"] for contact in (await mother.contacts())["contacts"]}
    assert (await aunt.send("back"))["text"] == "back"


async def test_withdrawn_consent_stops_messages_at_once_and_can_be_given_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    for _ in range(2):
        await aunt.told("POST", f"{aunt.family}/consents/withdraw", json={"part": "messages"})
    assert await aunt.refused("GET", f"{aunt.child}/messages") == (403, "consent_required")
    body = {"kind": "text", "text": "hi"}
    assert await aunt.refused("POST", f"{aunt.child}/messages", json=body, headers={"Idempotency-Key": "key-1234"}) == (
        403,
        "consent_required",
    )
    async with database.begin() as work:
        assert [recipient.wire_id for recipient in await recipients_of(work, uuid.UUID(mother.child_id), "family")] == [
            "g-1"
        ]
    for _ in range(2):
        await aunt.consent()
    kept = (await aunt.told("GET", f"{aunt.family}/consents"))["consents"]
    assert [consent["withdrawn_at"] is None for consent in kept] == [False, True]
    assert (await aunt.send("again"))["text"] == "again"


async def test_consent_is_asked_with_the_text_of_today_and_recorded_with_version_language_and_way(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_parent(client, database)
    path = f"{parent.family}/consents"
    old = {"part": "messages", "text_version": "0", "locale": "en"}
    refused = await parent.ask("POST", path, json=old)
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_text_unknown")
    assert refused.json()["current_version"] == TEXT_VERSION
    given = await parent.told("POST", path, json=old | {"text_version": TEXT_VERSION, "locale": "zh-Hans"})
    assert (given["text_version"], given["locale"], given["how"]) == (TEXT_VERSION, "zh-Hans", "app")
    assert given["given_at"]
    for part in ("location", "measurement"):
        await parent.consent(part)
    assert {consent["part"] for consent in (await parent.told("GET", path))["consents"]} == {
        "messages",
        "location",
        "measurement",
    }


async def test_a_child_waits_for_the_first_guardians_consent_even_when_another_has_agreed(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_parent(client, database)
    await mother.consent()
    aunt = await mother.invite(may_manage=True)
    await mother.told("POST", f"{mother.family}/consents/withdraw", json={"part": "messages"})
    path = f"{aunt.family}/children"
    assert await aunt.refused("POST", path, json={"name": "Mei"}) == (403, "consent_required")
    await mother.consent()
    assert (await aunt.told("POST", path, json={"name": "Mei"}))["name"] == "Mei"


async def test_families_are_bounded(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    answers = [
        await mother.ask("POST", f"{mother.family}/children", json={"name": f"Child {number}"}) for number in range(10)
    ]
    assert [answer.status_code for answer in answers] == [201] * 9 + [409]
    assert (answers[-1].json()["code"], answers[-1].json()["of"]) == ("family_full", "children")
    invited = [
        await mother.ask("POST", f"{mother.family}/invitations", json={"phone": new_phone(), "relation": "aunt"})
        for _ in range(10)
    ]
    assert [response.status_code for response in invited] == [201] * 9 + [409]


async def test_a_name_is_given_after_consent_and_follows_to_the_watch_unless_renamed(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_parent(client, database)
    assert await mother.refused("PATCH", "/v1/me", json={"display_name": "Li"}) == (403, "consent_required")
    await mother.consent()
    await mother.add_child()
    assert (await mother.contacts())["contacts"][0]["name"] == "Family"
    await mother.told("PATCH", "/v1/me", json={"display_name": "Li Mei"})
    shown = (await mother.contacts())["contacts"][0]
    assert shown["name"] == "Li Mei"
    await mother.told("PATCH", f"{mother.child}/contacts/{shown['contact_id']}", json={"name": "Mama"})
    await mother.told("PATCH", "/v1/me", json={"display_name": "Li Mei Mei", "locale": "vi"})
    assert (await mother.contacts())["contacts"][0]["name"] == "Mama"
    me = await mother.told("GET", "/v1/me")
    assert (me["display_name"], me["locale"]) == ("Li Mei Mei", "vi")
