"""Sessions: refreshed by tokens that work once, ended by logging out or by a thief's second use."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import jwt
import pytest

from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_parent

PIN = "730418"


async def _refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/refresh", json={"refresh_token": token})


async def _is_in(parent: Parent) -> bool:
    return (await parent.ask("GET", "/v1/me")).status_code == 200


async def test_an_access_token_ends_after_fifteen_minutes_and_is_refreshed(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    clock.advance(minutes=15)
    assert await parent.refused("GET", "/v1/me") == (401, "access_token_invalid")
    parent.tokens = (await _refresh(client, parent.tokens["refresh_token"])).json()
    assert await _is_in(parent)


async def test_a_lost_answer_to_a_refresh_is_repeated_within_a_minute(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    old = parent.tokens["refresh_token"]
    first = (await _refresh(client, old)).json()
    clock.advance(seconds=60)
    again = await _refresh(client, old)
    assert again.json()["refresh_token"] == first["refresh_token"]
    assert (await _refresh(client, first["refresh_token"])).status_code == 200


async def test_a_used_refresh_token_that_comes_again_ends_the_session(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    old = parent.tokens["refresh_token"]
    parent.tokens = (await _refresh(client, old)).json()
    clock.advance(seconds=61)
    stolen = await _refresh(client, old)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_token_invalid")
    assert await parent.refused("GET", "/v1/me") == (401, "session_ended")
    assert (await _refresh(client, parent.tokens["refresh_token"])).status_code == 401


async def test_a_token_older_than_a_used_one_ends_the_session_at_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_parent(client, database)
    old = parent.tokens["refresh_token"]
    second = (await _refresh(client, old)).json()["refresh_token"]
    parent.tokens = (await _refresh(client, second)).json()
    assert (await _refresh(client, old)).status_code == 401
    assert not await _is_in(parent)


async def test_two_refreshes_at_once_get_the_same_successor(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_parent(client, database)
    answers = await asyncio.gather(*(_refresh(client, parent.tokens["refresh_token"]) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_a_session_that_was_not_refreshed_for_thirty_days_is_over(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    clock.advance(days=30)
    assert (await _refresh(client, parent.tokens["refresh_token"])).json()["code"] == "refresh_token_invalid"


async def test_logging_out_ends_the_session_at_once_and_no_other(client: httpx.AsyncClient, database: Database) -> None:
    phone = await make_parent(client, database)
    tablet = await phone.new_device().log_in()
    await phone.told("PUT", "/v1/me/pin", json={"pin": PIN})
    await tablet.told("POST", "/v1/auth/second-step", json={"pin": PIN})
    await phone.told("POST", "/v1/auth/logout")
    assert await phone.refused("GET", "/v1/me") == (401, "session_ended")
    assert await phone.refused("POST", "/v1/auth/logout") == (401, "session_ended")
    assert (await _refresh(client, phone.tokens["refresh_token"])).status_code == 401
    assert await _is_in(tablet)


async def test_only_a_session_of_the_same_guardian_stands_behind_a_token(
    client: httpx.AsyncClient, database: Database, settings: Settings, clock: FakeClock
) -> None:
    mine, theirs = await make_parent(client, database), await make_parent(client, database)
    session_id = jwt.decode(mine.tokens["access_token"], options={"verify_signature": False})["sid"]
    crossed = AccessClaims(uuid.UUID(theirs.guardian_id), uuid.UUID(session_id))
    mine.tokens["access_token"] = AccessTokens.of(settings).issue(crossed, clock.now)
    assert await mine.refused("GET", "/v1/me") == (401, "session_ended")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x", "bearer a.b.c", "Bearer \xff", "Bearer " + "x" * 9000],
)
async def test_no_token_and_any_other_header_are_refused_alike(client: httpx.AsyncClient, header: str) -> None:
    headers = {b"Authorization": header.encode("latin-1")} if header else {}
    answer = await client.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "access_token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_parent(client, database)
    access, refresh = parent.tokens["access_token"], parent.tokens["refresh_token"]
    parent.tokens["access_token"] = refresh
    assert await parent.refused("GET", "/v1/me") == (401, "access_token_invalid")
    answer = await _refresh(client, access)
    assert answer.status_code in {401, 422}
