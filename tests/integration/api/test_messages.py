"""Messages over HTTP: once for each key, in one order, paged without gap, and only for who they are for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping

import httpx
import pytest

from services.api.family.schemas.messages import MessagesResponse
from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.sounds import encoded

HELLO = {"kind": "text", "text": "hi"}


async def _post(parent: Parent, body: Mapping[str, object], key: str | None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await parent.ask("POST", f"{parent.child}/messages", json=body, headers=headers)


async def _child_says(database: Database, identity: WatchIdentity, text: str, to: str = "family") -> str:
    async with database.begin() as work:
        standing = await standing_identity(work, identity.username)
        assert standing is not None
        message = WatchMessage(new_ref(), to, text_body(text), new_ref(), None)
        return (await receive_from_child(work, standing, message)).code


async def test_a_key_makes_one_message_however_often_it_is_sent(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    answers = await asyncio.gather(*(_post(parent, HELLO, "same-key") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    assert len((await parent.told("GET", f"{parent.child}/messages"))["messages"]) == 1
    other = await _post(parent, {"kind": "text", "text": "ho"}, "same-key")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_conflict")


async def test_a_key_is_ones_own(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    ids = {(await _post(who, HELLO, "same-key")).json()["message_id"] for who in (mother, aunt)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "key", [None, "", "short", "x" * 101, "with space", "tab\tinside", "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9"]
)
async def test_a_message_without_a_usable_key_is_refused(
    client: httpx.AsyncClient, database: Database, key: str | None
) -> None:
    parent = await make_family(client, database)
    headers = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
    answer = await parent.ask("POST", f"{parent.child}/messages", json=HELLO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["in"] == "header"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "text", "text": "a" * 501}, "text_not_allowed"),
        ({"kind": "text", "text": " \n"}, "text_not_allowed"),
        ({"kind": "emoji", "emoji": "rocket"}, "emoji_unknown"),
        ({"kind": "voice", "text": "hi"}, "invalid_request"),
        ({"kind": "text", "emoji": "heart"}, "invalid_request"),
        ({"kind": "text", "text": "hi", "guardian_id": str(uuid.uuid4())}, "invalid_request"),
        ({"text": "hi"}, "invalid_request"),
    ],
)
async def test_what_is_no_message_is_refused(
    client: httpx.AsyncClient, database: Database, body: dict[str, object], code: str
) -> None:
    parent = await make_family(client, database)
    answer = await _post(parent, body, "a-good-key")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    # A refused message did not use up its key.
    assert (await _post(parent, HELLO, "a-good-key")).status_code == 201


async def test_pages_hold_every_message_once_while_new_ones_come(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    sent = [(await parent.send(f"number {number}"))["message_id"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = await parent.told("GET", f"{parent.child}/messages", params=params)
        seen += [message["message_id"] for message in page["messages"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await parent.send("meanwhile")
    assert seen == sent[::-1]


async def test_a_page_is_what_its_schema_says(client: httpx.AsyncClient, database: Database) -> None:
    """A page is written without its model. Every field is there, and is written as the model writes it."""
    place = await make_place(database)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)
    await _post(parent, HELLO, "a-text-of-ours")
    await _post(parent, {"kind": "emoji", "emoji": "heart"}, "an-emoji-of-ours")
    await parent.speak(encoded("amr-nb", 2.0))
    assert await _child_says(database, identity, '\u00e9 \U0001f600 "') == "stored"
    answer = await parent.ask("GET", f"{parent.child}/messages")
    page = MessagesResponse.model_validate_json(answer.content)
    assert {message.kind for message in page.messages} == {"text", "emoji", "voice"}
    assert answer.json() == page.model_dump(mode="json", by_alias=True)
    for message in answer.json()["messages"]:
        assert await parent.told("GET", f"{parent.child}/messages/{message['message_id']}") == message


async def test_states_are_told_for_each_recipient(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    before = await mother.send("before the watch")
    assert [recipient["state"] for recipient in before["recipients"]] == ["queued"]
    identity = await pair(mother, place)
    aunt = await mother.invite()
    path = f"{mother.child}/messages/{before['message_id']}"
    assert [recipient["state"] for recipient in (await mother.told("GET", path))["recipients"]] == ["stored"]

    assert await _child_says(database, identity, "to both") == "stored"
    (message,) = [
        message
        for message in (await aunt.told("GET", f"{aunt.child}/messages"))["messages"]
        if message["direction"] == "to_family"
    ]
    path = f"{aunt.child}/messages/{message['message_id']}/state"
    assert (await aunt.told("PUT", path, json={"state": "played"}))["my_state"] == "played"
    assert (await aunt.told("PUT", path, json={"state": "delivered"}))["my_state"] == "played"
    states = {
        recipient["guardian_id"]: recipient["state"]
        for recipient in (await mother.told("GET", path.removesuffix("/state")))["recipients"]
    }
    assert states == {mother.guardian_id: "stored", aunt.guardian_id: "played"}


async def test_what_the_child_says_to_one_guardian_is_not_told_to_another(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    aunt = await mother.invite()
    assert await _child_says(database, identity, "a secret", to="g-1") == "stored"
    (message,) = (await mother.told("GET", f"{mother.child}/messages"))["messages"]
    path = f"{aunt.child}/messages/{message['message_id']}"
    assert (await aunt.told("GET", f"{aunt.child}/messages"))["messages"] == []
    assert await aunt.refused("GET", path) == (404, "not_found")
    assert await aunt.refused("PUT", f"{path}/state", json={"state": "played"}) == (404, "not_found")
    own = await mother.send("mine")
    path = f"{mother.child}/messages/{own['message_id']}/state"
    assert await mother.refused("PUT", path, json={"state": "played"}) == (409, "not_a_recipient")


async def test_a_child_writes_to_nobody_who_is_gone(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    aunt = await mother.invite()
    await mother.told("DELETE", f"{mother.family}/guardians/{aunt.guardian_id}")
    for nobody in ("g-2", "g-9", "c-1", ""):
        assert await _child_says(database, identity, "hello?", to=nobody) == "rejected"
