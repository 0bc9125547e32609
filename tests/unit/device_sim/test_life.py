"""Battery, days, errors of fixes, quirks and modems of a simulated watch."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.device_sim.console.watch import WatchConsole
from services.device_sim.scenario.document import seconds_until
from services.device_sim.sound import SoundRefusedError, encoded_clip, record_clip, samples_of
from services.device_sim.speech import speech
from services.device_sim.watch.battery import Battery
from services.device_sim.watch.body import Fix
from services.device_sim.watch.day_plan import RecordedRoute, SchoolDay
from services.device_sim.watch.faults import FaultRefusedError, FaultyLine
from services.device_sim.watch.fix_errors import ERRORS, Spot
from services.device_sim.watch.gpx import TrackPoint
from services.device_sim.watch.modems import MODEMS
from services.device_sim.watch.quirks import QUIRKS, changed
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.codec import decode_json
from services.protocol.location import Location
from services.protocol.uplink import Alert, Hello
from services.protocol.words import AlertKind, Codec

_MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
_HELLO = b'{"conn":"n1","tst":1900000000,"boot":3,"mono_s":7,"battery_pct":61}'


def test_a_battery_runs_down_warns_once_ends_and_starts_again() -> None:
    battery = Battery(20.0, runs_down=True)
    turns = []
    for _ in range(24 * 6):
        battery.pass_time(600, online=True, asleep=False)
        turns.append(battery.turned())
    assert [turn for turn in turns if turn] == ["low", "flat"]
    assert battery.level_pct == 0
    battery.is_charging = True
    for _ in range(24):
        battery.pass_time(600, online=False, asleep=False)
        turns.append(battery.turned())
    assert [turn for turn in turns if turn] == ["low", "flat", "starts"]
    assert battery.level_pct == 100
    searching, asleep = Battery(90.0, runs_down=True), Battery(90.0, runs_down=True)
    searching.pass_time(3600, online=False, asleep=False)
    asleep.pass_time(3600, online=False, asleep=True)
    assert searching.level_pct < asleep.level_pct < 90
    resting = Battery(50.0)
    resting.pass_time(86_400, online=True, asleep=False)
    assert resting.level_pct == 50


def test_a_school_day_goes_there_and_back_and_a_route_ends_where_it_ended() -> None:
    plan = SchoolDay(home=(23.0, 113.0), school=(23.2, 113.4))
    spots = [plan.spot(_MONDAY + timedelta(minutes=minute)) for minute in (400, 465, 600, 975, 1200)]
    assert [spot.name for spot in spots] == ["home", "", "school", "", "home"]
    assert spots[1].lat == pytest.approx(23.1)
    assert plan.spot(_MONDAY + timedelta(days=5, minutes=600)).name == "home"  # Saturday
    assert [plan.is_worn(_MONDAY + timedelta(hours=hour)) for hour in (3, 8, 20, 21)] == [False, True, True, False]
    assert plan.is_charged(_MONDAY + timedelta(hours=3))
    track = [TrackPoint(_MONDAY + timedelta(minutes=10 * n), Fix(23.0 + n, 113.0)) for n in range(3)]
    route = RecordedRoute(track, _MONDAY)
    assert [route.spot(_MONDAY + timedelta(minutes=m)).lat for m in (0, 5, 20, 999)] == [23.0, 23.5, 25.0, 25.0]


def test_a_wrong_wifi_table_names_the_same_wrong_place_each_time() -> None:
    source = random.Random(3)
    school = Spot(23.0254, 113.7646, "school")
    fixes = [ERRORS["wrong-wifi"].measured(school, source, seed=4) for _ in range(300)]
    far = {(fix.lat, fix.lon) for fix in fixes if fix is not None and abs(fix.lat - school.lat) > 0.01}
    far |= {(fix.lat, fix.lon) for fix in fixes if fix is not None and abs(fix.lon - school.lon) > 0.01}
    assert len(far) == 1
    assert fixes.count(None) > 20
    open_sky = [ERRORS["city"].measured(Spot(23.0, 113.0), source) for _ in range(300)]
    assert max(abs(fix.lat - 23.0) * 111_320 for fix in open_sky if fix is not None) < 40
    assert {fix.source for fix in open_sky if fix is not None} == {"gps"}


def test_every_quirk_leaves_a_message_that_the_contract_accepts() -> None:
    place = (
        b'{"_type":"location","id":"t81kd02mq7zr","lat":23.0254321,"lon":113.7646,"acc":18,"batt":61,"tst":1900000000}'
    )
    alert = b'{"id":"t81kd02mq7zr","kind":"sos","tst":1900000000,"boot":3}'
    for name in QUIRKS:
        assert decode_json(changed(_HELLO, [name]), Hello).conn == "n1"
        assert decode_json(changed(place, [name]), Location).id == "t81kd02mq7zr"
        assert decode_json(changed(alert, [name]), Alert).kind == AlertKind.SOS
        assert any(changed(given, [name]) != given for given in (_HELLO, place, alert)), name
    array = json.loads(changed(b"[" + place + b"]", ["coarse-places"]))
    assert array[0]["lat"] == 23.025
    assert changed(b"\x00sound", list(QUIRKS)) == b"\x00sound"
    with pytest.raises(FaultRefusedError, match="there is no quirk 'moody'"):
        FaultyLine().set_quirks(["moody"])


def test_a_modem_stays_when_faults_are_cleared() -> None:
    line = FaultyLine()
    line.set_modem(MODEMS["2g-1500"])
    line.set("rate", bytes_s=100)
    line.clear()
    assert line._bottleneck.bytes_s == MODEMS["2g-1500"].bytes_s  # noqa: SLF001 - what passes has no other face
    assert line._is_too_large(b"x" * 1501)  # noqa: SLF001
    assert not line._is_too_large(b"x" * 1500)  # noqa: SLF001


def test_an_encoded_file_is_sent_as_it_is() -> None:
    for codec in (Codec.AMR_NB, Codec.OPUS):
        made = record_clip(speech(2, seed=1), codec)
        clip = encoded_clip(made.sound)
        assert (clip.codec, clip.sound) == (codec, made.sound)
        assert abs(clip.duration_ms - 2000) < 100
        assert abs(len(samples_of(clip.sound)) - 16_000) < 800
    broken = encoded_clip(b"#!AMR\nno frames at all")
    assert (broken.codec, broken.duration_ms) == (Codec.AMR_NB, 0)
    with pytest.raises(SoundRefusedError, match="neither AMR-NB"):
        encoded_clip(b"RIFF....WAVE")


async def test_a_watch_lives_through_days_that_pass_at_once(tmp_path: Path) -> None:
    now_s = _MONDAY.timestamp()
    watch = SimWatch(
        tmp_path, "127.0.0.1", 1, serial="LIFE0001", secret="secret", timings=Timings.quick(),
        right_clock=lambda: now_s, clock=lambda: now_s,
    )  # fmt: skip
    async with watch:
        watch.life.run_down(runs=True)
        now_s += 30 * 3600
        await watch.wait_for("battery_flat")
        watch.life.charge(charging=True)
        now_s += 3600
        await watch.wait_for("restarted")
        assert 10 < watch.life.battery.level_pct < 30
    again = SimWatch(tmp_path, "127.0.0.1", 1, right_clock=lambda: now_s, clock=lambda: now_s)
    async with again:
        assert 10 < again.life.battery.level_pct < 30


def test_a_moment_of_the_week_is_the_next_one() -> None:
    noon = _MONDAY + timedelta(hours=12)
    for moment, hours in (("13:00", 1), ("12:00", 24), ("11:00", 23), ("Mon 12:00", 168), ("Tue 12:00", 24)):
        assert seconds_until(moment, noon) == hours * 3600


async def test_the_commands_of_a_watchs_life_say_what_they_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = FaultyLine()
    watch = SimWatch(tmp_path, "127.0.0.1", 1, serial="LIFE0001", secret="secret", line=line)
    async with watch:
        console = WatchConsole(watch, show_qr=False, line=line).console
        done = (
            "battery 50", "battery", "battery runs", "battery rests", "battery charge", "battery unplug", "wear no",
            "wear yes", "day school", "day school city 23 113 23.1 113.1", "day off", "modem 2g", "quirk undated",
            "quirk none", "quirk", "doze 1 2", "doze off", "clock drift 30",
        )  # fmt: skip
        refused = {
            "battery 101": "a number from 1 to 100", "wear perhaps": "usage: wear", "day work": "usage: day school",
            "day school city 1 2 3": "usage: day school", "day school city a b c d": "four numbers",
            "modem 6g": "modem one of: 2g", "quirk moody": "there is no quirk", "doze soon": "usage: doze",
            "send-file family nothing.amr": "not paired", "save 1 x": "there is nothing with a number",
            "route nowhere.gpx": "nowhere.gpx",
        }  # fmt: skip
        for text in done:
            assert await console.run_line(text), text
        assert "50.0 %" in capsys.readouterr().out
        for text, reason in refused.items():
            assert not await console.run_line(text), text
            assert reason in capsys.readouterr().out, text
        assert watch.life.plan is None
        assert list(line.quirks) == []
