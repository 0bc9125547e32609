"""Open event streams are counted for all processes together; the newest are kept and the oldest end."""

from __future__ import annotations

import contextlib
import uuid
from datetime import timedelta

import httpx
from sqlmodel import col, select

from services.core.people.accounts.streams import STREAM_LIVES, open_stream, purge_old_streams
from services.core.people.accounts.tables import OpenStream
from services.core.people.households.queries import event_reach, reach_of_stream
from services.core.platform.db.database import Database
from services.core.platform.limits.rules import MOST_STREAMS_OF_GUARDIAN, MOST_STREAMS_OF_SESSION
from tests.integration.api.conftest import Live
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family


async def _open_numbers(parent: Parent) -> list[int]:
    async with parent.database.begin() as work:
        numbers = await work.session.exec(
            select(OpenStream.stream_no)
            .where(OpenStream.guardian_id == uuid.UUID(parent.guardian_id))
            .order_by(col(OpenStream.stream_no))
        )
        return [response for response in numbers if response is not None]


async def test_one_stream_more_than_a_session_may_have_ends_the_oldest_and_no_other(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    other = await make_family(client, database)
    async with contextlib.AsyncExitStack() as stack:
        beside = await stack.enter_async_context(live.follow(other))
        streams = [await stack.enter_async_context(live.follow(parent)) for _ in range(MOST_STREAMS_OF_SESSION)]
        await parent.add_contact()
        for stream in streams:
            assert await stream.until("contacts.changed")
        streams.append(await stack.enter_async_context(live.follow(parent)))
        assert await streams[0].ends()
        for family in (parent, other):
            await family.add_contact()
        for stream in (*streams[1:], beside):
            assert await stream.until("contacts.changed")
        assert len(await _open_numbers(parent)) == MOST_STREAMS_OF_SESSION


async def test_a_stream_that_ended_counts_no_more(live: Live, client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent):
        (number,) = await _open_numbers(parent)
    async with live.follow(parent):
        # The process forgets it with its next look, at most two seconds later.
        left: list[int] = [number]
        while number in left:
            left = await _open_numbers(parent)
        assert len(left) == 1


async def test_all_sessions_of_a_guardian_share_a_bound_whichever_process_they_are_on(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    guardian_id = uuid.UUID(parent.guardian_id)
    sessions = []
    for _ in range(-(-MOST_STREAMS_OF_GUARDIAN // MOST_STREAMS_OF_SESSION) + 1):
        clock.advance(minutes=2)
        await parent.log_in()
        listed = (await parent.told("GET", "/v1/me/sessions"))["sessions"]
        sessions += [uuid.UUID(session["session_id"]) for session in listed if session["current"]]
    # Each by a transaction of its own, as processes that know nothing of each other would.
    numbers = []
    for session_id in sessions:
        for _ in range(MOST_STREAMS_OF_SESSION):
            async with database.begin() as work:
                numbers.append(await open_stream(work, session_id, guardian_id))
    assert await _open_numbers(parent) == numbers[-MOST_STREAMS_OF_GUARDIAN:]
    async with database.begin() as work:
        assert await reach_of_stream(work, numbers[0], guardian_id, {}) is None
        assert await reach_of_stream(work, numbers[-1], guardian_id, {}) == await event_reach(work, guardian_id, {})


async def test_what_a_killed_process_left_goes_after_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_family(client, database)
    session_id = uuid.UUID((await parent.told("GET", "/v1/me/sessions"))["sessions"][0]["session_id"])
    async with database.begin() as work:
        await open_stream(work, session_id, uuid.UUID(parent.guardian_id))
    clock.advance(seconds=(STREAM_LIVES - timedelta(seconds=1)).total_seconds())
    async with database.begin() as work:
        await purge_old_streams(work)
    assert len(await _open_numbers(parent)) == 1
    clock.advance(seconds=1)
    async with database.begin() as work:
        assert await purge_old_streams(work)
    assert await _open_numbers(parent) == []
