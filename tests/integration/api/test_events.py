"""Live events: in order, resumed where the phone stopped, and over within five seconds when access ends."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import routing

from services.api.stream import EventHub
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.integration.api.conftest import Live
from tests.integration.broker.waiting import becomes_true
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.round_trips import round_trips


def _contact_versions(events: list[Any]) -> list[int]:
    return [event.body["detail"]["version"] for event in events if event.kind == "contacts.changed"]


async def test_events_come_in_order_and_without_content(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        first = (await parent.contacts())["version"]
        for name in ("Teacher Li", "Teacher Wang", "Teacher Zhao"):
            await parent.add_contact(name=name)
        message = await parent.send("good night")
        events = await stream.until("message.created")
    assert _contact_versions(events) == [first + 1, first + 2, first + 3]
    assert [event.body["seq"] for event in events] == sorted(event.body["seq"] for event in events)
    assert events[-1].body["ref_id"] == message["message_id"]
    text = repr(events)
    assert "Teacher" not in text
    assert "good night" not in text


async def test_a_stream_resumes_after_the_last_id_without_gap_or_repeat(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        await parent.add_contact()
        seen = await stream.until("contacts.changed")
        last_id = stream.last_id
    for _ in range(5):
        await parent.add_contact()
    async with live.follow(parent, last_id) as stream:
        missed = [event for _ in range(5) if (event := await stream.next())]
    start = _contact_versions(seen)[-1]
    assert _contact_versions(missed) == [start + step for step in range(1, 6)]


async def test_an_event_costs_its_stream_one_read(
    live: Live, client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_poll(_: EventHub) -> None:
        """The hub's poll would wake a stream again."""

    monkeypatch.setattr(EventHub, "_check", no_poll)
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        await parent.add_contact()
        await stream.until("contacts.changed")
        with round_trips(database) as counted:
            for _ in range(3):
                await parent.add_contact()
                await stream.until("contacts.changed")
    assert len([statement for statement in counted.statements if "FROM open_stream" in statement]) == 3


async def test_the_id_of_ready_alone_is_enough_to_resume(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        last_id = stream.last_id
    await parent.add_contact()
    async with live.follow(parent, last_id) as stream:
        assert (await stream.until("contacts.changed"))[-1].kind == "contacts.changed"


async def test_sync_tells_the_same_as_the_stream_in_pages(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    begun = await parent.told("GET", "/v1/sync")
    assert (begun["events"], begun["more"]) == ([], False)
    async with live.follow(parent, begun["cursor"]) as stream:
        for _ in range(3):
            await parent.add_contact()
        live_told = [(await stream.next()) for _ in range(3)]
    polled = await parent.told("GET", "/v1/sync", params={"since": begun["cursor"]})
    assert [event["seq"] for event in polled["events"]] == [event.body["seq"] for event in live_told if event]
    after = await parent.told("GET", "/v1/sync", params={"since": polled["cursor"]})
    assert after["events"] == []


async def test_a_right_that_is_missing_keeps_what_needs_it_from_the_stream(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite(may_message=False)
    async with live.follow(aunt) as stream:
        await mother.send("not for the aunt")
        await mother.told("POST", f"{mother.family}/invitations", json={"phone": "+8613911110000", "relation": "uncle"})
        await mother.add_contact()
        events = await stream.until("contacts.changed")
    assert [event.kind for event in events] == ["contacts.changed"]


async def test_another_familys_events_never_come_even_with_their_cursor(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    mine, theirs = await make_family(client, database), await make_family(client, database)
    async with live.follow(theirs) as stream:
        their_id = stream.last_id
    await theirs.add_contact()
    async with live.follow(mine, their_id) as stream:
        await theirs.add_contact()
        await mine.add_contact()
        event = await stream.next()
        assert event is not None
        assert event.body["family_id"] == str(mine.family_id)


async def test_a_guardian_who_joins_hears_from_then_on_in_an_open_stream(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    mother, aunt = await make_family(client, database), await make_family(client, database)
    invitation = await mother.told(
        "POST", f"{mother.family}/invitations", json={"phone": aunt.phone, "relation": "aunt"}
    )
    async with live.follow(aunt) as stream:
        await aunt.told(
            "POST", f"/v1/invitations/{invitation['invitation_id']}/accept", json={"text_version": "1", "locale": "en"}
        )
        # Events before the stream knows the family are not streamed: the app has read the family after it accepted.
        await becomes_true(lambda: uuid.UUID(str(mother.family_id)) in live.hub._families)  # noqa: SLF001
        await mother.add_contact()
        event = await stream.next()
        assert event is not None
        assert event.body["family_id"] == str(mother.family_id)


async def test_a_stream_without_events_shows_that_it_lives(
    live: Live, client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As routing imported it; 15 s without a patch.
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.1)
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        assert await stream.within(1.0) == []
        assert len(stream.comments) >= 3


def test_a_stream_is_silent_for_fifteen_seconds_at_most() -> None:
    assert routing._PING_INTERVAL == 15  # type: ignore[attr-defined]  # noqa: SLF001


async def test_logging_out_ends_the_open_stream(live: Live, client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        await parent.told("POST", "/v1/auth/logout")
        assert await stream.ends()


async def test_a_removed_guardian_hears_nothing_more(live: Live, client: httpx.AsyncClient, database: Database) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    async with live.follow(aunt) as stream:
        await mother.told("DELETE", f"{mother.family}/guardians/{aunt.guardian_id}")
        await mother.add_contact()
        assert set(await stream.within(1.0)) <= {"guardians.changed"}


async def test_the_stream_goes_on_after_its_listening_connection_was_cut(
    live: Live, client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        connection = await asyncpg.connect(settings.database_url)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        finally:
            await connection.close()
        await parent.add_contact()
        assert (await stream.until("contacts.changed"))[-1].kind == "contacts.changed"


async def test_a_watch_that_comes_and_is_paired_is_told(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent: Parent = await make_family(client, database, place)
    async with live.follow(parent) as stream:
        await pair(parent, place)
        events = await stream.until("pairing.changed")
        assert events[-1].body["detail"] == {"state": "issued"}
        assert (await stream.until("pairing.changed"))[-1].body["detail"] == {"state": "confirmed"}


async def test_a_server_that_stops_ends_its_streams(client: httpx.AsyncClient, database: Database, live: Live) -> None:
    parent = await make_family(client, database)
    async with live.follow(parent) as stream:
        live.server.should_exit = True
        assert await stream.ends()


async def test_a_session_that_is_ended_from_another_device_ends_its_open_stream(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    await parent.told("PUT", "/v1/me/pin", json={"pin": "730418"})
    lost = await parent.new_device().log_in()
    await lost.told("POST", "/v1/auth/second-step", json={"pin": "730418"})
    (session_id,) = [
        session["session_id"]
        for session in (await parent.told("GET", "/v1/me/sessions"))["sessions"]
        if not session["current"]
    ]
    async with live.follow(lost) as stream:
        await parent.told("DELETE", f"/v1/me/sessions/{session_id}")
        assert await stream.ends()
