"""A number can change hands: on a new device the code alone shows nothing, and its owner always gets in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy
from sqlmodel import SQLModel, select

from services.core.devices.watches.tables import Watch
from services.core.people.accounts.tables import GuardianDevice
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import (
    Parent,
    code_on,
    enrol_family,
    make_family,
    make_parent,
    make_place,
    pair,
)

PIN = "730418"


async def _is_in(parent: Parent) -> bool:
    return (await parent.ask("GET", "/v1/me")).status_code == 200


async def _prove(parent: Parent, **proof: str) -> tuple[int, str]:
    answer = await parent.ask("POST", "/v1/auth/second-step", json=proof)
    return answer.status_code, answer.json()["code"] if answer.content else ""


async def test_the_first_log_in_ever_needs_no_second_step_and_the_same_device_none_later(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    assert (parent.tokens["limited"], bool(parent.tokens["device_token"])) == (False, True)
    clock.advance(days=59)
    await parent.log_in()
    assert (parent.tokens["limited"], parent.tokens["device_token"]) == (False, None)


async def test_a_new_device_sees_nothing_of_the_family_until_it_is_proved(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    thief = await parent.new_device().log_in()
    assert thief.tokens["limited"]
    for path in ("/v1/me", parent.child, f"{parent.family}/children", "/v1/sync", "/v1/events", "/v1/me/sessions"):
        assert await thief.refused("GET", path) == (403, "second_step_needed"), path
    assert await thief.refused("PUT", "/v1/me/pin", json={"pin": PIN}) == (403, "second_step_needed")
    assert await thief.told("GET", "/v1/auth/second-step") == {"needed": True}
    # Refreshing makes nothing whole.
    again = await client.post("/v1/auth/refresh", json={"refresh_token": thief.tokens["refresh_token"]})
    assert again.json()["limited"]
    await thief.told("POST", "/v1/auth/logout")
    assert await thief.refused("GET", "/v1/auth/second-step") == (401, "session_ended")


async def test_a_device_that_was_not_used_for_sixty_days_is_a_new_one(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    clock.advance(days=60)
    await parent.log_in()
    assert await parent.refused("GET", "/v1/me") == (403, "second_step_needed")


async def test_refreshing_is_using(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    parent = await make_parent(client, database)
    for _ in range(3):
        clock.advance(days=25)
        answer = await client.post("/v1/auth/refresh", json={"refresh_token": parent.tokens["refresh_token"]})
        parent.tokens = answer.json()
    await parent.log_in()
    assert await _is_in(parent)


async def test_the_pin_proves_a_device_which_is_known_from_then_on(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    assert await parent.told("GET", "/v1/me/pin") == {"is_set": False}
    await parent.told("PUT", "/v1/me/pin", json={"pin": PIN})
    assert await parent.told("GET", "/v1/me/pin") == {"is_set": True}
    tablet = await parent.new_device().log_in()
    assert await _prove(tablet, pin="730419") == (403, "second_step_wrong")
    assert await _prove(tablet, pin=PIN) == (204, "")
    assert await _is_in(tablet)
    clock.advance(minutes=2)
    await tablet.log_in()
    assert not tablet.tokens["limited"]
    assert PIN not in repr(await _rows(database))


async def _rows(database: Database) -> list[object]:
    async with database.begin() as work:
        return [*await work.session.exec(select(GuardianDevice)), *await work.session.exec(select(AuditEntry))]


async def test_without_a_pin_every_pin_is_wrong_and_five_an_hour_are_the_most(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    thief = await parent.new_device().log_in()
    tried = [await _prove(thief, pin=f"73041{number}") for number in range(6)]
    assert tried == [(403, "second_step_wrong")] * 5 + [(429, "too_many_requests")]
    # A second log-in has no tries of its own.
    clock.advance(minutes=2)
    other = await thief.new_device().log_in()
    assert await _prove(other, pin=PIN) == (429, "too_many_requests")
    # The owner's own device is not concerned.
    assert await _is_in(parent)


async def test_the_code_on_the_childs_watch_proves_a_device_once_and_pairs_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)
    async with database.begin() as work:
        watch = await work.session.get_one(Watch, identity.watch_id)
    tablet = await parent.new_device().log_in()
    code = await code_on(database, watch)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert await _prove(tablet, watch_code=wrong) == (403, "second_step_wrong")
    assert await _prove(tablet, watch_code=code) == (204, "")
    assert (await tablet.told("GET", f"{parent.child}/pairing"))["state"] == "confirmed"
    # Used up: it proves no second device.
    third = await parent.new_device().log_in()
    assert await _prove(third, watch_code=code) == (403, "second_step_wrong")


async def test_the_code_of_another_familys_watch_proves_nothing(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    mine, theirs = await make_family(client, database, place), await make_family(client, database, place)
    identity = await pair(mine, place)
    async with database.begin() as work:
        watch = await work.session.get_one(Watch, identity.watch_id)
    thief = await theirs.new_device().log_in()
    assert await _prove(thief, watch_code=await code_on(database, watch)) == (403, "second_step_wrong")


async def _waiting(parent: Parent) -> list[dict[str, Any]]:
    log_ins: list[dict[str, Any]] = (await parent.told("GET", "/v1/me/log-ins"))["log_ins"]
    return log_ins


async def _states(parent: Parent, cursor: str) -> list[str]:
    events = (await parent.told("GET", f"/v1/sync?since={cursor}"))["events"]
    return [event["detail"]["state"] for event in events if event["kind"] == "log_in.changed"]


@pytest.mark.parametrize("word", ["approve", "refuse"])
async def test_another_guardian_gives_a_word(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, word: str
) -> None:
    mother = await make_family(client, database)
    grandmother = await mother.invite()
    cursor = (await grandmother.told("GET", "/v1/sync"))["cursor"]
    tablet = await mother.new_device("Redmi 12").log_in()
    asked_at = clock.now
    clock.advance(seconds=90)
    (waiting,) = await _waiting(grandmother)
    assert (waiting["label"], waiting["phone"], waiting["guardian_id"]) == (
        "Redmi 12", mother.phone, mother.guardian_id,
    )  # fmt: skip
    assert datetime.fromisoformat(waiting["created_at"]) == asked_at
    # No session approves itself, and a waiting session approves no other.
    assert await _waiting(mother) == []
    path = f"/v1/me/log-ins/{waiting['log_in_id']}/{word}"
    assert await mother.refused("POST", path) == (404, "not_found")
    assert await tablet.refused("POST", path) == (403, "second_step_needed")
    clock.advance(seconds=5)
    await grandmother.told("POST", path)
    assert await _is_in(tablet) == (word == "approve")
    assert await grandmother.refused("POST", path) == (404, "not_found")
    assert await _states(grandmother, cursor) == ["waiting", "approved" if word == "approve" else "refused"]


async def test_an_approval_counts_five_seconds_after_it_was_shown_to_the_approver_and_for_half_an_hour(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    grandmother, uncle = await mother.invite(), await mother.invite()
    await mother.told("PUT", f"{mother.family}/my-number", json={"hidden": True})
    tablet = await mother.new_device().log_in()
    (waiting,) = await _waiting(grandmother)
    assert waiting["phone"] is None
    path = f"/v1/me/log-ins/{waiting['log_in_id']}"
    clock.advance(seconds=4.9)
    # Looking again does not begin anew; what one guardian has read, another one has not.
    (again,) = await _waiting(grandmother)
    assert again == waiting
    assert await grandmother.refused("POST", f"{path}/approve") == (409, "log_in_not_read")
    clock.advance(minutes=10)
    assert (await uncle.ask("POST", f"{path}/approve")).json()["wait_s"] == 5
    assert await uncle.refused("POST", f"{path}/approve") == (409, "log_in_not_read")
    clock.advance(minutes=20)
    assert datetime.fromisoformat(waiting["approvable_until_at"]) < clock.now
    await grandmother.log_in()
    assert await grandmother.refused("POST", f"{path}/approve") == (409, "log_in_too_old")
    # Too late to be approved, in time to be thrown out.
    await grandmother.told("POST", f"{path}/refuse")
    refreshed = await client.post("/v1/auth/refresh", json={"refresh_token": tablet.tokens["refresh_token"]})
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "refresh_token_invalid")


async def test_the_owner_of_a_number_is_told_and_keeps_new_phones_out_for_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    grandmother = await mother.invite()
    cursor = (await mother.told("GET", "/v1/sync"))["cursor"]
    stranger = await mother.new_device("unknown").log_in()
    assert await _states(mother, cursor) == ["waiting"]
    sessions = (await mother.told("GET", "/v1/me/sessions"))["sessions"]
    assert {(session["label"], session["limited"]) for session in sessions} == {("unknown", True), ("", False)}
    assert await stranger.refused("POST", "/v1/me/new-phones/block") == (403, "second_step_needed")
    blocked = await mother.told("POST", "/v1/me/new-phones/block")
    assert datetime.fromisoformat(blocked["blocked_until_at"]) == clock.now + timedelta(hours=24)
    assert await stranger.refused("GET", "/v1/auth/second-step") == (401, "session_ended")
    assert await _waiting(grandmother) == []
    assert await _states(mother, cursor) == ["waiting", "blocked"]
    clock.advance(hours=23, minutes=50)
    refused = await stranger.enter_code(*await stranger.ask_for_code())
    assert (refused.status_code, refused.json()["code"]) == (403, "new_phones_blocked")
    await mother.log_in()
    assert not mother.tokens["limited"]
    assert await mother.told("GET", "/v1/me/new-phones") == blocked
    await mother.told("POST", "/v1/me/new-phones/unblock")
    clock.advance(minutes=1)
    assert (await stranger.log_in()).tokens["limited"]
    # And without a word of hers it ends by itself.
    await mother.told("POST", "/v1/me/new-phones/block")
    clock.advance(hours=24)
    assert (await stranger.log_in()).tokens["limited"]
    await mother.log_in()
    assert await mother.told("GET", "/v1/me/new-phones") == {"blocked_until_at": None}


async def test_a_log_in_that_nobody_completes_is_over_after_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    grandmother = await mother.invite()
    tablet = await mother.new_device().log_in()
    clock.advance(hours=24)
    refreshed = await client.post("/v1/auth/refresh", json={"refresh_token": tablet.tokens["refresh_token"]})
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "refresh_token_invalid")
    await grandmother.log_in()
    assert (await grandmother.told("GET", "/v1/me/log-ins"))["log_ins"] == []


async def test_a_device_token_is_worth_nothing_for_another_guardian(
    client: httpx.AsyncClient, database: Database
) -> None:
    mine, theirs = await make_family(client, database), await make_family(client, database)
    thief = theirs.new_device()
    thief.device_token = mine.device_token
    await thief.log_in()
    assert (thief.tokens["limited"], bool(thief.tokens["device_token"])) == (True, True)


async def test_a_code_works_only_for_the_device_that_asked_for_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_parent(client, database)
    phone = parent.new_device()
    challenge_id, code = await phone.ask_for_code()
    thief = parent.new_device()
    thief.secrets[challenge_id] = "x" * 43
    assert (await thief.enter_code(challenge_id, code)).json()["code"] == "login_code_ended"
    assert (await phone.enter_code(challenge_id, code)).status_code == 200


async def test_sessions_are_listed_and_ended_from_another_device_whose_token_is_known_no_more(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    await parent.told("PUT", "/v1/me/pin", json={"pin": PIN})
    clock.advance(minutes=1)
    lost = parent.new_device("Redmi\u202e12")
    challenge = await lost.ask_for_code()
    assert (await lost.enter_code(*challenge)).json()["code"] == "text_not_allowed"
    # A label that is refused uses up no code.
    lost.label = "Redmi 12"
    lost.tokens = (await lost.enter_code(*challenge)).json()
    lost.device_token = lost.tokens["device_token"]
    await lost.told("POST", "/v1/auth/second-step", json={"pin": PIN})
    sessions = (await parent.told("GET", "/v1/me/sessions"))["sessions"]
    assert [(session["label"], session["current"]) for session in sessions] == [("Redmi 12", False), ("", True)]
    path = f"/v1/me/sessions/{sessions[0]['session_id']}"
    for _ in range(2):
        await parent.told("DELETE", path)
    assert await lost.refused("GET", "/v1/me") == (401, "session_ended")
    assert len((await parent.told("GET", "/v1/me/sessions"))["sessions"]) == 1
    clock.advance(minutes=2)
    await lost.log_in()
    assert lost.tokens["limited"]


async def test_a_family_enrolled_meanwhile_is_joined_after_the_second_step_and_not_before(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    await parent.told("PUT", "/v1/me/pin", json={"pin": PIN})
    second = await enrol_family(database, parent.phone)
    tablet = await parent.new_device().log_in()
    assert len((await parent.told("GET", "/v1/me"))["families"]) == 1
    await tablet.told("POST", "/v1/auth/second-step", json={"pin": PIN})
    families = (await tablet.told("GET", "/v1/me"))["families"]
    assert str(second) in {family["family_id"] for family in families}


async def test_where_a_client_is_stands_nowhere_in_the_database(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    await parent.new_device().log_in()
    async with database.begin() as work:
        for table in SQLModel.metadata.sorted_tables:
            rows = (await work.run(sqlalchemy.select(table))).all()
            assert parent.address not in repr(rows), table.name
