"""The page of the watch on the screen: who is let in, what it may ask for, its wire log, its training."""

from __future__ import annotations

import json
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from services.device_sim.console.serve import ENVIRONMENT, app
from services.device_sim.screen.desk import Desk, clip_of
from services.device_sim.screen.page import BUILT, POLICY, Page
from services.device_sim.screen.training import STEPS, Moment, Training
from services.device_sim.screen.wire_log import DOWN, UP, Entry, LoggedLine, WireLog
from services.device_sim.sound import SoundRefusedError, wav_of
from services.device_sim.speech import RATE_HZ
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.line import PublishPacket
from services.device_sim.watch.mqtt_packets import Published
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import Codec

HOST = "127.0.0.1:8999"
SECRET = "secret-of-this-run"
ADMITTED = {"authorization": f"Bearer {SECRET}"}
PREFIX = "sw/v1/w-7k3q2v2m4x5d"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A watch without a broker."""

    def make(line: LoggedLine, traits: WatchTraits) -> SimWatch:
        return SimWatch(
            tmp_path / "watch", "127.0.0.1", 1, serial="SCREEN01", secret="secret-of-a-test", timings=Timings.quick(),
            line=line, traits=traits,
        )  # fmt: skip

    desk = Desk(make)
    await desk.start()
    yield desk
    await desk.stop()


@pytest_asyncio.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    page = Page(desk, SECRET, frozenset({HOST}))
    transport = httpx.ASGITransport(page)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        yield client


async def _code(client: httpx.AsyncClient, body: Any, **headers: str) -> tuple[int, str | None]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await client.post("/api/do", content=content, headers={**ADMITTED, **headers})
    return answer.status_code, answer.json().get("code")


async def test_the_page_comes_without_the_secret_and_everything_else_needs_it(client: httpx.AsyncClient) -> None:
    page = await client.get("/watch")
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    for name in (
        "watch.js",
        "watch.css",
        "icon.svg",
        *(f"locale.{locale}.json" for locale in ("en", "zh-Hans", "vi", "tr")),
    ):
        assert (await client.get(f"/web/{name}")).status_code == 200, name
    assert (await client.get("/web/..%2Fstaff.js")).status_code == 404
    for route in ("GET /api/live", "POST /api/do", "POST /api/recordings", "GET /api/sounds/a"):
        for authorization in (b"", b"Bearer wrong", b"Bearer \xff"):
            answer = await client.request(*route.split(), headers=[(b"authorization", authorization)])
            assert (answer.status_code, answer.json()) == (401, {"code": "secret_wrong"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "rebound.example:8999"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"origin": "http://127.0.0.1:8080"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}, 200),
    ],
)
async def test_other_names_and_other_pages_are_refused_even_with_the_secret(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await _code(client, {"do": "train"}, **headers))[0] == status
    assert (await client.get("/watch", headers=headers)).status_code == status


async def test_a_malformed_action_has_a_code_and_changes_nothing(client: httpx.AsyncClient, desk: Desk) -> None:
    before = desk.view()
    malformed: tuple[Any, ...] = (
        b"", b"\xff", [], {"do": "fly"}, {"do": "battery", "pct": 101}, {"do": "network", "on": True, "x": 1},
        {"do": "open", "ref": "unknown"}, {"do": "codec", "codec": "mp3"},
    )  # fmt: skip
    for body in malformed:
        assert await _code(client, body) == (422, "unknown_action")
    assert await _code(client, b" " * 5_000) == (413, "too_large")
    # An unpaired watch neither writes, nor records, nor calls for help.
    for press in ({"do": "emoji", "to": "family", "word": "heart"}, {"do": "sos"}):
        assert await _code(client, press) == (409, "watch_refused")
    answer = await client.post("/api/recordings?to=family", content=b"RIFF", headers=ADMITTED)
    assert (answer.status_code, answer.json()["code"]) == (409, "watch_refused")
    assert (await client.get("/api/sounds/unknown", headers=ADMITTED)).status_code == 404
    assert desk.view() == before


async def test_a_flat_watch_does_nothing_until_it_is_charged(client: httpx.AsyncClient, desk: Desk) -> None:
    assert await _code(client, {"do": "network", "on": False}) == (200, None)
    assert await _code(client, {"do": "battery", "pct": 0}) == (200, None)
    assert desk.view()["watch"] is None
    assert await _code(client, {"do": "sos"}) == (409, "no_power")
    assert await _code(client, {"do": "battery", "pct": 80}) == (200, None)
    # The same watch, and the network is still switched off.
    seen = desk.view()
    assert (seen["watch"]["serial"], seen["battery_pct"], seen["network"]) == ("SCREEN01", 80, False)


def _answers(log: WireLog) -> dict[str, str | None]:
    entries: dict[int, Entry] = {entry.number: entry for entry in log.entries()}
    return {
        f"{entry.direction} {entry.level}": entries[entry.answered_by].level if entry.answered_by is not None else None
        for entry in entries.values()
    }


def test_the_log_pairs_each_message_with_what_answered_it() -> None:
    log = WireLog()
    talk = [
        (UP, "hello", {"protocol": 1}), (DOWN, "time", {"tst": 1}),
        (UP, "text", {"id": "t81kd02mq7zr"}), (DOWN, "receipt", {"ref": "t81kd02mq7zr", "code": "stored"}),
        (UP, "voice/k3m9q2x7d5fa/end", {"to": "family"}), (UP, "status", {"state": "online"}),
        (DOWN, "receipt", {"ref": "k3m9q2x7d5fa", "code": "stored"}),
        (DOWN, "contacts", {"version": 3}), (UP, "ack", {"ref": "contacts", "version": 3, "state": "done"}),
        (DOWN, "item/9f2c81aa", {"seq": 12}), (UP, "fetch", {"ref": "9f2c81aa", "from": 0}),
        (DOWN, "item/9f2c81aa/0", None),
        (UP, "receipt", {"ref": "9f2c81aa", "state": "played"}),
        (DOWN, "receipt", {"ref": "9f2c81aa", "state": "played", "code": "stored"}),
        (DOWN, "command", {"id": "c4", "kind": "locate"}), (UP, "location", {"id": "l7f3k2m1x9qd", "reply_to": "c4"}),
    ]  # fmt: skip
    for direction, level, fields in talk:
        payload = b"\x00" * 700 if fields is None else json.dumps(fields).encode()
        log.add(direction, f"{PREFIX}/{direction}/{level}", payload, lost=False)
    assert _answers(log) == {
        "up hello": "time", "down time": None, "up text": "receipt", "down receipt": None,
        "up voice/k3m9q2x7d5fa/end": "receipt", "up status": None, "down contacts": "ack", "up ack": None,
        "down item/9f2c81aa": "fetch", "up fetch": "item/9f2c81aa/0", "down item/9f2c81aa/0": None,
        "up receipt": "receipt", "down command": "location", "up location": None,
    }  # fmt: skip


def test_the_log_shows_no_password_and_survives_every_frame() -> None:
    log = WireLog()
    credentials = {"username": "w-7k3q2v2m4x5d", "password": "hunter2-hunter2"}
    paired = {"paired": True, "child_name": "Mei", "credentials": credentials}
    log.add(DOWN, "sw/v1/f-SCREEN01/down/pairing", json.dumps(paired).encode(), lost=False)
    assert "hunter2" not in json.dumps([entry.as_json() for entry in log.entries()])
    for topic in ("", "a/b", f"{PREFIX}/down/receipt", f"{PREFIX}/down/item/9f2c81aa", f"{PREFIX}/down/new_kind"):
        for payload in (b"", b"\xff\xfe", b"[1, null]", b'{"refs": 5, "ref": {}, "state": []}', b"7", b"[" * 5_000):
            for direction in (UP, DOWN):
                log.add(direction, topic, payload, lost=False)
    assert len(log.entries()) == 61
    assert log.entries()[-1].fault is not None


def test_what_a_fault_drops_is_logged_as_lost() -> None:
    log = WireLog()
    line = LoggedLine(log)
    line.set("drop", times=1)
    assert line.outgoing(PublishPacket(f"{PREFIX}/up/status", b'{"state":"online"}')) == ()
    line.set("lost_receipts")
    assert line.incoming(Published(f"{PREFIX}/down/receipt", b'{"ref":"hello"}', None, retained=False)) == ()
    assert [(entry.direction, entry.lost) for entry in log.entries()] == [(UP, True), (DOWN, True)]


def test_the_training_passes_what_holds_and_waits_for_the_rest_in_order() -> None:
    holding: set[Moment] = {Moment.PAIRED}
    training = Training(lambda moment: moment in holding)
    assert training.as_json() is None
    training.begin()
    assert training.as_json() == {"step": "contacts", "number": 2, "of": len(STEPS)}
    training.see(Moment.SPOKEN)
    assert training.as_json() == {"step": "contacts", "number": 2, "of": len(STEPS)}
    for moment in (
        Moment.CONTACTS, Moment.SPOKEN, Moment.OPENED, Moment.SOS_SEEN, Moment.ONLINE, Moment.NETWORK_LOST,
        Moment.ONLINE, Moment.FLAT,
    ):  # fmt: skip
        training.see(moment)
    assert training.as_json() == {"step": "flat", "number": 7, "of": len(STEPS)}
    training.skip()
    assert training.as_json() == {"step": None, "number": 7, "of": len(STEPS)}
    training.skip()
    training.end()
    assert training.as_json() is None


@pytest.mark.parametrize("codec", Codec)
def test_a_recording_ends_after_a_minute_as_on_the_watch(codec: Codec) -> None:
    minute_and_more = wav_of(array("h", [0]) * (61 * RATE_HZ))
    clip = clip_of(minute_and_more, codec)
    assert (clip.codec, clip.duration_ms) == (codec, 60_000)
    assert clip.sound.startswith(b"#!AMR\n" if codec is Codec.AMR_NB else b"OggS")
    with pytest.raises(SoundRefusedError):
        clip_of(b"no sound at all", codec)


def test_each_step_has_words() -> None:
    words = json.loads((BUILT / "locale.en.json").read_text(encoding="utf-8"))
    assert {f"{part}.{step.name}" for step in STEPS for part in ("train", "train_staff")} <= words.keys()


def test_production_has_no_watch_on_the_screen(tmp_path: Path) -> None:
    arguments = ["--state", str(tmp_path / "watch"), "--serial", "SCREEN01", "--secret", "secret-of-a-test"]
    ran = CliRunner().invoke(app, arguments, env={ENVIRONMENT: "production"})
    assert ran.exit_code == 2
    assert "not with settings of production" in ran.output
    assert not (tmp_path / "watch").exists()
