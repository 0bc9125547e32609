"""A child's words and calls are never lost because of an advisory field; guardians learn of every alert."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from services.core.conversation.messages.tables import Message
from services.core.devices.alerts.answers import Answering, acknowledge_alert
from services.core.devices.alerts.tables import Alert
from services.core.devices.watches.queries import standing_identity
from services.core.platform.events.tables import Event
from tests.support.clock import FakeClock
from tests.support.watch import Stand

ID = "a5d8k2m1w3pzq7"
TST = 1795928981
TOPIC = "sw/v1/{user}/up/alert"


async def _alerts(stand: Stand, username: str) -> list[Alert]:
    async with stand.database.begin() as work:
        alerts = await work.session.exec(
            select(Alert).where(Alert.username == username).order_by(col(Alert.raised_at), col(Alert.alert_id))
        )
        return list(alerts)


async def _events(stand: Stand, family_id: object) -> list[str]:
    async with stand.database.begin() as work:
        events = await work.session.exec(
            select(Event).where(Event.family_id == family_id, Event.kind == "alert.raised").order_by(col(Event.seq))
        )
        return [str(entry.detail["kind"]) for entry in events]


# The fields of an SOS that were changed, and whether it can be dated.
CLOCKS = {
    "milliseconds": ('"tst":1795928981000', False),
    "microseconds": ('"tst":1795928981000000', False),
    "below zero": ('"tst":-1', False),
    "a string": ('"tst":"1795928981"', False),
    "a fraction": ('"tst":1795928981.5', False),
    "false": ('"tst":false', False),
    "not a number": ('"tst":NaN', False),
    "written .0": ('"tst":1795928981.0', True),
    "an exponent": ('"tst":1.795928981e9', True),
    "boot below zero": ('"tst":0,"boot":-1', False),
    "mono_s with a fraction": ('"tst":0,"mono_s":12.5', False),
}


@pytest.mark.parametrize("name", CLOCKS)
async def test_an_sos_with_a_clock_that_cannot_be_read_is_stored_undated(
    stand: Stand, clock: FakeClock, name: str
) -> None:
    fields, is_dated = CLOCKS[name]
    clock.now = datetime.fromtimestamp(TST, UTC)
    _, worn = await stand.home()
    clock.advance(seconds=5)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate"):
            await watch.say("alert", f'{{"id":"{ID}","kind":"sos",{fields}}}'.encode())
            receipt = await watch.hears("receipt")
            assert (receipt["ref"], receipt["code"]) == (ID, code)
    (alert,) = await _alerts(stand, worn.username)
    assert (alert.kind, alert.happened_at is not None) == ("sos", is_dated)
    assert alert.escalate_at is not None


@pytest.mark.parametrize("sent_id", ["a5d8k2m1", "a5d8k2m1_w3pz", "a5d8k2m1" * 5, 12345, "早安", None, True, ""])
async def test_an_sos_without_a_usable_id_is_stored_once_and_its_id_is_repeated_as_it_was_sent(
    stand: Stand, clock: FakeClock, sent_id: object
) -> None:
    _, worn = await stand.home()
    sos = {"kind": "sos", "tst": int(clock.now.timestamp())} | ({} if sent_id is None else {"id": sent_id})
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate"):
            await watch.say("alert", sos)
            receipt = await watch.hears("receipt")
            assert receipt["code"] == code
            is_no_id = sent_id is None or sent_id is True or not sent_id
            assert receipt["ref"] == (None if is_no_id else str(sent_id)[:36])
        # The same call a second later is another one.
        await watch.say("alert", {**sos, "tst": int(clock.now.timestamp()) + 1})
        assert (await watch.hears("receipt"))["code"] == "stored"
    assert [alert.kind for alert in await _alerts(stand, worn.username)] == ["sos", "sos"]


async def test_who_has_seen_an_alert_is_told_under_the_id_that_the_watch_sent(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.say("alert", {"id": "a5d8_k2", "kind": "sos"})
        await watch.hears("receipt")
        (alert,) = await _alerts(stand, worn.username)
        async with stand.database.begin() as work:
            await acknowledge_alert(work, home.child_id, alert.alert_id, Answering(home.guardian_id, ["sos"]))
        assert (await watch.hears("alert"))["ref"] == "a5d8_k2"


async def test_calls_without_id_and_clock_coincide_for_a_quarter_of_an_hour_and_no_longer(
    stand: Stand, clock: FakeClock
) -> None:
    _, worn = await stand.home()
    clock.now = datetime.fromtimestamp(-(-int(clock.now.timestamp()) // 900) * 900, UTC)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for wait_s, code in ((0, "stored"), (899, "duplicate"), (1, "stored")):
            clock.advance(seconds=wait_s)
            await watch.say("alert", {"kind": "sos"})
            assert (await watch.hears("receipt"))["code"] == code


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id":"a5d8k2m1w3pzq7","kind":"SOS"}',
        b'{"id":"a5d8k2m1w3pzq7","kind":" Sos "}',
        b'{"id":"a5d8k2m1w3pzq7","kind":"sos"}\x00',
        b'{"id":"a5d8k2m1w3pzq7","kind":"sos"}\r\n\x00stale bytes"}',
        b'\xef\xbb\xbf{"id":"a5d8k2m1w3pzq7","kind":"sos"}',
        b'{"id":"a5d8k2m1w3pzq7","kind":"sos","model":"caf\xe9"}',
        b'{"id":"a5d8k2m1w3pzq7","kind":"sos","location":{"lat":1e999,"lon":"x"}}',
    ],
)
async def test_an_sos_in_careless_json_is_an_sos(stand: Stand, payload: bytes) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", payload)
        receipt = await watch.hears("receipt")
        assert (receipt["ref"], receipt["code"]) == (ID, "stored")
    assert [alert.kind for alert in await _alerts(stand, worn.username)] == ["sos"]


@pytest.mark.parametrize(
    ("payload", "ref"),
    [
        (b"SOS", None),
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b'{"id":"a5d8k2m1w3pzq7","kind":"so', None),
        (b'[{"id":"a5d8k2m1w3pzq7","kind":"sos"}]', None),
        (b'{"id":"a5d8k2m1w3pzq7"}', ID),
        (b'{"id":"a5d8","kind":7}', "a5d8"),
        (b'{"id":"a5d8k2m1w3pzq7","kind":"help me!"}', ID),
        (b'{"id":"a5d8k2m1w3pzq7","kind":"sos","x":"' + b"y" * 66_000 + b'"}', None),
    ],
)
async def test_an_alert_that_cannot_be_read_is_told_to_the_guardians_and_escalated(
    stand: Stand, payload: bytes, ref: str | None
) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate"):
            await watch.say("alert", payload)
            receipt = await watch.hears("receipt")
            assert (receipt["ref"], receipt["code"]) == (ref, code)
    (alert,) = await _alerts(stand, worn.username)
    assert (alert.kind, alert.happened_at) == ("unreadable", None)
    assert alert.escalate_at is not None
    assert await _events(stand, home.family_id) == ["unreadable"]


async def test_an_alert_of_a_later_version_is_told_now_and_kept_by_the_watch(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for _ in range(2):
            await watch.say("alert", {"id": ID, "kind": "flood"})
            receipt = await watch.hears("receipt")
            assert (receipt["ref"], receipt["code"]) == (ID, "retry")
    assert [alert.kind for alert in await _alerts(stand, worn.username)] == ["unreadable"]
    assert await _events(stand, home.family_id) == ["unreadable"]


async def test_an_unreadable_place_is_not_in_what_is_stored_of_an_alert_without_an_id(stand: Stand) -> None:
    _, worn = await stand.home()
    payload = b'{"kind":"sos","location":{"lat":23.02,"lon":113.75'
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("alert", payload)
        await watch.hears("receipt")
    (alert,) = await _alerts(stand, worn.username)
    assert alert.ref is not None
    assert not hashlib.sha256(payload).hexdigest().startswith(alert.ref)


@pytest.mark.parametrize(
    "clock_fields", [{"tst": TST * 1000}, {"tst": -1}, {"tst": "now"}, {"boot": -1, "mono_s": 12.5}, {"tst": 1.5}]
)
async def test_a_text_whose_clock_is_out_of_range_is_stored(stand: Stand, clock_fields: dict[str, object]) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("text", {"id": "t81kd02mq7zr", "to": "family", "text": "hi", **clock_fields})
        receipt = await watch.hears("receipt")
        assert (receipt["ref"], receipt["code"]) == ("t81kd02mq7zr", "stored")
    async with stand.database.begin() as work:
        (message,) = await work.session.exec(select(Message).where(Message.child_id == home.child_id))
        assert message.sent_at is None


async def test_a_clip_with_capitals_in_its_hash_and_numbers_written_as_floats_is_stored(stand: Stand) -> None:
    _, worn = await stand.home()
    sound = b"#!AMR\n" + b"\x00" * 594
    end = {
        "to": "family", "codec": "amr-nb", "bytes": 600.0, "chunks": 1.0,
        "sha256": hashlib.sha256(sound).hexdigest().upper(), "duration_ms": -4400, "tst": TST * 1000,
    }  # fmt: skip
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("voice/k3m9q2x7d5fa/0", sound)
        await watch.say("voice/k3m9q2x7d5fa/end", json.dumps(end).encode())
        receipt = await watch.hears("receipt")
        assert (receipt["ref"], receipt["code"]) == ("k3m9q2x7d5fa", "stored")


async def test_a_hello_with_long_labels_and_a_clock_in_milliseconds_connects_the_watch(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(
            firmware="x" * 70, model=7, iccid="?", tst=TST * 1000, battery_pct=300, plays=["amr-nb", 7], keepalive_s=1,
            contacts_version=-1,
        )  # fmt: skip
    async with stand.database.begin() as work:
        identity = await standing_identity(work, worn.username)
        assert identity is not None
        assert (identity.online, identity.presence.clock_skew_s) == (True, None)
        assert (identity.hello["firmware"], identity.hello["model"]) == ("x" * 64, "")
