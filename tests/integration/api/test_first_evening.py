"""The way of one family through the API: log in, agree, add a child, contacts, pair, write and be answered."""

from __future__ import annotations

import uuid

import httpx

from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.contacts.queries import wire_contacts
from services.core.devices.watches.queries import standing_identity
from services.core.platform.db.database import Database
from tests.support.http import make_parent, make_place, pair


async def test_a_family_comes_from_the_first_code_to_the_first_answer(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_parent(client, database, place)

    me = await mother.told("GET", "/v1/me")
    assert [family["family_id"] for family in me["families"]] == [str(mother.family_id)]
    assert me["families"][0]["is_primary"]
    assert me["families"][0]["consents"] == []

    # Before consent nothing of a child is stored.
    refused = await mother.ask("POST", f"/v1/families/{mother.family_id}/children", json={"name": "Mei"})
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_required")

    texts = (await client.get("/v1/consent-texts", params={"locale": "vi"})).json()["texts"]
    assert {text["part"] for text in texts} >= {"messages"}
    await mother.consent()
    await mother.told("PATCH", "/v1/me", json={"display_name": "妈妈"})
    await mother.add_child()

    contacts = await mother.contacts()
    assert [(contact["wire_id"], contact["name"], contact["kind"]) for contact in contacts["contacts"]] == [
        ("g-1", "妈妈", "guardian")
    ]

    identity = await pair(mother, place)
    child = await mother.told("GET", f"/v1/children/{mother.child_id}")
    assert (child["watch"]["state"], child["watch"]["battery_pct"]) == ("online", 81)

    path = f"/v1/children/{mother.child_id}/messages"
    sent = await mother.told(
        "POST", path, json={"kind": "text", "text": "晚安 🌙"}, headers={"Idempotency-Key": "evening-1"}
    )
    assert (sent["text"], sent["recipients"][0]["state"]) == ("晚安 🌙", "stored")

    async with database.begin() as work:
        version, on_watch = await wire_contacts(work, uuid.UUID(mother.child_id))
        assert (version, [contact.wire_id for contact in on_watch]) == (contacts["version"], ["g-1"])
        standing = await standing_identity(work, identity.username)
        assert standing is not None
        answer = WatchMessage("t81kd02mq7zr", "g-1", text_body("hi"), "fp", None)
        assert (await receive_from_child(work, standing, answer)).code == "stored"

    page = await mother.told("GET", path)
    assert [(message["direction"], message["text"]) for message in page["messages"]] == [
        ("to_family", "hi"),
        ("to_child", "晚安 🌙"),
    ]
    played = await mother.told("PUT", f"{path}/{page['messages'][0]['message_id']}/state", json={"state": "played"})
    assert played["my_state"] == "played"
