"""An SOS that nobody answers goes to the guardians' phones, one a minute, and stops with the first who answers."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.alerts.actions import NewAlert, acknowledge_alert, raise_alert
from services.core.devices.alerts.escalation import purge_old_alerts
from services.core.devices.alerts.queries import alerts_of
from services.core.devices.alerts.rules import ESCALATING_KINDS, AlertKind
from services.core.devices.alerts.silence import raise_one_silence_alert
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.actions import record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.platform.db.database import Database
from services.worker.escalation import EscalationLoop
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair, sms_to
from tests.support.world import arrive, make_home, wear

ALL_KINDS = [kind.value for kind in AlertKind]
# The clock stands at 08:00 UTC when a test begins; the watch is in China.
TEXT = "SmartWatch: a watch of your family called for help at 16:00. Open 127.0.0.1:8080 or call home."
CALLED = TEXT.split(" at ", maxsplit=1)[0]


@pytest_asyncio.fixture(loop_scope="session")
async def parents(client: httpx.AsyncClient, database: Database) -> list[Parent]:
    """Mother, grandmother and father, in the order of the child's contact list."""
    mother = await make_family(client, database)
    return [mother, await mother.invite(), await mother.invite(relation="father")]


async def _raise(database: Database, parent: Parent, kind: str = "sos") -> uuid.UUID:
    async with database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind)
        return (await raise_alert(work, raised)).alert_id


async def _called(database: Database, parents: list[Parent]) -> list[int]:
    """Return how often each parent was sent the text that asks to open the app."""
    texts = [await sms_to(database, parent.phone) for parent in parents]
    return [sum(text.startswith(CALLED) for text in sent) for sent in texts]


async def test_guardians_are_called_a_minute_apart_in_the_order_of_the_contact_list(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    await _raise(database, parents[0])
    clock.advance(seconds=59)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [0, 0, 0]
    for expected in ([1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]):
        clock.advance(seconds=60)
        await EscalationLoop(database).escalate_all()
        await EscalationLoop(database).escalate_all()
        assert await _called(database, parents) == expected


async def test_it_stops_with_the_first_who_acknowledges(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    alert_id = await _raise(database, parents[0])
    clock.advance(seconds=60)
    await EscalationLoop(database).escalate_all()
    answer = await parents[1].told("POST", f"{parents[0].child}/alerts/{alert_id}/acknowledge")
    assert answer["acknowledged_by"] == parents[1].guardian_id
    clock.advance(hours=1)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [1, 0, 0]


async def test_ten_workers_at_once_call_each_guardian_once(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    await _raise(database, parents[0])
    clock.advance(seconds=60)
    await asyncio.gather(*(EscalationLoop(database).escalate_all() for _ in range(10)))
    assert await _called(database, parents) == [1, 0, 0]


async def test_other_alerts_send_no_text_message(database: Database, clock: FakeClock, parents: list[Parent]) -> None:
    for kind in AlertKind:
        if kind not in ESCALATING_KINDS:
            await _raise(database, parents[0], kind.value)
    clock.advance(hours=1)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [0, 0, 0]


async def test_a_call_that_cannot_be_read_is_escalated_like_an_sos(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    await _raise(database, parents[0], "unreadable")
    clock.advance(seconds=60)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [1, 0, 0]


async def test_a_second_press_waits_for_the_first_to_be_answered_and_then_has_its_own_round(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    first = await _raise(database, parents[0])
    clock.advance(seconds=30)
    await _raise(database, parents[0])
    clock.advance(seconds=30)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [1, 0, 0], "two presses are one round of calls"
    async with database.begin() as work:
        mother = uuid.UUID(parents[0].guardian_id)
        await acknowledge_alert(work, uuid.UUID(parents[0].child_id), first, mother, ALL_KINDS)
    clock.advance(seconds=60)
    await EscalationLoop(database).escalate_all()
    assert await _called(database, parents) == [2, 0, 0]


async def test_a_watch_that_is_silent_for_a_day_is_told_of_once_a_silence(
    database: Database, clock: FakeClock, client: httpx.AsyncClient
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    username = (await pair(parent, place)).username
    await arrive(database, username)

    async def silences() -> int:
        found = True
        while found:
            async with database.begin() as work:
                found = await raise_one_silence_alert(work)
        async with database.begin() as work:
            return len(await alerts_of(work, uuid.UUID(parent.child_id), ["silent"], after=None, limit=10))

    clock.advance(hours=23, minutes=59)
    assert await silences() == 0
    clock.advance(minutes=1)
    assert await silences() == 1
    clock.advance(days=3)
    assert await silences() == 1
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        assert identity is not None
        await record_seen(work, identity)
    clock.advance(hours=25)
    assert await silences() == 2


async def test_old_alerts_are_forgotten_after_half_a_year(database: Database, clock: FakeClock) -> None:
    home = await make_home(database)
    await wear(database, home)
    async with database.begin() as work:
        await raise_alert(work, NewAlert(home.child_id, home.family_id, "fall"))

    async def kept() -> int:
        found = True
        while found:
            async with database.begin() as work:
                found = await purge_old_alerts(work)
        async with database.begin() as work:
            return len((await work.session.exec(select(Alert).where(col(Alert.child_id) == home.child_id))).all())

    clock.advance(days=179)
    assert await kept() == 1
    clock.advance(days=1)
    assert await kept() == 0
