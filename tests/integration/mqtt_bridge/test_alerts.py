"""A watch that calls is heard once, answered always, and told who has seen it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from services.core.devices.alerts.answers import Answering, acknowledge_alert, keep_calling, note_cannot_help
from services.core.devices.alerts.rules import BACKEND_KINDS, AlertKind
from services.core.devices.alerts.tables import Alert
from services.core.pairing.actions import unpair_child
from services.core.pairing.rules import UnpairReason
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.tables import Event
from services.core.platform.idempotency.tables import Uplink
from services.worker.escalation import EscalationLoop
from tests.support.clock import FakeClock
from tests.support.watch import Stand

PLACE = {"lat": 23.02, "lon": 113.75, "acc": 18, "source": "gps"}
SOS = {"id": "a5d8k2m1w3pz", "kind": "sos", "location": PLACE}
ALL_KINDS = [kind.value for kind in AlertKind]
AnswerOf = Callable[[UnitOfWork, uuid.UUID, uuid.UUID, Answering], Awaitable[Alert]]


async def _alerts(stand: Stand, username: str) -> list[Alert]:
    async with stand.database.begin() as work:
        alerts = await work.session.exec(
            select(Alert).where(Alert.username == username).order_by(col(Alert.raised_at), col(Alert.ref))
        )
        return list(alerts)


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind not in BACKEND_KINDS])
async def test_every_kind_is_stored_once_and_a_repeat_is_a_duplicate(stand: Stand, kind: str) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate", "duplicate"):
            await watch.say("alert", {**SOS, "kind": kind})
            answer = await watch.hears("receipt")
            assert (answer["ref"], answer["code"]) == (SOS["id"], code)
        assert [alert.kind for alert in await _alerts(stand, worn.username)] == [kind]


async def test_an_sos_and_what_takes_it_back_are_both_kept(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", {**SOS, "id": "a5d8k2m1w3p1"})
        await watch.hears("receipt")
        await watch.say("alert", {"id": "a5d8k2m1w3p2", "kind": "sos_cancelled"})
        assert (await watch.hears("receipt"))["code"] == "stored"
    kept = await _alerts(stand, worn.username)
    assert [row.kind for row in kept] == ["sos", "sos_cancelled"]
    assert kept[0].escalate_at is not None, "only a person's word ends the calling of guardians"


async def test_another_kind_under_the_same_id_is_a_conflict(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", SOS)
        await watch.hears("receipt")
        await watch.say("alert", {**SOS, "kind": "sos_cancelled"})
        answer = await watch.hears("receipt")
        assert (answer["code"], answer["detail"]) == ("rejected", "id_conflict")


async def test_without_consent_nothing_of_its_place_is_kept_with_an_alert(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", SOS)
        await watch.hears("receipt")
        # Not even as a digest: with another place it is the same alert.
        await watch.say("alert", {**SOS, "location": {**PLACE, "lat": 1.5}})
        assert (await watch.hears("receipt"))["code"] == "duplicate"
        await watch.say("alert", {**SOS, "id": "a5d8k2m1w3p2", "location": {"lat": "nowhere"}})
        assert (await watch.hears("receipt"))["code"] == "stored"
    async with stand.database.begin() as work:
        uplinks = (await work.session.exec(select(Uplink).where(Uplink.username == worn.username))).all()
    rows = [alert.model_dump_json() for alert in (*uplinks, *await _alerts(stand, worn.username))]
    assert len(rows) == 4
    assert not [row for row in rows if "23.02" in row or "113.75" in row]


async def test_the_watch_is_told_who_has_seen_it_at_once_and_again_at_hello(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.say("alert", SOS)
        await watch.hears("receipt")
        (alert,) = await _alerts(stand, worn.username)
        async with stand.database.begin() as work:
            await acknowledge_alert(work, home.child_id, alert.alert_id, Answering(home.guardian_id, ALL_KINDS))
        seen = {"ref": SOS["id"], "seen_by": "g-1", "tst": int(clock.now.timestamp()), "topic": "alert"}
        assert await watch.hears("alert") == seen
        clock.advance(seconds=30)
        await watch.hello(conn="n2")
        assert await watch.hears("alert") == seen
        clock.advance(hours=24)
        await watch.hello(conn="n3")
        await watch.say("text", {"id": "t81kd02mq7zr", "to": "family", "text": "hi"})
        assert "alert" not in await watch.leaves_until("receipt")


async def test_a_watch_that_knows_states_is_told_what_becomes_of_its_call(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    calling = EscalationLoop(stand.database)

    def tst(seconds_ago: int = 0) -> int:
        return int(clock.now.timestamp()) - seconds_ago

    async def answer(*answers: tuple[AnswerOf, int]) -> None:
        for answer_of, seconds_ago in answers:
            tapped_at = clock.now - timedelta(seconds=seconds_ago)
            async with stand.database.begin() as work:
                by = Answering(home.guardian_id, ALL_KINDS, tapped_at)
                await answer_of(work, home.child_id, alert.alert_id, by)

    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(alert_states=True)
        await watch.say("alert", SOS)
        await watch.hears("receipt")
        (alert,) = await _alerts(stand, worn.username)
        begun = {"ref": SOS["id"], "topic": "alert"}
        await calling.escalate_all()
        assert await watch.hears("alert") == {**begun, "state": "calling", "tst": tst()}
        # A press during the calls is told the same.
        await watch.say("alert", {"id": "a5d8k2m1w3p2", "kind": "sos"})
        assert await watch.hears("alert") == {**begun, "ref": "a5d8k2m1w3p2", "state": "calling", "tst": tst()}
        clock.advance(seconds=10)
        await answer((note_cannot_help, 5))
        assert await watch.hears("alert") == {**begun, "state": "seen", "seen_by": "g-1", "tst": tst(5)}
        clock.advance(seconds=60)
        await calling.escalate_all()
        heard = [await watch.hears("alert") for _ in range(2)]
        assert {receipt["ref"]: (receipt["state"], receipt["tst"]) for receipt in heard} == {
            SOS["id"]: ("unanswered", tst()), "a5d8k2m1w3p2": ("unanswered", tst()),
        }  # fmt: skip
        # At hello the state that holds now is told again, nothing of what was before.
        clock.advance(seconds=20)
        await watch.hello(conn="n2", alert_states=True)
        heard = [await watch.hears("alert") for _ in range(2)]
        assert {(receipt["state"], receipt["tst"]) for receipt in heard} == {("unanswered", tst(20))}
        clock.advance(minutes=2)
        await answer((acknowledge_alert, 100))
        # More than a minute late: its own time shows that it is no news.
        assert await watch.hears("alert") == {**begun, "state": "seen", "seen_by": "g-1", "tst": tst(100)}
        await answer((keep_calling, 0))
        assert (await watch.hears("alert"))["state"] == "calling"


async def test_a_watch_without_states_is_told_only_who_takes_care_and_no_old_news(
    stand: Stand, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        for ref, seconds_ago in (("a5d8k2m1w3p1", 61), ("a5d8k2m1w3p2", 60)):
            await watch.say("alert", {"id": ref, "kind": "sos"})
            await watch.hears("receipt")
            clock.advance(seconds=61)
            await EscalationLoop(stand.database).escalate_all()
            alert = (await _alerts(stand, worn.username))[-1]
            async with stand.database.begin() as work:
                by = Answering(home.guardian_id, ALL_KINDS, clock.now - timedelta(seconds=seconds_ago))
                await note_cannot_help(work, home.child_id, alert.alert_id, by)
                await acknowledge_alert(work, home.child_id, alert.alert_id, by)
        seen = {"ref": "a5d8k2m1w3p2", "seen_by": "g-1", "tst": int(clock.now.timestamp()) - 60, "topic": "alert"}
        assert await watch.hears("alert") == seen


async def test_a_battery_that_hello_tells_to_be_low_calls_once_a_descent(stand: Stand, clock: FakeClock) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for level_pct in (20, 15, 12, 3):
            await watch.hello(battery_pct=level_pct)
        assert [alert.kind for alert in await _alerts(stand, worn.username)] == ["low_battery"]
        clock.advance(hours=7)
        for level_pct in (100, 14):
            await watch.hello(battery_pct=level_pct)
        assert [alert.kind for alert in await _alerts(stand, worn.username)] == ["low_battery"] * 2


async def test_a_batch_of_alerts_from_days_without_network_is_kept_whole(stand: Stand) -> None:
    _, worn = await stand.home()
    ids = [f"a5d8k2m1w{number:03}" for number in range(20)]
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate"):
            for ref in ids:
                await watch.say("alert", {"id": ref, "kind": "sos"})
            receipts = [await watch.hears("receipt") for _ in ids]
            assert [(receipt["ref"], receipt["code"]) for receipt in receipts] == [(ref, code) for ref in ids]
    assert [alert.ref for alert in await _alerts(stand, worn.username)] == ids


async def test_the_alert_of_a_watch_whose_pairing_has_ended_is_refused(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        async with stand.database.begin() as work:
            await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.RETURNED)
        await watch.say("alert", SOS)
        answer = await watch.hears("receipt")
        assert (answer["code"], answer["detail"]) == ("rejected", "not_paired")
    assert await _alerts(stand, worn.username) == []


async def test_what_guardians_are_told_of_an_alert_is_ids_and_kinds(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", SOS)
        await watch.hears("receipt")
    async with stand.database.begin() as work:
        events = await work.session.exec(
            select(Event).where(Event.family_id == home.family_id, Event.kind == "alert.raised")
        )
        event = events.one()
    assert (event.kind, event.child_id) == ("alert.raised", home.child_id)
    assert isinstance(event.ref_id, uuid.UUID)
    assert json.dumps(event.detail) == '{"kind": "sos"}'
