"""An SOS goes to the guardians' phones, round after round, until one of them takes care or six hours are over."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.answers import Answering, acknowledge_alert
from services.core.devices.alerts.escalation import purge_old_alerts
from services.core.devices.alerts.queries import alerts_of
from services.core.devices.alerts.rules import ESCALATING_KINDS, AlertKind
from services.core.devices.alerts.silence import raise_one_silence_alert
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.actions import record_seen
from services.core.devices.push.tables import PushEndpoint
from services.core.devices.watches.queries import standing_identity
from services.core.people.accounts.tables import Session
from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.tables import OutboxRow
from services.worker.escalation import EscalationLoop
from tests.support.calls import calls_to_parents, waiting_calls
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family, make_place, pair, sms_to
from tests.support.statements import statements
from tests.support.world import arrive, make_home, wear

ALL_KINDS = [kind.value for kind in AlertKind]
TEXT = "SmartWatch: a watch of your family called for help at {time}. Open 127.0.0.1:8080 or call home."


@pytest_asyncio.fixture(loop_scope="session")
async def parents(client: httpx.AsyncClient, database: Database) -> list[Parent]:
    """Mother, grandmother and father, in the order of the child's contact list."""
    mother = await make_family(client, database)
    return [mother, await mother.invite(), await mother.invite(relation="father")]


async def _raise(database: Database, parent: Parent, kind: str = "sos") -> uuid.UUID:
    async with database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind)
        return (await raise_alert(work, raised)).alert_id


async def _work_on(database: Database, clock: FakeClock, until_s: float, since: datetime) -> None:
    """Let the worker look every half minute of the clock, until so many seconds after ``since``."""
    while clock.now < since + timedelta(seconds=until_s):
        clock.advance(seconds=30)
        await EscalationLoop(database).escalate_all()


async def _give_push(database: Database, parent: Parent, clock: FakeClock, *, taken_hours_ago: float = 1) -> None:
    """Give a guardian's session a push endpoint that took its last note so long ago."""
    async with database.begin() as work:
        guardian_id = uuid.UUID(parent.guardian_id)
        session = (await work.session.exec(select(Session).where(col(Session.guardian_id) == guardian_id))).one()
        work.add(
            PushEndpoint(
                guardian_id=guardian_id, session_id=session.session_id, kind="webhook", mark=uuid.uuid4().bytes,
                sealed=b"", created_at=work.now, taken_at=clock.now - timedelta(hours=taken_hours_ago),
            )
        )  # fmt: skip


