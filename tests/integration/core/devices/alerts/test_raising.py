"""An alert is raised once, told to the guardians, and answered for by the first who says so."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.alerts.answers import Answering, acknowledge_alert
from services.core.devices.alerts.errors import AlertKindUnknownError
from services.core.devices.alerts.rules import AlertKind
from services.core.devices.alerts.tables import Alert
from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from tests.support.clock import FakeClock
from tests.support.world import Home, Worn, make_home, wear

ALL_KINDS = [kind.value for kind in AlertKind]


@pytest_asyncio.fixture(loop_scope="session")
async def worn(database: Database) -> tuple[Home, Worn]:
    """A family whose child wears its watch."""
    home = await make_home(database)
    return home, await wear(database, home)


def _raised(home: Home, worn: Worn, kind: str, ref: str | None = None) -> NewAlert:
    return NewAlert(home.child_id, home.family_id, kind, username=worn.username, ref=ref)


async def _raise(database: Database, raised: NewAlert) -> uuid.UUID:
    async with database.begin() as work:
        return (await raise_alert(work, raised)).alert_id


async def _events(database: Database, home: Home, kind: str) -> list[Event]:
    async with database.begin() as work:
        events = await work.session.exec(
            select(Event).where(Event.family_id == home.family_id, Event.kind == kind).order_by(col(Event.seq))
        )
        return list(events)


async def test_an_alert_is_kept_and_told_with_ids_and_kinds_only(database: Database, worn: tuple[Home, Worn]) -> None:
    home, watch = worn
    alert_id = await _raise(database, _raised(home, watch, "sos", "a5d8k2m1w3pz"))
    (event,) = await _events(database, home, "alert.raised")
    assert (event.ref_id, event.child_id, event.detail, event.needs_right) == (
        alert_id, home.child_id, {"kind": "sos"}, "message",
    )  # fmt: skip


async def test_the_watchs_own_id_makes_a_repeat_the_same_alert(database: Database, worn: tuple[Home, Worn]) -> None:
    home, watch = worn
    first = await _raise(database, _raised(home, watch, "sos", "a5d8k2m1w3pz"))
    assert await _raise(database, _raised(home, watch, "sos", "a5d8k2m1w3pz")) == first
    assert len(await _events(database, home, "alert.raised")) == 1


async def test_each_press_of_the_sos_button_is_kept_and_so_is_its_cancellation(
    database: Database, worn: tuple[Home, Worn]
) -> None:
    home, watch = worn
    refs = [("sos", "a5d8k2m1w3p1"), ("sos_cancelled", "a5d8k2m1w3p2"), ("sos", "a5d8k2m1w3p3")]
    raised = [await _raise(database, _raised(home, watch, kind, ref)) for kind, ref in refs]
    assert len(set(raised)) == 3
    assert [event.detail["kind"] for event in await _events(database, home, "alert.raised")] == [
        kind for kind, _ in refs
    ]


async def test_other_kinds_are_one_within_their_window_and_two_after_it(
    database: Database, clock: FakeClock, worn: tuple[Home, Worn]
) -> None:
    home, watch = worn
    first = await _raise(database, _raised(home, watch, "low_battery", "a5d8k2m1w3p1"))
    clock.advance(hours=5, minutes=59)
    assert await _raise(database, _raised(home, watch, "low_battery", "a5d8k2m1w3p2")) == first
    clock.advance(minutes=2)
    assert await _raise(database, _raised(home, watch, "low_battery", "a5d8k2m1w3p3")) != first


async def test_two_zones_left_at_once_are_two_alerts_and_told_to_whom_may_locate(
    database: Database, worn: tuple[Home, Worn]
) -> None:
    home, watch = worn
    zones = [uuid.uuid4(), uuid.uuid4()]
    raised = [
        await _raise(database, replace(_raised(home, watch, "zone_left"), subject_id=zone)) for zone in (*zones, *zones)
    ]
    assert raised[:2] == raised[2:]
    assert raised[0] != raised[1]
    assert {event.needs_right for event in await _events(database, home, "alert.raised")} == {"locate"}


async def test_an_unknown_kind_is_refused(database: Database, worn: tuple[Home, Worn]) -> None:
    with pytest.raises(AlertKindUnknownError):
        await _raise(database, _raised(*worn, "telepathy"))


async def test_the_first_acknowledgement_counts_and_everyone_is_told_of_it(
    database: Database, clock: FakeClock, worn: tuple[Home, Worn]
) -> None:
    home, watch = worn
    alert_id = await _raise(database, _raised(home, watch, "sos", "a5d8k2m1w3pz"))
    at = clock.now
    for _ in range(2):
        async with database.begin() as work:
            await acknowledge_alert(work, home.child_id, alert_id, Answering(home.guardian_id, ALL_KINDS))
        clock.advance(seconds=5)
    async with database.begin() as work:
        alert = await work.session.get_one(Alert, alert_id)
    assert (alert.acknowledged_at, alert.acknowledged_by, alert.seen_by) == (at, home.guardian_id, "g-1")
    assert [event.ref_id for event in await _events(database, home, "alert.acknowledged")] == [alert_id]


async def test_another_childs_alert_is_not_found(database: Database, worn: tuple[Home, Worn]) -> None:
    alert_id = await _raise(database, _raised(*worn, "fall", "a5d8k2m1w3pz"))
    other = await make_home(database)
    with pytest.raises(NotFoundError):
        async with database.begin() as work:
            await acknowledge_alert(work, other.child_id, alert_id, Answering(other.guardian_id, ALL_KINDS))


async def test_two_guardians_who_acknowledge_at_once_are_told_one_name(
    database: Database, worn: tuple[Home, Worn]
) -> None:
    home, watch = worn
    alert_id = await _raise(database, _raised(home, watch, "sos", "a5d8k2m1w3pz"))

    async def acknowledge() -> None:
        async with database.begin() as work:
            await acknowledge_alert(work, home.child_id, alert_id, Answering(home.guardian_id, ALL_KINDS))

    await asyncio.gather(*(acknowledge() for _ in range(4)))
    assert len(await _events(database, home, "alert.acknowledged")) == 1
