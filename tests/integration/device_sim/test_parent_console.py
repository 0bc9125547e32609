"""The parent's app as lines: the first evening typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.core.platform.db.database import Database
from services.device_sim.console.parent import ParentConsole
from services.device_sim.parent.parent import SimParent
from tests.integration.device_sim.api_server import Server, mother_of
from tests.integration.device_sim.typist import Typist
from tests.support.clock import FakeClock
from tests.support.http import code_in, enrol_family, new_phone, sms_to
from tests.support.sounds import duration_ms, encoded


async def test_the_first_evening_typed_by_hand(
    server: Server, database: Database, clock: FakeClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = new_phone()
    await enrol_family(database, phone)
    async with SimParent(server.url, tmp_path) as parent:
        console = ParentConsole(parent, phone=phone, sms_file=None)
        typist = Typist(console, capsys)
        assert "Log in first" in await typist.types("me", fails=True)
        assert f"login {phone} CODE" in await typist.types("login")
        code = code_in((await sms_to(database, phone))[-1])
        assert "consent yes" in await typist.types(f"login {phone} {code}")
        assert "consent_required" in await typist.types("child Mei", fails=True)
        assert "messages" in await typist.types("consent")
        assert "agreed to messages" in await typist.types("consent yes")
        await typist.types("name 妈妈")
        assert "1. Mei: no watch" in await typist.types("child Mei 2017")
        clock.advance(minutes=1)
        await typist.types("child Lan Anh")
        assert "→ 2. Lan Anh" in await typist.types("child")
        await typist.types("use 1")
        assert "1 to 2" in await typist.types("use 9", fails=True)

        assert "Teacher Li: approved" in await typist.types("add teacher +8613900139000 Teacher Li")
        assert "1. Teacher Li" in await typist.types("order 2 1")
        await typist.types("remove 1")
        assert "Teacher Li" not in await typist.types("contacts")
        assert "usage" in await typist.types("invite", fails=True)
        grandmother = new_phone()
        await typist.types(f"invite {grandmother} grandmother message")
        assert f"invited: {grandmother} (grandmother)" in await typist.types("guardians")

        assert "pairing_code_unknown" in await typist.types("pair 000000", fails=True)
        assert "queued" in await typist.types("write good night")
        await typist.types("follow")
        assert "queued" in await typist.types("emoji moon")
        await typist.types("wait message.created")
        history = await typist.types("history")
        assert "1. 妈妈: good night  [Mei: queued]" in history
        assert "2. 妈妈: 🌙" in history
        assert "not_paired" in await typist.types("unpair", fails=True)
        await typist.types("unfollow")
        assert "0 sent" in await typist.types("send-waiting")
        await typist.types("logout")
        await typist.types("history", fails=True)
        await console.close()


async def test_voice_typed_by_hand(
    server: Server, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    webm, saved = tmp_path / "night night.webm", tmp_path / "heard.m4a"
    webm.write_bytes(encoded("webm", 1.5))
    async with mother_of(server, database, tmp_path / "phone") as (parent, _):
        typist = Typist(ParentConsole(parent, phone=None, sms_file=None), capsys)
        assert "usage: speak" in await typist.types("speak", fails=True)
        assert "No such file" in await typist.types("speak nothing.wav", fails=True)
        assert "at most 60 seconds" in await typist.types("speak 61", fails=True)
        assert "queued" in await typist.types(f"speak {webm}")
        assert "queued" in await typist.types("speak-in-parts 3")
        assert "queued" in await typist.types("write good night")
        history = await typist.types("history")
        assert re.search(r"1\. .*: \[voice 1\.5 s [▁▂▃▄▅▆▇█]{44}\]  \[Mei: queued\]", history)
        assert re.search(r"2\. .*: \[voice 3\.0 s [▁▂▃▄▅▆▇█]{44}\]", history)
        assert "bytes → " in await typist.types(f"save 1 {saved}")
        assert abs(duration_ms(saved.read_bytes()) - 1500) < 150
        assert "kept" in await typist.types("keep 1")
        assert "no voice message" in await typist.types("keep 3", fails=True)
        assert "Mei: 0 not read, 0 recordings not played" in await typist.types("unread")
        assert "audio_not_readable" in await typist.types(f"speak {__file__}", fails=True)
