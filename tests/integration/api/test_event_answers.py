"""Each answer that the document gives for the event stream, met by hand: generated requests would wait for its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from services.api.problems import MEDIA_TYPE
from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from tests.integration.api.conftest import Live
from tests.support.api_routes import app_without_database
from tests.support.documented import schema_fault_of
from tests.support.http import Parent, fill_buckets, make_family, make_place
from tests.support.staff_http import make_staff

EVENTS = "/v1/events"
SPEC = app_without_database().openapi()
DOCUMENTED = {int(status) for status in SPEC["paths"][EVENTS]["get"]["responses"]}
# Problems of any route: those of a body, which this route lacks, and of a fault or an absent database.
OF_ANY_ROUTE = {400, 408, 413, 415, 500, 503}

Refusal = Callable[[Parent], Awaitable[httpx.Response]]


async def _without_token(parent: Parent) -> httpx.Response:
    return await parent.client.get(EVENTS)


async def _with_a_token_of_staff(parent: Parent) -> httpx.Response:
    return await (await make_staff(parent.client, parent.database, await make_place(parent.database))).ask(
        "GET", EVENTS
    )


async def _after_logging_out(parent: Parent) -> httpx.Response:
    await parent.told("POST", "/v1/auth/logout")
    return await parent.ask("GET", EVENTS)


async def _from_a_new_device(parent: Parent) -> httpx.Response:
    return await (await parent.new_device().log_in()).ask("GET", EVENTS)


async def _from_a_cursor_that_is_none(parent: Parent) -> httpx.Response:
    return await parent.ask("GET", EVENTS, headers={"Last-Event-ID": "not ours"})


async def _from_a_cursor_without_end(parent: Parent) -> httpx.Response:
    return await parent.ask("GET", EVENTS, headers={"Last-Event-ID": "x" * 2001})


async def _too_often(parent: Parent) -> httpx.Response:
    await fill_buckets(parent.database)
    limit = Limits.REQUESTS_OF_GUARDIAN
    async with parent.database.begin() as work:
        await charge(work, Charge(limit, parent.guardian_id, limit.value.burst))
    return await parent.ask("GET", EVENTS)


REFUSALS: dict[str, tuple[int, str, Refusal]] = {
    "without a token": (401, "access_token_invalid", _without_token),
    "with a token of staff": (401, "access_token_invalid", _with_a_token_of_staff),
    "after logging out": (401, "session_ended", _after_logging_out),
    "from a new device": (403, "second_step_needed", _from_a_new_device),
    "from a cursor that is none": (422, "cursor_invalid", _from_a_cursor_that_is_none),
    "from a cursor without end": (422, "invalid_request", _from_a_cursor_without_end),
    "too often": (429, "too_many_requests", _too_often),
}


def test_every_documented_answer_is_met() -> None:
    assert {200} | {status for status, _, _ in REFUSALS.values()} == DOCUMENTED - OF_ANY_ROUTE


@pytest.mark.parametrize("when", REFUSALS)
async def test_a_refusal_is_a_problem_before_the_stream_begins(
    client: httpx.AsyncClient, database: Database, when: str
) -> None:
    status, code, ask = REFUSALS[when]
    answer = await ask(await make_family(client, database))
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert answer.json()["code"] == code
    assert schema_fault_of(answer.json(), SPEC["components"]["schemas"]["Problem"]) == ""
    await fill_buckets(database)


async def test_the_stream_itself_is_as_documented(live: Live, client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        (media,) = SPEC["paths"][EVENTS]["get"]["responses"]["200"]["content"]
        assert stream.answer.headers["content-type"].startswith(media)
        assert stream.answer.headers["x-content-type-options"] == "nosniff"
        assert "no-" in stream.answer.headers["cache-control"]
        await parent.add_contact()
        event: dict[str, Any] = (await stream.until("contacts.changed"))[-1].body
    # One event is told alike by both: what catching up documents holds for the stream.
    assert schema_fault_of(event, SPEC["components"]["schemas"]["Event"]) == ""
