"""Public numbers reach a DHIS2 system whole and once, whatever it answers in between; nothing else does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import delete

from services.core.measurement.dhis2_imports.rules import TRIES
from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.measurement.tables import UsageCell, UsageWeek
from services.core.people.programme.tables import Programme
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.worker.dhis2 import Dhis2Client, Dhis2Loop, open_dhis2, send_one_import
from services.worker.supervisor import Supervisor
from services.worker.wake_ups import WakeUps
from tests.support.application import application
from tests.support.clock import FakeClock
from tests.support.dhis2 import TOKEN, Dhis2, summary
from tests.support.http import Place, make_place
from tests.support.staff_http import StaffMember, make_staff, renewed
from tests.support.watch import eventually

ELEMENTS = {"messages": "messages001", "active_use": "activeuse01"}
WEEKS = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(5)]
PATH = "/v1/staff/dhis2-imports"


@pytest_asyncio.fixture(loop_scope="session")
async def dhis2() -> AsyncIterator[Dhis2]:
    async with Dhis2(elements=set(ELEMENTS.values())).running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def sending(dhis2: Dhis2, settings: Settings) -> Settings:
    """The settings of a deployment with this DHIS2 system; four values a batch."""
    return settings.model_copy(
        update={"dhis2_url": dhis2.url, "dhis2_token": SecretStr(TOKEN), "dhis2_batch_values": 4}
    )


@pytest_asyncio.fixture(loop_scope="session")
async def admin(sending: Settings, database: Database, place: Place) -> AsyncIterator[StaffMember]:
    with application(sending, database) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
        ):
            yield await make_staff(client, database, place, "admin", programme=True)


@pytest_asyncio.fixture(loop_scope="session")
async def place(database: Database) -> Place:
    """A programme of one site with five published weeks: of the site the third is hidden from the public."""
    place = await make_place(database)
    programme_id = place.site.programme_id
    async with database.begin() as work:
        # What other tests left waiting would be sent in between.
        await work.run(delete(Dhis2Import))
        for number, week in enumerate(WEEKS):
            work.add(UsageWeek(programme_id=programme_id, week=week, quarter=WEEKS[0], published_at=work.now))
            for scope_id in (programme_id, place.site.site_id):
                for audience, value in (("staff", 77.0), ("public", None if number == 2 else 1234567.5 + number)):
                    work.add(
                        UsageCell(
                            audience=audience, programme_id=programme_id, scope_id=scope_id, week=week,
                            indicator="messages", n=20, value=value,
                        )
                    )  # fmt: skip
    return place


@pytest.fixture
def body(place: Place, dhis2: Dhis2) -> dict[str, Any]:
    """A request for the whole programme, both of whose scopes have units that DHIS2 knows."""
    units = {str(place.site.programme_id): "programme01", str(place.site.site_id): "siteunit001"}
    dhis2.units = set(units.values())
    return {
        "programme_id": str(place.site.programme_id), "data_elements": ELEMENTS, "org_units": units,
        "check_only": False,
    }  # fmt: skip


async def _send(database: Database, settings: Settings) -> None:
    async with open_dhis2(settings) as client:
        assert client is not None
        while await send_one_import(database, client):
            pass


async def _told(admin: StaffMember, queued: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = await admin.told("GET", f"{PATH}/{queued['import_id']}")
    return state


async def test_everything_public_is_checked_first_and_stored_once(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any], clock: FakeClock
) -> None:
    # A dry run alone stores nothing.
    queued = await admin.told("POST", PATH, json=body | {"check_only": True})
    assert queued["state"] == "waiting"
    assert await admin.refused("POST", PATH, json=body) == (429, "dhis2_import_running")
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["percent"], state["values"], state["imported"]) == ("checked", 100, 8, None)
    assert (state["checked"]["imported"], state["checked"]["conflict_count"]) == (8, 0)
    assert dhis2.values == {}

    clock.advance(seconds=1)
    queued = await admin.told("POST", PATH, json=body)
    dhis2.requests.clear()
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"], state["left_out"]["suppressed"]) == ("done", None, 2)
    assert state["imported"] == {"imported": 8, "updated": 0, "ignored": 0, "conflict_count": 0, "conflicts": []}
    # All batches are checked before the first one is stored.
    assert [(query["dryRun"], count) for query, count in dhis2.requests] == [
        ("true", 4), ("true", 4), ("false", 4), ("false", 4),
    ]  # fmt: skip
    assert {query["importStrategy"] for query, _ in dhis2.requests} == {"CREATE_AND_UPDATE"}
    # No number of staff, none that is hidden, and large ones without an exponent.
    assert set(dhis2.values.values()) == {"1234567.5", "1234568.5", "1234570.5", "1234571.5"}
    assert {period for _, period, _ in dhis2.values} == {"2026W2", "2026W3", "2026W5", "2026W6"}

    # Sent again, DHIS2 has the same values.
    before = dict(dhis2.values)
    clock.advance(seconds=1)
    queued = await admin.told("POST", PATH, json=body)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["imported"]["imported"], state["imported"]["updated"]) == ("done", 0, 8)
    assert dhis2.values == before
    assert [listed["state"] for listed in (await admin.told("GET", PATH))["imports"]] == ["done", "done", "checked"]


@pytest.mark.parametrize("is_new", [False, True], ids=["before 2.38", "since 2.38"])
async def test_an_unknown_element_is_found_by_the_check_and_nothing_is_stored(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any], *, is_new: bool
) -> None:
    dhis2.is_new = is_new
    dhis2.elements = set()
    queued = await admin.told("POST", PATH, json=body)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"], state["imported"]) == ("conflicts", "conflicts", None)
    assert state["sentence"].startswith("DHIS2 does not accept all values.")
    assert state["checked"]["ignored"] == 8
    # Equal conflicts of both batches stand once.
    [conflict] = state["checked"]["conflicts"]
    assert (conflict["object"], conflict["code"]) == ("messages001", "E7610")
    assert "Data element not found" in conflict["problem"]
    assert dhis2.values == {}


async def test_what_breaks_off_is_continued_and_stores_nothing_twice(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any], clock: FakeClock
) -> None:
    # Busy at the first check; then the connection breaks after the second batch was stored.
    dhis2.answers.extend([(429, None), (0, None), (0, None), (0, None), (None, None)])
    queued = await admin.told("POST", PATH, json=body)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"]) == ("waiting", "busy")
    assert state["sentence"] == "DHIS2 is busy or reports a fault of its own."
    # It asked for two minutes.
    clock.advance(seconds=119)
    await _send(database, sending)
    assert (await _told(admin, queued))["state"] == "waiting"
    clock.advance(seconds=1)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"], state["imported"]["imported"]) == ("waiting", "no_answer", 4)
    assert len(dhis2.values) == 8
    clock.advance(seconds=60)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["imported"]["imported"], state["imported"]["updated"]) == ("done", 4, 4)
    assert len(dhis2.values) == 8


async def test_values_that_dhis2_ignores_after_all_are_named_and_the_rest_is_stored(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any]
) -> None:
    # Between check and import somebody locks the data set: the first batch is refused in part.
    locked = summary(
        "WARNING", imported=2, ignored=2, conflicts=[{"object": "siteunit001", "value": "Data set is locked"}]
    )
    dhis2.answers.extend([(0, None), (0, None), (409, {"status": "WARNING", "response": locked})])
    queued = await admin.told("POST", PATH, json=body)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["imported"]["ignored"], state["imported"]["imported"]) == ("partly", 2, 6)
    assert state["imported"]["conflicts"][0]["problem"] == "Data set is locked"


async def test_a_wrong_token_or_address_ends_it_with_a_sentence_and_no_secret_in_any_log(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any],
    capsys: pytest.CaptureFixture[str], clock: FakeClock,
) -> None:  # fmt: skip
    dhis2.token = "another"
    queued = await admin.told("POST", PATH, json=body)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"]) == ("failed", "log_in_refused")
    assert state["sentence"] == "DHIS2 rejected the token or the password. Check SMARTWATCH_DHIS2_TOKEN."
    dhis2.token = TOKEN
    for answer, problem in (((404, b"<html>"), "no_dhis2"), ((302, b""), "no_dhis2"), ((403, {}), "not_allowed")):
        dhis2.answers.append(answer)
        queued = await admin.told("POST", PATH, json=body)
        await _send(database, sending)
        state = await _told(admin, queued)
        assert (state["state"], state["problem"]) == ("failed", problem)
    # Nobody listens there: it is tried for hours, and then given up.
    queued = await admin.told("POST", PATH, json=body)
    away = sending.model_copy(update={"dhis2_url": "http://127.0.0.1:9"})
    for _ in range(TRIES):
        await _send(database, away)
        state = await _told(admin, queued)
        assert (state["state"], state["problem"]) == ("waiting", "no_connection")
        clock.advance(hours=1)
        admin = await renewed(admin, database)
    await _send(database, away)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"]) == ("failed", "no_connection")
    assert dhis2.values == {}
    assert TOKEN not in "".join(capsys.readouterr())


async def test_a_system_that_never_answers_is_left_after_its_time(
    admin: StaffMember, database: Database, sending: Settings, body: dict[str, Any]
) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    stuck = sending.model_copy(update={"dhis2_url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"})
    queued = await admin.told("POST", PATH, json=body)
    async with server, httpx.AsyncClient(trust_env=False) as client:
        await send_one_import(database, Dhis2Client(client, stuck, timeout_s=0.2))
    assert (await _told(admin, queued))["problem"] == "no_answer"


async def test_what_cannot_be_sent_is_refused_before_anything_is_asked_of_dhis2(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any], place: Place,
    client: httpx.AsyncClient,
) -> None:  # fmt: skip
    units = body["org_units"]
    same = body | {"org_units": dict.fromkeys(units, "siteunit001")}
    assert await admin.refused("POST", PATH, json=same) == (422, "dhis2_ids_ambiguous")
    assert await admin.refused("POST", PATH, json=body | {"site_id": str(place.site.site_id)}) == (
        422,
        "invalid_request",
    )
    assert await admin.refused("POST", PATH, json=body | {"data_elements": {"messages": "no"}}) == (
        422, "invalid_request",
    )  # fmt: skip
    elsewhere = await make_place(database)
    of_others = body | {"programme_id": str(elsewhere.site.programme_id)}
    assert await admin.refused("POST", PATH, json=of_others) == (404, "not_found")
    # A system that is not configured; the API of this module has none.
    stranger = await make_staff(client, database, place, "admin", programme=True)
    assert await stranger.refused("POST", PATH, json=body) == (409, "dhis2_not_configured")
    # Numbers that are not public, or without an id, are nothing to send.
    nothing = body | {"data_elements": {"calls": "callsvalue1"}}
    queued = await admin.told("POST", PATH, json=nothing)
    await _send(database, sending)
    state = await _told(admin, queued)
    assert (state["state"], state["problem"]) == ("failed", "nothing_public")
    assert state["left_out"]["indicators_without_element"] == ["messages"]
    assert dhis2.requests == []
    # A simulated programme is checked, never stored.
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, place.site.programme_id)
        programme.simulated = True
        work.add(programme)
    assert await admin.refused("POST", PATH, json=body) == (409, "simulated_not_sent")
    assert (await admin.told("POST", PATH, json=body | {"check_only": True}))["state"] == "waiting"
    await _send(database, sending)
    assert await admin.refused("GET", f"{PATH}/{uuid.uuid4()}") == (404, "not_found")
    assert await stranger.told("GET", f"{PATH}/{queued['import_id']}") == state


async def test_the_workers_loop_sends_when_it_is_woken(
    admin: StaffMember, database: Database, sending: Settings, dhis2: Dhis2, body: dict[str, Any]
) -> None:
    wake_ups = WakeUps(database)
    async with open_dhis2(sending) as client:
        assert client is not None
        running = asyncio.create_task(Supervisor([wake_ups, Dhis2Loop(database, client, wake_ups)]).run())
        await admin.told("POST", PATH, json=body)
        await eventually(lambda: len(dhis2.values) == 8)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