async def test_who_has_no_working_push_is_called_at_once_and_the_others_after_a_minute(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    await _give_push(database, parents[0], clock)
    await _give_push(database, parents[1], clock, taken_hours_ago=25)
    await _raise(database, parents[0])
    began_at = clock.now
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [0, 1, 1]
    clock.advance(seconds=59)
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [0, 1, 1]
    clock.advance(seconds=1)
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [1, 1, 1]
    assert (await sms_to(database, parents[0].phone))[-1] == TEXT.format(time=f"{began_at + timedelta(hours=8):%H:%M}")


async def test_two_guardians_of_whom_the_second_answers_in_the_third_round(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    both = [mother, await mother.invite()]
    await _give_push(database, mother, clock)
    alert_id, began_at = await _raise(database, mother), clock.now
    await EscalationLoop(database).escalate_all()
    # The second round begins five minutes after the last call of the first, the third fifteen after that of the second.
    for after_s, called in ((0, [0, 1]), (60, [1, 1]), (330, [1, 1]), (360, [1, 2]), (420, [2, 2]), (1290, [2, 2]),
                            (1320, [2, 3])):  # fmt: skip
        await _work_on(database, clock, after_s, began_at)
        assert await calls_to_parents(both) == called, f"after {after_s} s"
    path = f"{mother.child}/alerts/{alert_id}"
    # Access tokens live for 15 minutes.
    for parent in both:
        await parent.log_in()
    shown = await mother.told("GET", path)
    assert (shown["state"], shown["calling_round"], shown["acknowledged_at"]) == ("calling", 3, None)
    assert await waiting_calls(both) == [0, 1]
    await both[1].told("POST", f"{path}/acknowledge", json={"answer": "take_care"})
    assert await waiting_calls(both) == [0, 0], "what has not been sent is not sent any more"
    for _ in range(30):
        clock.advance(minutes=10)
        await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(both) == [2, 3], "nobody is called after the answer"
    await mother.log_in()
    shown = await mother.told("GET", path)
    assert [(call["round_no"], call["guardian_id"]) for call in shown["calls"]] == [
        (1, both[1].guardian_id), (1, mother.guardian_id), (2, both[1].guardian_id), (2, mother.guardian_id),
        (3, both[1].guardian_id),
    ]  # fmt: skip
    log = await mother.told("GET", f"{mother.family}/audit?limit=100")
    assert [entry["action"] for entry in log["entries"]].count("alert.escalated") == 5
    assert (shown["state"], shown["next_calls_at"], shown["emergency_number"]) == ("seen", None, "110")


async def test_calls_that_nobody_answers_end_after_six_hours(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    alert_id, began_at = await _raise(database, parents[0]), clock.now
    await EscalationLoop(database).escalate_all()
    rounds = [0]
    while clock.now < began_at + timedelta(hours=9):
        clock.advance(minutes=5)
        await EscalationLoop(database).escalate_all()
        if (await calls_to_parents(parents[:1]))[0] > len(rounds):
            rounds.append(int((clock.now - began_at).total_seconds() // 60))
    assert rounds == [0, 5, 20, 50, 110, 170, 230, 290, 350]
    assert await calls_to_parents(parents) == [9, 9, 9]
    assert await waiting_calls(parents) == [1, 1, 1], "a provider that is back does not send nine texts at once"
    await parents[0].log_in()
    shown = await parents[0].told("GET", f"{parents[0].child}/alerts/{alert_id}")
    assert (shown["state"], shown["next_calls_at"], len(shown["calls"])) == ("unanswered", None, 27)
    # A press after the end begins anew.
    await _raise(database, parents[0])
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [10, 10, 10]


async def test_no_limit_of_text_messages_silences_an_sos(database: Database, parents: list[Parent]) -> None:
    await fill_buckets(database)
    async with database.begin() as work:
        limits = (Limits.SMS_OF_COUNTRY, Limits.SMS_OF_COUNTRY_KNOWN)
        await charge(work, *(Charge(limit, "86", cost=limit.value.burst) for limit in limits))
    await _raise(database, parents[0])
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [1, 1, 1]
    async with database.begin() as work:
        rows = await work.session.exec(
            select(OutboxRow).where(OutboxRow.kind == "sms").order_by(col(OutboxRow.priority))
        )
        assert [row.priority for row in rows][:3] == [Urgency.SOS] * 3
    await fill_buckets(database)


async def test_a_round_that_calls_one_guardian_takes_few_statements(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    mother, *others = parents
    for parent in others:
        await _give_push(database, parent, clock)
    await _raise(database, mother)
    with statements() as sent:
        assert await EscalationLoop(database).escalate_all() == 1
    assert len(sent) <= 18, "\n".join(" ".join(statement.split()) for statement in sent)


async def test_ten_workers_at_once_call_each_guardian_once(database: Database, parents: list[Parent]) -> None:
    await _raise(database, parents[0])
    await asyncio.gather(*(EscalationLoop(database).escalate_all() for _ in range(10)))
    assert await calls_to_parents(parents) == [1, 1, 1]


async def test_other_alerts_send_no_text_message(database: Database, clock: FakeClock, parents: list[Parent]) -> None:
    for kind in AlertKind:
        if kind not in ESCALATING_KINDS:
            await _raise(database, parents[0], kind.value)
    clock.advance(hours=1)
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [0, 0, 0]


async def test_a_call_that_cannot_be_read_is_escalated_like_an_sos(database: Database, parents: list[Parent]) -> None:
    await _raise(database, parents[0], "unreadable")
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [1, 1, 1]


async def test_a_second_press_has_its_own_round_when_only_the_first_is_answered(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    first = await _raise(database, parents[0])
    clock.advance(seconds=30)
    await _raise(database, parents[0])
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [1, 1, 1], "two presses are one round of calls"
    async with database.begin() as work:
        mother = uuid.UUID(parents[0].guardian_id)
        await acknowledge_alert(work, uuid.UUID(parents[0].child_id), first, Answering(mother, ALL_KINDS))
    clock.advance(seconds=60)
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [2, 2, 2]


async def test_a_press_in_a_long_pause_does_not_wait_for_its_end(
    database: Database, clock: FakeClock, parents: list[Parent]
) -> None:
    await _raise(database, parents[0])
    for _ in range(12):
        clock.advance(minutes=5)
        await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [4, 4, 4]
    for _ in range(10):
        await _raise(database, parents[0])
        await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [5, 5, 5], "ten presses bring one round"
    # One more press just after these calls does not wait for an hour either.
    for _ in range(2):
        clock.advance(seconds=60)
        await _raise(database, parents[0])
        await EscalationLoop(database).escalate_all()
    clock.advance(minutes=3)
    await EscalationLoop(database).escalate_all()
    assert await calls_to_parents(parents) == [6, 6, 6]


async def test_a_watch_that_is_silent_for_a_day_is_told_of_once_a_silence(
    database: Database, clock: FakeClock, client: httpx.AsyncClient
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    username = (await pair(parent, place)).username
    await arrive(database, username)

    async def silences() -> int:
        raised = True
        while raised:
            async with database.begin() as work:
                raised = await raise_one_silence_alert(work)
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
        purged = True
        while purged:
            async with database.begin() as work:
                purged = await purge_old_alerts(work)
        async with database.begin() as work:
            return len((await work.session.exec(select(Alert).where(col(Alert.child_id) == home.child_id))).all())

    clock.advance(days=179)
    assert await kept() == 1
    clock.advance(days=1)
    assert await kept() == 0
