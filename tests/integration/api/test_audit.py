"""Guardians read who looked, who was refused and who changed what, and nothing beyond."""

from __future__ import annotations

from typing import Any

import httpx

from services.core.platform.db.database import Database
from tests.support.http import Parent, make_family
from tests.support.sounds import encoded


async def _log(parent: Parent, **query: int) -> dict[str, Any]:
    page: dict[str, Any] = await parent.told("GET", f"{parent.family}/audit", params=query)
    return page


async def test_every_hearing_refusal_and_change_of_rights_is_there_with_who_and_when(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    message = await mother.speak(encoded("amr-nb", 1.0))
    answer = await mother.ask("GET", f"{mother.child}/messages/{message['message_id']}/audio")
    assert answer.status_code == 200
    await aunt.refused("PATCH", aunt.child, json={"name": "Lin"})
    await mother.told("PATCH", f"{mother.family}/guardians/{aunt.guardian_id}", json={"may_locate": True})
    entries = (await _log(aunt))["entries"]
    shown = [
        (entry["action"], entry["by"], entry["guardian_id"], entry["outcome"], entry["reason"]) for entry in entries[:3]
    ]
    assert shown == [
        ("guardian.rights_changed", "guardian", mother.guardian_id, "done", ""),
        ("access", "guardian", aunt.guardian_id, "refused", "right_missing"),
        ("audio", "guardian", mother.guardian_id, "done", ""),
    ]
    assert entries[2]["subject_id"] == message["message_id"]
    assert [entry["seq"] for entry in entries] == list(range(entries[0]["seq"], 0, -1))


async def test_the_log_comes_in_pages_and_says_no_name_and_no_number(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    await mother.told("PATCH", "/v1/me", json={"display_name": "CanaryMama"})
    await mother.add_contact(name="CanaryTeacher")
    whole = (await _log(mother, limit=100))["entries"]
    pages, before = [], None
    while True:
        page = await _log(mother, limit=2, **({} if before is None else {"before": before}))
        pages += page["entries"]
        before = page["next_before"]
        if before is None:
            break
    assert pages == whole
    assert len(whole) > 4
    text = str(whole)
    assert not [word for word in ("Canary", "Mei", mother.phone[1:], aunt.phone[1:]) if word in text]


async def test_consent_taken_back_does_not_close_the_log_and_leaving_does(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    await aunt.told("POST", f"{aunt.family}/consents/withdraw", json={"part": "messages"})
    assert (await _log(aunt))["entries"][0]["action"] == "consent.withdrawn.messages"
    await aunt.told("DELETE", f"{aunt.family}/guardians/{aunt.guardian_id}")
    assert await aunt.refused("GET", f"{aunt.family}/audit") == (404, "not_found")
    tried, left = (await _log(mother))["entries"][:2]
    assert left["action"] == "guardian.left"
    # A request by a former member is recorded.
    assert (tried["action"], tried["guardian_id"], tried["reason"]) == ("access", aunt.guardian_id, "not_found")
    assert tried["asked"] == "GET /v1/families/{family_id}/audit"
