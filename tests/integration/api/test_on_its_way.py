"""A watch that is paired in the factory and worn in a village weeks later: one state, the same for everybody."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.alerts.from_watch import WatchAlert, receive_alert
from services.core.devices.alerts.rules import AlertKind
from services.core.devices.alerts.silence import raise_one_silence_alert
from services.core.devices.alerts.tables import Alert
from services.core.devices.presence.actions import record_offline, record_seen
from services.core.devices.presence.rules import OfflineReason
from services.core.devices.watches.queries import lock_standing_identities
from services.core.devices.watches.tables import WatchIdentity
from services.core.measurement.publishing.queries import device_counts, silent_families
from services.core.measurement.reports.actions import WatchReport, receive_reports
from services.core.measurement.tables import UsageReport
from services.core.people.consents.rules import Part, consent_texts
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.events.tables import Event
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, make_family, make_place, pair
from tests.support.staff_http import make_staff, renewed

Use = Callable[[UnitOfWork, WatchIdentity, int], Awaitable[Any]]


async def _message(work: UnitOfWork, identity: WatchIdentity, _: int) -> None:
    await receive_from_child(work, identity, WatchMessage("k3m9q2x7d5fa", "family", text_body("hello"), "f", None))


async def _later_message(work: UnitOfWork, identity: WatchIdentity, _: int) -> None:
    await receive_from_child(work, identity, WatchMessage("p3m9q2x7d5fa", "family", text_body("good day"), "g", None))


def _alert(kind: AlertKind) -> Use:
    async def raised(work: UnitOfWork, identity: WatchIdentity, _: int) -> None:
        await receive_alert(work, identity, WatchAlert("a5d8k2m1w3pz", kind, "f", None))

    return raised


def _worn(*minutes_each: int) -> Use:
    async def reported(work: UnitOfWork, identity: WatchIdentity, now_s: int) -> None:
        reports = [
            WatchReport(f"u5d8k2m1h6v{number}", f"f{number}", now_s - 3600, now_s, counters={"worn_s": minutes * 60})
            for number, minutes in enumerate(minutes_each)
        ]
        await receive_reports(work, identity, reports)

    return reported


async def _use(database: Database, identity: WatchIdentity, use: Use) -> None:
    """Let an uplink of the watch arrive, as the transport does: the preamble, then the handler."""
    async with database.begin() as work:
        locked = (await lock_standing_identities(work, [identity.username]))[identity.username]
        await record_seen(work, locked)
        await use(work, locked, int(work.now.timestamp()))


async def _switch_off(database: Database, identity: WatchIdentity) -> None:
    async with database.begin() as work:
        locked = (await lock_standing_identities(work, [identity.username]))[identity.username]
        await record_offline(work, locked, OfflineReason.OFF)


async def _raises_silence(database: Database, parent: Parent) -> bool:
    """Raise every alert that is due, other tests' as well; return whether one is about the parent's child."""
    is_more = True
    while is_more:
        async with database.begin() as work:
            is_more = await raise_one_silence_alert(work)
    async with database.begin() as work:
        raised = select(Alert.kind).where(
            col(Alert.child_id) == uuid.UUID(parent.child_id), col(Alert.raised_at) == work.now
        )
        return AlertKind.SILENT in (await work.session.exec(raised)).all()


async def _watch(parent: Parent) -> dict[str, Any]:
    (child,) = (await parent.told("GET", f"{parent.family}/children"))["children"]
    return dict(child["watch"])


async def _counts(database: Database, place: Place) -> set[str]:
    async with database.begin() as work:
        return set(await device_counts(work, place.site.site_id)) - {"handed_out", "paired", "active_7_days"}


async def test_on_its_way_is_silent_nowhere_and_not_arrived_after_thirty_days(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff, parent = await make_staff(client, database, place), await make_family(client, database, place)
    text = consent_texts()[Part.MEASUREMENT, "en"]
    body = {"part": "measurement", "text_version": text.text_version, "locale": "en"}
    await parent.told("POST", f"{parent.family}/consents", json=body)
    paired_at = clock.now
    identity = await pair(parent, place)
    assert (await _watch(parent))["presence"] == "online"
    await _switch_off(database, identity)
    clock.advance(days=30, seconds=-1)

    site = f"/v1/staff/sites/{place.site.site_id}"
    staff = await renewed(staff, database)
    await parent.log_in()
    shown = await _watch(parent)
    assert (shown["presence"], shown["state"]) == ("on_its_way", "offline")
    assert shown["on_its_way_since_at"] == shown["presence_since_at"] == paired_at.isoformat().replace("+00:00", "Z")
    assert not await _raises_silence(database, parent)
    assert (await staff.told("GET", f"{site}/triage"))["entries"] == []
    (row,) = (await staff.told("GET", f"{site}/watches"))["watches"]
    assert row["on_its_way_since_at"] == shown["on_its_way_since_at"]
    assert await _counts(database, place) == {"on_its_way"}
    async with database.begin() as work:
        assert await silent_families(work, place.site.site_id) == []

    clock.advance(seconds=1)
    assert not await _raises_silence(database, parent)
    (entry,) = (await staff.told("GET", f"{site}/triage", params={"locale": "vi"}))["entries"]
    assert (entry["kind"], entry["since_at"]) == ("not_arrived", shown["on_its_way_since_at"])
    assert "một tháng" in entry["advice"]
    assert await _counts(database, place) == {"not_arrived"}
    async with database.begin() as work:
        assert [family.states[-1] for family in await silent_families(work, place.site.site_id)] == ["not_arrived"]

    # A guardian's tap: from now on a silence is a silence.
    for _ in range(2):
        assert await parent.told("POST", f"{parent.child}/pairing/arrived") is None
    assert (await _watch(parent))["on_its_way_since_at"] is None
    assert await _counts(database, place) == {"silent_48_hours"}
    (entry,) = (await staff.told("GET", f"{site}/triage"))["entries"]
    assert entry["kind"] == "silent"
    assert await _raises_silence(database, parent)
    async with database.begin() as work:
        arrivals = await work.session.exec(
            select(Event.detail).where(col(Event.family_id) == parent.family_id, col(Event.kind) == "watch.arrived")
        )
        assert arrivals.all() == [{"by": "guardian"}]


@pytest.mark.parametrize(
    ("after", "use", "by"),
    [
        pytest.param(timedelta(0), _message, None, id="a message at the hand-out"),
        pytest.param(timedelta(0), _alert(AlertKind.SOS), None, id="an SOS at the hand-out"),
        pytest.param(timedelta(hours=12, seconds=-1), _message, None, id="a message after less than 12 h"),
        pytest.param(timedelta(hours=12), _message, "message", id="the first message after 12 h of silence"),
        pytest.param(timedelta(hours=12), _alert(AlertKind.SOS), "sos", id="an SOS"),
        pytest.param(timedelta(hours=12), _alert(AlertKind.UNREADABLE), "sos", id="a call that may be an SOS"),
        pytest.param(timedelta(hours=12), _alert(AlertKind.TAKEN_OFF), None, id="taken off is no use by the child"),
        pytest.param(timedelta(hours=12), _worn(60), "worn", id="an hour worn after 12 h"),
        pytest.param(timedelta(hours=12), _worn(25, 35), "worn", id="an hour worn in two periods"),
        pytest.param(timedelta(hours=12), _worn(59), None, id="tried on"),
        pytest.param(timedelta(hours=12, minutes=-2), _worn(60), None, id="worn before the journey"),
    ],
)
async def test_it_ends_by_the_childs_use_and_by_nothing_else(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, after: timedelta, use: Use, by: str | None
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)
    clock.advance(seconds=after.total_seconds())
    await _use(database, identity, use)
    if after:
        await parent.log_in()
    assert ((await _watch(parent))["on_its_way_since_at"] is None) == (by is not None)
    async with database.begin() as work:
        arrivals = await work.session.exec(
            select(Event.detail).where(col(Event.family_id) == parent.family_id, col(Event.kind) == "watch.arrived")
        )
        assert arrivals.all() == ([{"by": by}] if by else [])
        # This family did not consent to counting: the hour ends the state and is stored nowhere.
        worn = await work.session.exec(select(UsageReport.worn_s).where(col(UsageReport.family_id) == parent.family_id))
        assert set(worn.all()) <= {None}
    clock.advance(hours=24)
    assert await _raises_silence(database, parent) == (by is not None)


async def test_a_watch_that_is_never_silent_has_arrived_with_a_message_a_day_after_its_pairing(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)

    async def nothing(*_: Any) -> None:
        return None

    for number in range(3):
        # A child near the factory: the watch is on, and the first evening's messages may be trials.
        clock.advance(hours=8, seconds=-1)
        await _use(database, identity, nothing if number else _message)
        await parent.log_in()
        assert (await _watch(parent))["on_its_way_since_at"] is not None
    clock.advance(seconds=3)
    await _use(database, identity, _later_message)
    assert (await _watch(parent))["on_its_way_since_at"] is None


async def test_each_pairing_is_a_journey_of_its_own_and_without_a_watch_nothing_arrives(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    assert await parent.refused("POST", f"{parent.child}/pairing/arrived") == (409, "no_watch")
    await pair(parent, place)
    await parent.told("POST", f"{parent.child}/pairing/arrived")
    await parent.told("DELETE", f"{parent.child}/pairing")
    second = await pair(parent, place)
    assert (await _watch(parent))["on_its_way_since_at"] is not None
    await parent.told("POST", f"{parent.child}/pairing/arrived")
    assert (await _watch(parent))["on_its_way_since_at"] is None
    assert uuid.UUID(parent.child_id) == second.child_id
