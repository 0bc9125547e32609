"""Pairing over HTTP: each failure has its code, and none tells a stranger what exists."""

from __future__ import annotations

import httpx
import pytest

from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, code_on, make_family, make_place, pair
from tests.support.world import make_watch


async def _shown(parent: Parent, place: Place) -> str:
    async with parent.database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    return await code_on(parent.database, watch)


async def _enter(parent: Parent, code: str) -> httpx.Response:
    return await parent.ask("POST", f"{parent.child}/pairing", json={"code": code})


async def test_a_code_pairs_once_and_its_repeat_returns_the_same_pairing(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    code = await _shown(parent, place)
    first, again = await _enter(parent, code), await _enter(parent, code)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["state"] == "issued"


async def test_a_stranger_learns_nothing_from_a_code_that_is_not_theirs(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    parent = await make_family(client, database, place)
    stranger = await make_family(client, database, elsewhere)
    code = await _shown(parent, place)
    wrong = "000000" if code != "000000" else "000001"
    theirs, nobodys = await _enter(stranger, code), await _enter(stranger, wrong)
    assert theirs.status_code == nobodys.status_code == 422
    answers = [{k: v for k, v in response.json().items() if k != "request_id"} for response in (theirs, nobodys)]
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "pairing_code_unknown"
    assert (await _enter(parent, code)).status_code == 201


async def test_five_codes_in_vain_make_a_guardian_wait(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    code = await _shown(parent, place)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert [(await _enter(parent, wrong)).status_code for _ in range(5)] == [422] * 5
    waiting = await _enter(parent, code)
    assert (waiting.status_code, waiting.json()["code"]) == (429, "pairing_too_many_tries")
    clock.advance(seconds=waiting.json()["retry_after_s"] + 1)
    await parent.log_in()
    assert (await _enter(parent, await _shown(parent, place))).status_code == 201


async def test_a_second_watch_waits_until_the_first_is_unpaired(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await pair(parent, place)
    code = await _shown(parent, place)
    second = await _enter(parent, code)
    assert (second.status_code, second.json()["code"]) == (409, "child_has_watch")
    await parent.told("DELETE", f"{parent.child}/pairing")
    assert await parent.refused("GET", f"{parent.child}/pairing") == (404, "not_found")
    assert await parent.refused("DELETE", f"{parent.child}/pairing") == (409, "not_paired")
    assert (await _enter(parent, code)).status_code == 201


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", " 12345", "12.456", "-12345"])
async def test_what_is_no_code_does_not_count_as_a_try(
    client: httpx.AsyncClient, database: Database, code: str
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    for _ in range(6):
        answer = await _enter(parent, code)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
