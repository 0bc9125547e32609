"""Phone contacts who live with the child: who may mark them, what they get, and that it ends at once."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.contacts.tables import ContactAgreement
from services.core.people.accounts.sms_texts import go_and_look_text
from services.core.platform.db.database import Database
from services.worker.escalation import EscalationLoop
from tests.support.calls import waiting_calls
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, new_phone, sms_to

AGREED = {"agreed": True, "how": "spoken", "witness": "Uncle Chen"}
# The language of the family's site.
TEXT = go_and_look_text("en").text


@pytest_asyncio.fixture(loop_scope="session")
async def mother(client: httpx.AsyncClient, database: Database) -> Parent:
    return await make_family(client, database)


async def _neighbour(mother: Parent, **fields: Any) -> tuple[str, str, str]:
    """Add a contact; return its id, its number and the path of the mark."""
    contact = await mother.add_contact(name="Neighbour Wu", relation="neighbour", **fields)
    path = f"{mother.child}/contacts/{contact['contact_id']}/lives-with-child"
    return contact["contact_id"], contact["number"], path


async def _press(database: Database, parent: Parent) -> str:
    async with database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), "sos")
        alert_id = (await raise_alert(work, raised)).alert_id
    await EscalationLoop(database).escalate_all()
    return str(alert_id)


async def test_whoever_lives_with_the_child_is_called_with_the_first_guardian_and_is_in_the_log(
    database: Database, mother: Parent
) -> None:
    contact_id, number, path = await _neighbour(mother)
    shown = await mother.told("PUT", path, json=AGREED)
    assert shown["lives_with_child"] is True
    # A repeat changes nothing.
    assert await mother.told("PUT", path, json=AGREED) == shown
    async with database.begin() as work:
        agreement = (
            await work.session.exec(
                select(ContactAgreement).where(ContactAgreement.contact_id == uuid.UUID(contact_id))
            )
        ).one()
    assert (str(agreement.recorded_by), agreement.how, agreement.witness) == (
        mother.guardian_id,
        "spoken",
        "Uncle Chen",
    )
    grandmother = await mother.invite()
    listed = await grandmother.told("GET", f"{mother.family}/guardians")
    assert listed["lives_with_child"] == [
        {
            "contact_id": contact_id, "child_id": mother.child_id, "name": "Neighbour Wu", "relation": "neighbour",
            "reachable_by": "text",
        }
    ]  # fmt: skip
    alert_id = await _press(database, mother)
    assert await sms_to(database, number) == [TEXT]
    for hidden in ("Mei", "http", "127.0.0.1", "8080"):
        assert hidden not in TEXT
    alert = await grandmother.told("GET", f"{mother.child}/alerts/{alert_id}")
    assert sorted((call["guardian_id"] or "", call["contact_id"] or "") for call in alert["calls"]) == sorted(
        [(mother.guardian_id, ""), (grandmother.guardian_id, ""), ("", contact_id)]
    )
    log = [entry["action"] for entry in (await mother.told("GET", f"{mother.family}/audit?limit=100"))["entries"]]
    assert (log.count("contact.lives_with_child"), log.count("alert.contact_called")) == (1, 1)


@pytest.mark.parametrize("how", ["unmarked", "removed", "renumbered"])
async def test_the_end_of_the_mark_deletes_what_waits_and_nothing_follows(
    database: Database, clock: FakeClock, mother: Parent, how: str
) -> None:
    contact_id, number, path = await _neighbour(mother)
    await mother.told("PUT", path, json=AGREED)
    await _press(database, mother)
    assert await sms_to(database, number) == [TEXT]
    contact = f"{mother.child}/contacts/{contact_id}"
    other = new_phone()
    if how == "unmarked":
        for _ in range(2):
            await mother.told("DELETE", path)
    elif how == "removed":
        await mother.told("DELETE", contact)
    else:
        changed = await mother.told("PATCH", contact, json={"number": other})
        assert changed["lives_with_child"] is False
    assert await sms_to(database, number) == []
    clock.advance(minutes=5)
    await EscalationLoop(database).escalate_all()
    clock.advance(minutes=1)
    await EscalationLoop(database).escalate_all()
    assert [text for phone in (number, other) for text in await sms_to(database, phone)] == []
    assert (await mother.told("GET", f"{mother.family}/guardians"))["lives_with_child"] == []


async def test_an_erased_child_takes_the_waiting_texts_with_it(database: Database, mother: Parent) -> None:
    _, number, path = await _neighbour(mother)
    await mother.told("PUT", path, json=AGREED)
    await _press(database, mother)
    assert await waiting_calls([mother]) == [1]
    await mother.told("DELETE", mother.child, params={"confirm": "erase"})
    assert await sms_to(database, number) == []
    assert await waiting_calls([mother]) == [0]


async def test_who_cannot_be_marked(mother: Parent) -> None:
    contact_id, _, path = await _neighbour(mother)
    aunt = await mother.invite(relation="aunt")
    assert await aunt.refused("PUT", path, json=AGREED) == (403, "right_missing")
    assert await aunt.refused("DELETE", path) == (403, "right_missing")
    for body in ({**AGREED, "agreed": False}, {**AGREED, "how": "app"}, {"agreed": True}):
        assert await mother.refused("PUT", path, json=body) == (422, "invalid_request")
    for body in ({**AGREED, "witness": ""}, {**AGREED, "how": "paper"}, {**AGREED, "form_number": "7"}):
        assert await mother.refused("PUT", path, json=body) == (422, "consent_proof_wrong")
    assert await mother.refused("PUT", path, json={**AGREED, "witness": "Un\u202ecle"}) == (422, "text_not_allowed")
    everyone = (await mother.contacts())["contacts"]
    guardian = next(contact["contact_id"] for contact in everyone if contact["kind"] == "guardian")
    own = f"{mother.child}/contacts/{guardian}/lives-with-child"
    assert await mother.refused("PUT", own, json=AGREED) == (409, "contact_of_guardian")
    _, _, police = await _neighbour(mother, number="110")
    assert (await mother.refused("PUT", police, json=AGREED))[0] == 422
    _, _, landline = await _neighbour(mother, number="+862022223333")
    assert await mother.refused("PUT", landline, json=AGREED) == (422, "phone_not_mobile")
    proposed = await aunt.add_contact(name="Teacher Li")
    theirs = f"{mother.child}/contacts/{proposed['contact_id']}/lives-with-child"
    assert await mother.refused("PUT", theirs, json=AGREED) == (409, "contact_not_approved")
    await mother.told("PUT", path, json={**AGREED, "how": "paper", "form_number": "F-7"})
    _, _, second = await _neighbour(mother)
    await mother.told("PUT", second, json=AGREED)
    _, _, third = await _neighbour(mother)
    assert await mother.refused("PUT", third, json=AGREED) == (409, "lives_with_child_full")
    unknown = f"{mother.child}/contacts/{uuid.uuid4()}/lives-with-child"
    assert await mother.refused("PUT", unknown, json=AGREED) == (404, "not_found")
    assert await mother.refused("DELETE", unknown) == (404, "not_found")
    assert contact_id
