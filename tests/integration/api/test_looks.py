"""Guardians read who asked where their child is and who heard it: this child's looks, and no other's."""

from __future__ import annotations

from typing import Any

import httpx

from services.core.platform.db.database import Database
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.places import may_look
from tests.support.sounds import encoded


async def _looks(parent: Parent, **query: int) -> dict[str, Any]:
    page: dict[str, Any] = await parent.told("GET", f"{parent.child}/looks", params=query)
    return page


async def test_places_commands_and_recordings_are_there_with_who_and_nothing_else_is(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    aunt = await mother.invite()
    await may_look(mother)
    await pair(mother, place)
    first_child = mother.child_id
    message = await mother.speak(encoded("amr-nb", 1.0))
    assert (await _looks(aunt))["looks"] == []
    await mother.told("GET", f"{mother.child}/checkins/latest")
    assert (await mother.ask("GET", f"{mother.child}/messages/{message['message_id']}/audio")).status_code == 200
    await mother.told("POST", f"{mother.child}/commands", json={"kind": "locate"})
    await mother.told("POST", f"{mother.child}/commands", json={"kind": "ring"})
    # Refused: nobody saw anything.
    await aunt.refused("GET", f"{aunt.child}/checkins/latest")
    # Of a sibling.
    await mother.add_child("Lin")
    await mother.told("GET", f"{mother.child}/checkins/latest")
    other_child, mother.child_id = mother.child_id, first_child

    page = await _looks(aunt)

    assert [(look["what"], look["by"], look["guardian_id"], look["message_id"]) for look in page["looks"]] == [
        ("asked_the_watch", "guardian", mother.guardian_id, None),
        ("recording", "guardian", mother.guardian_id, message["message_id"]),
        ("place", "guardian", mother.guardian_id, None),
    ]
    assert page["next_before"] is None
    mother.child_id = other_child
    assert [look["what"] for look in (await _looks(mother))["looks"]] == ["place"]


async def test_they_come_in_pages_and_every_one_once(client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    await may_look(mother)
    for _ in range(5):
        await mother.told("GET", f"{mother.child}/checkins/latest")
        await mother.told("PATCH", mother.child, json={"name": "Mei"})
    whole = (await _looks(mother, limit=100))["looks"]
    assert len(whole) == 5
    pages, before = [], None
    while True:
        page = await _looks(mother, limit=2, **({} if before is None else {"before": before}))
        pages += page["looks"]
        before = page["next_before"]
        if before is None:
            break
    assert pages == whole
