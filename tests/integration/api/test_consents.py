"""Consent: what proves it, what its end stops, and the child's own word."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from sqlmodel import func, select

from services.core.devices.contacts.location import set_location
from services.core.devices.watches.queries import settings_of_child
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.errors import RightMissingError
from services.core.people.households.queries import child_by_id, membership_in
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database
from services.core.platform.facts.tables import Fact
from services.core.platform.outbox.tables import OutboxRow
from tests.support.clock import FakeClock
from tests.support.http import TEXT_VERSION, Parent, make_family, make_parent, make_place, pair


async def _turn(parent: Parent, *, on: bool) -> None:
    assert parent.family_id is not None
    async with parent.database.begin() as work:
        child = await child_by_id(work, uuid.UUID(parent.child_id))
        membership = await membership_in(work, parent.family_id, uuid.UUID(parent.guardian_id))
        assert child is not None
        assert membership is not None
        await set_location(work, child, membership, on=on)


async def _location(parent: Parent) -> tuple[bool, int]:
    async with parent.database.begin() as work:
        settings = await settings_of_child(work, uuid.UUID(parent.child_id))
        return settings.location, settings.version


async def _withdraw(parent: Parent, part: str) -> None:
    await parent.told("POST", f"{parent.family}/consents/withdraw", json={"part": part})


async def _looks(database: Database, username: str) -> int:
    async with database.begin() as work:
        rows = await work.session.exec(select(OutboxRow).where(OutboxRow.target == username))
        return len(rows.all())


@pytest.mark.parametrize(
    "proof",
    [
        {"how": "spoken", "witness": "Zhang Wei"},
        {"how": "paper", "witness": "Zhang Wei", "form_number": "DG1-0042"},
    ],
)
async def test_consent_outside_the_app_is_stored_with_what_proves_it(
    client: httpx.AsyncClient, database: Database, proof: dict[str, str]
) -> None:
    parent = await make_parent(client, database)
    body = {"part": "sos_places", "text_version": TEXT_VERSION, "locale": "vi", **proof}
    given = await parent.told("POST", f"{parent.family}/consents", json=body)
    kept = (await parent.told("GET", f"{parent.family}/consents"))["consents"]
    assert kept == [given]
    assert {name: given[name] for name in proof} == proof
    less = {name: value for name, value in body.items() if name != "witness"}
    refused = await parent.ask("POST", f"{parent.family}/consents", json=less)
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_proof_wrong")
    assert refused.json()["field"] == "witness"


async def test_each_part_is_a_choice_of_its_own(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    assert parent.family_id is not None
    await parent.consent("sos_places")
    async with database.begin() as work:
        standing = {
            part for part in Part if await has_consent(work, uuid.UUID(parent.guardian_id), parent.family_id, part)
        }
    assert standing == {Part.MESSAGES, Part.SOS_PLACES}
    await _withdraw(parent, "sos_places")
    assert (await parent.send("still here"))["text"] == "still here"


async def test_location_is_turned_on_only_by_who_manages_and_has_consented(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_locate=False)
    assert (await _location(mother))[0] is False
    with pytest.raises(ConsentRequiredError) as refused:
        await _turn(mother, on=True)
    assert refused.value.part == Part.LOCATION
    await aunt.consent("location")
    with pytest.raises(RightMissingError):
        await _turn(aunt, on=True)
    await mother.consent("location")
    await _turn(mother, on=True)
    assert await _location(mother) == (True, 2)
    await _turn(mother, on=True)
    assert await _location(mother) == (True, 2)


async def test_taking_location_consent_back_turns_it_off_and_tells_the_watch(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    await mother.consent("location")
    await _turn(mother, on=True)
    before = await _looks(database, identity.username)
    await _withdraw(mother, "location")
    assert await _location(mother) == (False, 3)
    assert await _looks(database, identity.username) > before
    # Messages have nothing to do with it.
    assert (await mother.send("hello"))["text"] == "hello"


@pytest.mark.parametrize("change", ["right", "removed"])
async def test_location_ends_when_nobody_who_manages_has_consented(
    client: httpx.AsyncClient, database: Database, change: str
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    await aunt.consent("location")
    await _turn(aunt, on=True)
    path = f"{mother.family}/guardians/{aunt.guardian_id}"
    if change == "right":
        await mother.told("PATCH", path, json={"may_manage": False})
    else:
        await mother.told("DELETE", path)
    assert (await _location(mother))[0] is False


async def test_a_guardian_who_may_not_manage_ends_only_what_they_see(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    for guardian in (mother, aunt):
        await guardian.consent("location")
    await _turn(mother, on=True)
    await _withdraw(aunt, "location")
    assert (await _location(mother))[0] is True


async def _child(parent: Parent) -> dict[str, Any]:
    child: dict[str, Any] = await parent.told("GET", parent.child)
    return child


async def test_a_date_of_birth_is_sealed_and_brings_the_childs_own_word_in_its_time(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    assert (await _child(mother))["childs_consent_due"] is False
    # The site is in China, where fourteen is the age; today is 2 March 2026.
    child = await mother.told("PATCH", mother.child, json={"birth_date": "2012-03-03"})
    assert (child["birth_date"], child["birth_year"], child["childs_consent_due"]) == ("2012-03-03", 2012, False)
    async with database.begin() as work:
        row = await work.session.get_one(Child, uuid.UUID(mother.child_id))
        assert row.birth_year is None
        assert row.sealed_birth_date is not None
        assert b"2012" not in row.sealed_birth_date
    agreement = f"{mother.child}/agreement"
    assert await mother.refused("POST", agreement, json={}) == (409, "agreement_not_due")
    clock.advance(days=1)
    await mother.log_in()
    assert (await _child(mother))["childs_consent_due"] is True
    # Nothing stops meanwhile: it is asked for, not enforced against the child.
    assert (await mother.send("ask me"))["text"] == "ask me"
    proof = {"how": "spoken", "witness": "Grandma"}
    recorded = await mother.told("POST", agreement, json=proof)
    assert (recorded["how"], recorded["witness"]) == ("spoken", "Grandma")
    assert (await mother.told("POST", agreement, json=proof))["agreement_id"] == recorded["agreement_id"]
    assert (await _child(mother))["childs_consent_due"] is False
    for _ in range(2):
        await mother.told("DELETE", agreement)
    assert (await _child(mother))["childs_consent_due"] is True


async def test_a_child_of_age_that_takes_its_word_back_is_located_no_more_until_it_agrees_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_manage=True)
    for guardian in (mother, aunt):
        await guardian.consent("location")
    settings, agreement = f"{mother.child}/watch-settings", f"{mother.child}/agreement"
    # Given: a girl of fifteen in China, whose word is due and has not been asked for: nothing stops.
    await mother.told("PATCH", mother.child, json={"birth_date": "2011-01-01"})
    await mother.told("PATCH", settings, json={"location": True})
    await mother.told("POST", agreement, json={})
    told_on = await mother.told("GET", settings)
    # When: she takes it back.
    await aunt.told("DELETE", agreement)
    # Then: her watch is told at once, and no guardian can turn it on, whoever agreed.
    told_off = await mother.told("GET", settings)
    assert (told_on["location"], told_off["location"]) == (True, False)
    assert told_off["version"] == told_on["version"] + 1
    for guardian in (mother, aunt):
        assert await guardian.refused("PATCH", settings, json={"location": True}) == (409, "child_refused")
    # A repeat changes nothing; to talk needs no more than before.
    await mother.told("DELETE", agreement)
    assert (await mother.told("GET", settings))["version"] == told_off["version"]
    assert (await mother.send("good night"))["text"] == "good night"
    await mother.told("POST", agreement, json={})
    assert (await mother.told("GET", settings))["location"] is False
    await mother.told("PATCH", settings, json={"location": True})
    assert (await _location(mother))[0] is True


async def test_the_word_of_a_child_that_is_not_of_age_any_more_by_a_corrected_birth_refuses_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    await mother.consent("location")
    await mother.told("PATCH", mother.child, json={"birth_date": "2011-01-01"})
    await mother.told("POST", f"{mother.child}/agreement", json={})
    await mother.told("DELETE", f"{mother.child}/agreement")
    await mother.told("PATCH", mother.child, json={"birth_date": "2018-01-01"})
    await mother.told("PATCH", f"{mother.child}/watch-settings", json={"location": True})
    assert (await _location(mother))[0] is True


@pytest.mark.parametrize("born", ["2026-03-20", "2007-12-31"])
async def test_a_date_of_birth_is_within_eighteen_years(
    client: httpx.AsyncClient, database: Database, born: str
) -> None:
    mother = await make_family(client, database)
    assert await mother.refused("PATCH", mother.child, json={"birth_date": born}) == (422, "birth_year_invalid")


async def _facts(parent: Parent) -> dict[str, int]:
    """Return how many facts of each kind are kept of the parent's family."""
    async with parent.database.begin() as work:
        counts = await work.session.exec(
            select(Fact.kind, func.count()).where(Fact.family_id == parent.family_id).group_by(Fact.kind)
        )
        return {kind: int(count) for kind, count in counts}


async def test_nothing_is_counted_before_the_first_guardian_agrees_nor_after_and_the_watch_works_the_same(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    aunt = await mother.invite()
    await aunt.consent("measurement")
    await pair(mother, place)
    await mother.send("not counted")
    # The watch's health is all that is kept.
    health = {"paired": 1, "hello": 1}
    assert await _facts(mother) == health
    await mother.consent("measurement")
    await mother.send("counted")
    assert await _facts(mother) == health | {"message_to_child_stored": 1}
    await _withdraw(mother, "measurement")
    assert await _facts(mother) == health
    assert (await mother.send("not counted either"))["text"] == "not counted either"
    assert await _facts(mother) == health
