"""Quiet hours and shifts on the watch, by its own clock: messages come silently, an SOS never waits, shifts end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.device_sim.console.watch import WatchConsole
from services.device_sim.watch.watch import SimWatch
from tests.integration.device_sim.scripted_backend import PATIENT, Bench

SCHOOL = {"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "16:30"}
# From Saturday's and Sunday's evening into the morning after.
NIGHT = {"days": [6, 7], "from": "21:00", "to": "02:30"}


@dataclass
class Wrist:
    """A watch with a clock that the test moves, and the backend that knows the same time."""

    bench: Bench
    watch: SimWatch
    user: str
    zone: ZoneInfo
    now_s: list[float]
    sent: int = 0

    async def settings(self, version: int, *quiet: dict[str, Any]) -> None:
        """Tell the settings of this moment: after a change of the clocks another offset."""
        offset = datetime.fromtimestamp(self.now_s[0], self.zone).utcoffset()
        assert offset is not None
        await self.bench.backend.says(
            self.user, "config", version=version, quiet=list(quiet), utc_offset_s=int(offset.total_seconds())
        )
        await self.bench.backend.hears("ack", self.user, ref="config", version=version)

    def at(self, wall: str, *, fold: int = 0) -> None:
        """Let it be that time on the child's wall."""
        self.now_s[0] = datetime.fromisoformat(wall).replace(tzinfo=self.zone, fold=fold).timestamp()

    async def hears(self) -> bool:
        """Have a message come; return whether the watch rang. It is in the inbox in both cases."""
        self.sent += 1
        ref = f"9f2c81a{self.sent}"
        await self.bench.backend.says(
            self.user, f"item/{ref}", seq=self.sent, kind="text", from_="g-1", tst=1, text="hi"
        )  # fmt: skip
        event = await self.watch.wait_for("received", ref=ref)
        await self.bench.backend.answers(self.user, ref, "delivered")
        assert [item.ref for item in self.watch.inbox()][-1] == ref
        return not event["silent"]


@contextlib.asynccontextmanager
async def wrist(bench: Bench, folder: Path, zone: str, wall: str) -> AsyncIterator[Wrist]:
    """Have a paired watch at that time of that place."""
    where = ZoneInfo(zone)
    now_s = [datetime.fromisoformat(wall).replace(tzinfo=where).timestamp()]
    bench.backend.server_tst = int(now_s[0])
    async with bench.watch(folder, timings=PATIENT, clock=lambda: now_s[0]) as watch:
        user = await bench.backend.pairs(watch, bench.watch_port)
        yield Wrist(bench, watch, user, where, now_s)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Istanbul", "America/New_York"])
async def test_messages_come_silently_in_quiet_hours_of_the_childs_own_wall_and_day(
    bench: Bench, tmp_path: Path, zone: str
) -> None:
    # A Friday and the Saturday after it.
    async with wrist(bench, tmp_path, zone, "2026-03-06T07:59") as worn:
        await worn.settings(2, SCHOOL)
        for wall, rings in (
            ("2026-03-06T07:59:59", True), ("2026-03-06T08:00", False), ("2026-03-06T16:29:59", False),
            ("2026-03-06T16:30", True), ("2026-03-07T10:00", True),
        ):  # fmt: skip
            worn.at(wall)
            assert worn.watch.clock.is_quiet is not rings
            assert await worn.hears() is rings
        worn.at("2026-03-09T10:00")
        assert not await worn.hears()
        await worn.settings(3)
        assert await worn.hears()


async def test_a_night_goes_past_midnight_and_through_the_change_of_the_clocks(bench: Bench, tmp_path: Path) -> None:
    # On Sunday 2026-10-25 at 03:00 Berlin's clocks go back to 02:00.
    async with wrist(bench, tmp_path, "Europe/Berlin", "2026-10-24T20:59") as worn:
        await worn.settings(2, NIGHT)
        for wall, rings in (
            ("2026-10-24T20:59", True), ("2026-10-24T21:00", False), ("2026-10-25T00:10", False),
            ("2026-10-25T02:29", False), ("2026-10-25T02:30", True),
        ):  # fmt: skip
            worn.at(wall)
            assert await worn.hears() is rings
        # The second 02:00 of that night, which the new version of the settings tells.
        worn.at("2026-10-25T02:10", fold=1)
        await worn.settings(3, NIGHT)
        assert not await worn.hears()
        worn.at("2026-10-25T02:31", fold=1)
        assert await worn.hears()
        # Sunday's night ends on Monday; Monday has none.
        worn.at("2026-10-26T01:00")
        assert not await worn.hears()
        worn.at("2026-10-26T22:00")
        assert await worn.hears()


async def test_an_sos_never_waits_and_what_the_child_says_goes_out(bench: Bench, tmp_path: Path) -> None:
    async with wrist(bench, tmp_path, "Asia/Shanghai", "2026-03-06T10:00") as worn:
        await worn.settings(2, SCHOOL)
        assert worn.watch.clock.is_quiet
        call = worn.watch.alerts.raise_alert()
        heard = await bench.backend.hears("alert", worn.user, kind="sos")
        await bench.backend.says(worn.user, "receipt", ref=heard["id"], code="stored")
        await worn.watch.wait_stored(call)
        await bench.backend.says(worn.user, "alert", ref=heard["id"], seen_by="g-1", tst=1)
        assert (await worn.watch.wait_for("alert_seen"))["seen_by"] == "g-1"
        await bench.backend.says(worn.user, "command", id="c1", kind="ring", by="g-1")
        await worn.watch.wait_for("rang")


async def test_who_is_on_shift_is_shown_until_it_is_over_by_itself(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with wrist(bench, tmp_path, "Asia/Shanghai", "2026-03-06T10:00") as worn:
        await worn.settings(2)
        until = worn.now_s[0] + timedelta(hours=8).total_seconds()
        night = worn.now_s[0] + timedelta(hours=16).total_seconds()
        people = [
            {"id": "g-1", "name": "Mama", "busy_until_tst": int(until)},
            {"id": "g-2", "name": "Baba", "busy_until_tst": int(night)}, {"id": "g-3", "name": "Nainai"},
        ]  # fmt: skip
        await bench.backend.says(worn.user, "contacts", version=2, contacts=people)
        await bench.backend.hears("ack", worn.user, ref="contacts", version=2)
        console = WatchConsole(worn.watch, show_qr=False).console

        async def shown() -> list[str]:
            capsys.readouterr()
            assert await console.run_script(["contacts"]) == 0
            return [line.partition("on shift until ")[2].strip() for line in capsys.readouterr().out.splitlines()]

        assert await shown() == ["18:00", "Sat 02:00", ""]
        worn.at("2026-03-06T17:59:59")
        assert worn.watch.clock.on_shift_until("g-1") == "18:00"
        worn.at("2026-03-06T18:00")
        assert await shown() == ["", "Sat 02:00", ""]
        worn.at("2026-03-07T02:00")
        assert await shown() == ["", "", ""]
        # It is a word to the child, never a reason not to speak.
        assert worn.watch.write("Mama", "hi").state == "queued"
        with pytest.raises(KeyError):
            worn.watch.clock.on_shift_until("g-9")
