"""Commands as guardians give them: by right, by consent, in the family's sight."""

from __future__ import annotations

import uuid

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.people.consents.rules import Part, consent_texts
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair

LOCATION = {
    "part": "location", "text_version": consent_texts()[Part.LOCATION, "en"].text_version, "locale": "en",
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    """A family whose child wears a watch."""
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await pair(parent, place)
    return parent


async def _may_locate(parent: Parent) -> None:
    await parent.told("POST", f"{parent.family}/consents", json=LOCATION)
    guardian = f"{parent.family}/guardians/{parent.guardian_id}"
    await parent.told("PATCH", guardian, json={"may_locate": True})
    await parent.told("PATCH", f"{parent.child}/watch-settings", json={"location": True})


async def _give(parent: Parent, kind: str) -> dict[str, str]:
    command: dict[str, str] = await parent.told("POST", f"{parent.child}/commands", json={"kind": kind})
    return command


@pytest.mark.parametrize(
    "kind", ["listen", "call", "photo", "camera", "monitor", "wipe", "firmware", "", "LOCATE", None]
)
async def test_what_listens_or_looks_does_not_exist_and_nobody_can_wipe(parent: Parent, kind: str | None) -> None:
    refusal = await parent.refused("POST", f"{parent.child}/commands", json={"kind": kind})
    assert refusal == (422, "invalid_request")
    assert (await parent.told("GET", f"{parent.child}/commands"))["commands"] == []


async def test_locating_needs_the_right_the_callers_consent_and_location_on(parent: Parent) -> None:
    ask = ("POST", f"{parent.child}/commands")
    assert await parent.refused(*ask, json={"kind": "locate"}) == (403, "right_missing")
    guardian = f"{parent.family}/guardians/{parent.guardian_id}"
    await parent.told("PATCH", guardian, json={"may_locate": True})
    assert await parent.refused(*ask, json={"kind": "locate"}) == (403, "consent_required")
    await parent.told("POST", f"{parent.family}/consents", json=LOCATION)
    assert await parent.refused(*ask, json={"kind": "locate"}) == (409, "location_off")
    await parent.told("PATCH", f"{parent.child}/watch-settings", json={"location": True})
    assert (await _give(parent, "locate"))["state"] == "waiting"


async def test_every_try_to_locate_is_in_the_audit_log(parent: Parent, database: Database) -> None:
    await parent.refused("POST", f"{parent.child}/commands", json={"kind": "locate"})
    await _may_locate(parent)
    await _give(parent, "locate")
    async with database.begin() as work:
        entries = await work.session.exec(
            select(AuditEntry)
            .where(AuditEntry.action == "command.locate", col(AuditEntry.family_id) == parent.family_id)
            .order_by(col(AuditEntry.outcome))
        )
        noted = [(entry.actor_id, entry.outcome, entry.reason, entry.subject_id) for entry in entries]
    assert noted == [
        (parent.guardian_id, "done", "", parent.child_id),
        (parent.guardian_id, "refused", "right_missing", parent.child_id),
    ]


async def test_who_looked_is_no_secret_in_the_family(parent: Parent) -> None:
    await _may_locate(parent)
    given = await _give(parent, "locate")
    grandmother = await parent.invite()
    (shown,) = (await grandmother.told("GET", f"{parent.child}/commands"))["commands"]
    assert (shown["command_id"], shown["asked_by"]) == (given["command_id"], parent.guardian_id)


async def test_a_grandmother_who_may_talk_can_ring_but_not_lock_or_locate(parent: Parent) -> None:
    grandmother = await parent.invite()
    ask = ("POST", f"{parent.child}/commands")
    for kind in ("lost", "restart", "locate"):
        assert await grandmother.refused(*ask, json={"kind": kind}) == (403, "right_missing")
    given = await grandmother.told(*ask, json={"kind": "ring"})
    assert await grandmother.told("GET", f"{parent.child}/commands/{given['command_id']}") == given


async def test_too_many_are_refused_with_a_wait(parent: Parent, clock: FakeClock) -> None:
    grandmother = await parent.invite()
    first = await _give(parent, "ring")
    assert await _give(parent, "ring") == first, "a phone that repeats itself gets its own command again"
    answer = await grandmother.ask("POST", f"{parent.child}/commands", json={"kind": "ring"})
    assert (answer.status_code, answer.json()["code"]) == (429, "command_too_often")
    assert answer.headers["retry-after"] == str(answer.json()["retry_after_s"])
    clock.advance(seconds=answer.json()["retry_after_s"])
    assert (await _give(grandmother, "ring"))["command_id"] != first["command_id"]


async def test_without_a_watch_nothing_can_be_commanded(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    assert await parent.refused("POST", f"{parent.child}/commands", json={"kind": "ring"}) == (409, "no_watch")
    unknown = f"{parent.child}/commands/{uuid.uuid4()}"
    assert await parent.refused("GET", unknown) == (404, "not_found")
