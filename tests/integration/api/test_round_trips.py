"""What a phone reads often costs few round trips to the database, and writes nothing that it need not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.tables import AlertAnswer
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.places import may_look, sent
from tests.support.round_trips import RoundTrips, round_trips
from tests.support.sounds import encoded
from tests.support.staff_http import at_hand_out, family_code_of, make_staff
from tests.support.statements import statements
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO, make_watch


@dataclass(frozen=True)
class Read:
    """A request that phones repeat, and what it may cost. BEGIN and COMMIT count."""

    path: Callable[[Parent, str], str]
    round_trips: int
    writes: int = 0


READS = {
    "history": Read(lambda parent, _: f"{parent.child}/messages", 2),
    "children": Read(lambda parent, _: f"{parent.family}/children", 2),
    "sync": Read(lambda _, cursor: f"/v1/sync?since={cursor}", 3),
    # The look is recorded in the access log: one statement locks and extends its chain and adds the entry.
    "latest place": Read(lambda parent, _: f"{parent.child}/checkins/latest", 3, writes=1),
    "me": Read(lambda _parent, _: "/v1/me", 2),
    "home": Read(lambda _parent, _: "/v1/home", 3),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> Parent:
    """A mother with messages, a recording, a watch and a place."""
    place = await make_place(database)
    parent = await make_family(client, database, place)
    await may_look(parent)
    identity = await pair(parent, place, since=LONG_AGO)
    async with database.begin() as work:
        await receive_fixes(work, [sent(identity.username, clock.now)])
    for word in ("one", "two", "three"):
        await parent.send(word)
    await parent.speak(encoded("amr-nb", 2.0))
    return parent


async def _counted(parent: Parent, read: Read) -> RoundTrips:
    cursor = (await parent.told("GET", "/v1/sync"))["cursor"]
    path = read.path(parent, cursor)
    for _ in range(2):  # statements are prepared, and the connection was looked at less than a second ago
        await parent.told("GET", path)
    with round_trips(parent.database) as counted:
        await parent.told("GET", path)
    return counted


@pytest.mark.parametrize("name", READS)
async def test_a_read_costs_few_round_trips(parent: Parent, name: str) -> None:
    counted = await _counted(parent, READS[name])
    assert len(counted.statements) <= READS[name].round_trips, "\n".join(counted.statements)
    assert len(counted.writes) <= READS[name].writes, "\n".join(counted.writes)


async def test_a_first_screen_with_every_question_costs_few_round_trips(
    client: httpx.AsyncClient, database: Database
) -> None:
    """An alert with an answer, a request for help, an invitation, and a log-in that is shown for the first time."""
    place = await make_place(database)
    parent, other = await make_family(client, database, place), await make_family(client, database, place)
    grandmother = await parent.invite()
    invited = {"phone": grandmother.phone, "relation": "grandmother", "display_name": "Nai Nai"}
    await other.told("POST", f"{other.family}/invitations", json=invited)
    await parent.told("POST", f"{parent.child}/help", json={"kind": "broken"})
    child_id, family_id = uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id))
    async with database.begin() as work:
        alert = await raise_alert(work, NewAlert(child_id, family_id, "sos", subject_id=uuid.uuid4()))
        of_mother = {"alert_id": alert.alert_id, "guardian_id": uuid.UUID(parent.guardian_id)}
        work.add(AlertAnswer(**of_mother, answer="cannot_help", tapped_at=work.now, answered_at=work.now))
    for _ in range(2):
        await grandmother.told("GET", "/v1/home")
    await parent.new_device().log_in()
    with round_trips(database) as first_time:
        home = await grandmother.told("GET", "/v1/home")
    [child] = home["children"]
    assert len(child["alerts"][0]["answers"]) == len(child["help"]) == len(home["waiting_log_ins"]) == 1
    assert len(home["me"]["invitations"]) == 1
    assert home["waiting_log_ins"] == (await grandmother.told("GET", "/v1/me/log-ins"))["log_ins"]
    assert len(first_time.statements) <= 5, "\n".join(first_time.statements)


async def test_a_watch_is_given_in_few_round_trips(client: httpx.AsyncClient, database: Database) -> None:
    """Staff wait for each answer with a family before them. Of 17 statements four were asked twice."""
    place = await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    for _ in range(2):
        code = await family_code_of(await make_family(client, database, place))
        async with database.begin() as work:
            watch = (await make_watch(work, place.site.site_id, None))[0]
        with statements() as sent:
            told = await coordinator.told(
                "POST",
                f"/v1/staff/sites/{place.site.site_id}/watch-hand-outs",
                json={"scan": watch.serial, "family_code": code},
            )
        assert told["no_working_channel"] is not None
    assert len(sent) <= 13, "\n".join(sent)


async def test_a_message_to_the_watch_costs_few_round_trips(parent: Parent) -> None:
    clip = encoded("amr-nb", 2.0)
    for _ in range(2):
        await parent.send("good night")
        await parent.speak(clip)
    with round_trips(parent.database) as text:
        await parent.send("good night")
    with round_trips(parent.database) as voice:
        await parent.speak(clip)
    # Access, both locks, the conversation, all rows of the message, its event with outbox and fact, BEGIN, COMMIT.
    assert len(text.statements) <= 7, "\n".join(text.statements)
    # Access and limit, the conversation, the row of the blob; then, when the sound is stored, the same as for a text.
    assert len(voice.statements) <= 11, "\n".join(voice.statements)


async def test_a_message_that_is_sent_again_costs_no_more(parent: Parent) -> None:
    """The answer is that of the first time, which was made without reading the message again."""
    key, clip = new_ref(), encoded("amr-nb", 2.0)
    first, spoken = await parent.send("good night", key), await parent.speak(clip, f"{key}-voice")
    with round_trips(parent.database) as text:
        assert await parent.send("good night", key) == first
    with round_trips(parent.database) as voice:
        assert await parent.speak(clip, f"{key}-voice") == spoken
    assert len(text.statements) <= 7, "\n".join(text.statements)
    assert len(voice.statements) <= 5, "\n".join(voice.statements)
