"""A guardian hides their number, and contests what another one may do."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from services.core.devices.contacts.queries import wire_contacts
from services.core.people.households.errors import PrimaryGuardianError
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.privacy.contests.actions import settle_contest
from services.core.privacy.queries import open_contests
from tests.support.http import Parent, make_family


async def _numbers_on_watch(parent: Parent) -> dict[str, tuple[str | None, bool]]:
    async with parent.database.begin() as work:
        _, contacts = await wire_contacts(work, uuid.UUID(parent.child_id))
    return {contact.wire_id: (contact.number, contact.may_call) for contact in contacts}


async def _phones_seen_by(parent: Parent) -> dict[str, str | None]:
    guardians = (await parent.told("GET", f"{parent.family}/guardians"))["guardians"]
    return {guardian["guardian_id"]: guardian["phone"] for guardian in guardians}


async def test_a_hidden_number_is_on_no_watch_and_seen_by_nobody_else(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    before = (await mother.contacts())["version"]
    for _ in range(2):
        await aunt.told("PUT", f"{aunt.family}/my-number", json={"hidden": True})
    assert (await mother.contacts())["version"] == before + 1
    assert await _numbers_on_watch(mother) == {"g-1": (mother.phone, True), "g-2": (None, False)}
    assert await _phones_seen_by(mother) == {mother.guardian_id: mother.phone, aunt.guardian_id: None}
    assert (await _phones_seen_by(aunt))[aunt.guardian_id] == aunt.phone
    assert aunt.phone not in str(await mother.contacts())
    # Messages do not need it.
    assert (await aunt.send("still me"))["text"] == "still me"
    await aunt.told("PUT", f"{aunt.family}/my-number", json={"hidden": False})
    assert (await _numbers_on_watch(mother))["g-2"] == (aunt.phone, True)


async def _contest(parent: Parent, about: Parent, right: str) -> dict[str, Any]:
    body = {"guardian_id": about.guardian_id, "right": right}
    contest: dict[str, Any] = await parent.told("POST", f"{parent.family}/contests", json=body)
    return contest


async def test_a_contested_right_is_seen_by_all_and_taken_away_when_it_is_upheld(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt, uncle = await mother.invite(), await mother.invite()
    contest = await _contest(aunt, uncle, "message")
    body = {"guardian_id": uncle.guardian_id, "right": "message"}
    assert await aunt.refused("POST", f"{aunt.family}/contests", json=body) == (409, "contest_exists")
    for guardian in (mother, uncle):
        assert (await guardian.told("GET", f"{guardian.family}/contests"))["contests"] == [contest]
    assert await mother.refused("DELETE", f"{mother.family}/contests/{contest['contest_id']}") == (404, "not_found")
    # It stands until somebody has decided.
    assert (await uncle.send("hello"))["text"] == "hello"
    async with database.begin() as work:
        assert uuid.UUID(contest["contest_id"]) in {contest.contest_id for contest in await open_contests(work)}
        for _ in range(2):
            await settle_contest(work, OPERATOR, uuid.UUID(contest["contest_id"]), uphold=True)
    assert await uncle.refused("GET", f"{uncle.child}/messages") == (403, "right_missing")
    assert uncle.guardian_id not in str(await mother.contacts())
    own_contest = (await aunt.told("GET", f"{aunt.family}/contests"))["contests"][0]
    assert (own_contest["state"], own_contest["ended_at"] is None) == ("upheld", False)
    actions = [
        (entry["action"], entry["by"]) for entry in (await mother.told("GET", f"{mother.family}/audit"))["entries"]
    ]
    assert {("right.contest_upheld", "operator"), ("guardian.rights_changed", "operator")} <= set(actions)


async def test_a_contest_is_withdrawn_or_dismissed_and_nothing_has_changed(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    first = await _contest(mother, aunt, "manage")
    for _ in range(2):
        await mother.told("DELETE", f"{mother.family}/contests/{first['contest_id']}")
    second = await _contest(mother, aunt, "manage")
    async with database.begin() as work:
        await settle_contest(work, OPERATOR, uuid.UUID(second["contest_id"]), uphold=False)
    states = [contest["state"] for contest in (await mother.told("GET", f"{mother.family}/contests"))["contests"]]
    assert sorted(states) == ["dismissed", "withdrawn"]
    assert (await aunt.told("PATCH", aunt.child, json={"name": "Lin"}))["name"] == "Lin"


async def test_what_cannot_be_contested_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    mother, other = await make_family(client, database), await make_family(client, database)
    aunt = await mother.invite()
    for about, right in ((aunt, "message"), (other, "message"), (mother, "locate")):
        body = {"guardian_id": about.guardian_id, "right": right}
        assert await aunt.refused("POST", f"{aunt.family}/contests", json=body) == (404, "not_found")
    contest = await _contest(aunt, mother, "manage")
    async with database.begin() as work:
        with pytest.raises(PrimaryGuardianError):
            await settle_contest(work, OPERATOR, uuid.UUID(contest["contest_id"]), uphold=True)
