"""The two answers to an SOS, the question that follows, and calling that goes on."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from services.core.platform.outbox.tables import OutboxRow
from services.worker.escalation import EscalationLoop
from tests.support.calls import calls_to_parents
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family


@pytest_asyncio.fixture(loop_scope="session")
async def both(client: httpx.AsyncClient, database: Database) -> list[Parent]:
    """Mother and grandmother."""
    mother = await make_family(client, database)
    return [mother, await mother.invite()]


async def _press(parent: Parent, kind: str = "sos") -> str:
    """Raise an alert and let the worker call; return the path of the alert."""
    async with parent.database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind)
        alert_id = (await raise_alert(work, raised)).alert_id
    await EscalationLoop(parent.database).escalate_all()
    return f"{parent.child}/alerts/{alert_id}"


async def _events(parent: Parent, *kinds: str) -> list[tuple[str, str | None]]:
    async with parent.database.begin() as work:
        events = await work.session.exec(
            select(Event)
            .where(Event.family_id == parent.family_id, col(Event.kind).in_(kinds))
            .order_by(col(Event.seq))
        )
        return [(event.kind, None if event.guardian_id is None else str(event.guardian_id)) for event in events]


async def _is_pushed(parent: Parent) -> int:
    async with parent.database.begin() as work:
        rows = await work.session.exec(
            select(OutboxRow).where(OutboxRow.kind == "wake", OutboxRow.target == str(parent.family_id))
        )
        return len(rows.all())


async def _later(parent: Parent, clock: FakeClock, **span: float) -> None:
    clock.advance(**span)
    await EscalationLoop(parent.database).escalate_all()


async def test_who_cannot_help_now_acknowledges_nothing_and_the_calls_go_on(
    both: list[Parent], clock: FakeClock
) -> None:
    path = await _press(both[0])
    answered: dict[str, Any] = await both[1].told("POST", f"{path}/acknowledge", json={"answer": "cannot_help"})
    assert (answered["state"], answered["acknowledged_at"]) == ("seen", None)
    assert [(answer["guardian_id"], answer["answer"]) for answer in answered["answers"]] == [
        (both[1].guardian_id, "cannot_help")
    ]
    await _later(both[0], clock, minutes=1)
    await _later(both[0], clock, minutes=4)
    assert await calls_to_parents(both) == [2, 2]
    assert (await both[0].told("GET", path))["state"] == "calling"
    assert await _events(both[0], "alert.seen", "alert.acknowledged") == [("alert.seen", None)]


async def test_fifteen_minutes_after_i_take_care_the_guardian_is_asked_and_may_let_calling_go_on(
    both: list[Parent], clock: FakeClock
) -> None:
    mother, grandmother = both
    path = await _press(mother)
    assert await mother.refused("POST", f"{path}/all-right", json={"all_right": True}) == (
        409,
        "alert_not_acknowledged",
    )
    await grandmother.told("POST", f"{path}/acknowledge")
    pushed = await _is_pushed(mother)
    await _later(mother, clock, minutes=14, seconds=59)
    assert await _events(mother, "alert.check_asked") == []
    await _later(mother, clock, seconds=1)
    assert await _events(mother, "alert.check_asked") == [("alert.check_asked", grandmother.guardian_id)]
    assert await _is_pushed(mother) == pushed + 1
    for parent in both:
        await parent.log_in()
    again = await grandmother.told("POST", f"{path}/all-right", json={"all_right": False})
    assert (again["acknowledged_at"], again["state"], again["check_asked_at"]) == (None, "calling", None)
    # A repeat begins nothing anew.
    assert await grandmother.told("POST", f"{path}/all-right", json={"all_right": False}) == again
    await EscalationLoop(mother.database).escalate_all()
    assert await calls_to_parents(both) == [2, 2]
    await mother.told("POST", f"{path}/acknowledge", json={"answer": "take_care"})
    answer = await mother.told("POST", f"{path}/all-right", json={"all_right": True})
    assert (answer["all_right_by"], answer["next_calls_at"]) == (mother.guardian_id, None)
    await _later(mother, clock, hours=1)
    assert len(await _events(mother, "alert.check_asked")) == 1, "who said yes is not asked"
    assert await calls_to_parents(both) == [2, 2]
    assert [kind for kind, _ in await _events(mother, "alert.calling_again", "alert.all_right")] == [
        "alert.calling_again", "alert.all_right",
    ]  # fmt: skip


async def test_the_question_of_who_has_left_goes_to_everybody(both: list[Parent], clock: FakeClock) -> None:
    mother, grandmother = both
    path = await _press(mother)
    await grandmother.told("POST", f"{path}/acknowledge")
    await mother.told("DELETE", f"{mother.family}/guardians/{grandmother.guardian_id}")
    await _later(mother, clock, minutes=15)
    assert await _events(mother, "alert.check_asked") == [("alert.check_asked", None)]


async def test_a_tap_that_arrives_late_keeps_its_time_and_is_asked_about_at_once(
    both: list[Parent], clock: FakeClock
) -> None:
    mother = both[0]
    path = await _press(mother)
    tapped_at = clock.advance(minutes=1)
    await _later(mother, clock, minutes=20)
    await mother.log_in()
    body = {"answer": "take_care", "tapped_at": tapped_at.isoformat()}
    answered = await mother.told("POST", f"{path}/acknowledge", json=body)
    (answer,) = answered["answers"]
    assert (answer["tapped_at"], answer["answered_at"]) == (
        tapped_at.strftime("%Y-%m-%dT%H:%M:%SZ"), clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )  # fmt: skip
    await EscalationLoop(mother.database).escalate_all()
    assert await _events(mother, "alert.check_asked") == [("alert.check_asked", mother.guardian_id)]
    other = await _press(mother)
    for wrong in (clock.now + timedelta(hours=1), clock.now - timedelta(hours=1)):
        seen = await mother.told(
            "POST", f"{other}/acknowledge", json={"answer": "cannot_help", "tapped_at": wrong.isoformat()}
        )
        assert seen["answers"][-1]["tapped_at"] == clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for bad in ({"tapped_at": 1764000000}, {"answer": "maybe"}, {"tapped_at": "2026-03-02T08:00:00"}):
        assert await mother.refused("POST", f"{other}/acknowledge", json=bad) == (422, "invalid_request")


async def test_an_alert_about_which_nobody_is_called_is_answered_without_a_question(
    both: list[Parent], clock: FakeClock
) -> None:
    mother = both[0]
    path = await _press(mother, "fall")
    answered = await mother.told("POST", f"{path}/acknowledge")
    assert answered["acknowledged_by"] == mother.guardian_id
    assert (await mother.told("POST", f"{path}/all-right", json={"all_right": False}))["acknowledged_at"] is not None
    await _later(mother, clock, minutes=16)
    assert await _events(mother, "alert.check_asked", "alert.calling") == []
    assert await calls_to_parents(both) == [0, 0]
