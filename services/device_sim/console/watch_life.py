"""Commands of the watch's console about its owner's life and its make: battery, days, modem, quirks, raw files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from services.device_sim.console.console import Command, CommandError, number, say, words
from services.device_sim.sound import SoundRefusedError, write_file
from services.device_sim.watch.day_plan import RecordedRoute, SchoolDay
from services.device_sim.watch.faults import FaultyLine
from services.device_sim.watch.fix_errors import ERRORS
from services.device_sim.watch.gpx import read_track
from services.device_sim.watch.modems import MODEMS
from services.device_sim.watch.quirks import QUIRKS
from services.device_sim.watch.watch import SimWatch

_PCT_MAX = 100
_COORDINATES = 4


class LifeCommands:
    """Battery, wear, movement, modem, firmware and encoded files of one watch."""

    def __init__(self, watch: SimWatch, line: FaultyLine) -> None:
        self._watch = watch
        self._line = line

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command(
                "battery", "battery [PERCENT|runs|rests|charge|unplug]",
                "its charge; let it run down with the time; lay it on the charger", self._battery,
            ),
            Command("wear", "wear yes|no", "put the watch on, or take it off (the family is told)", self._wear),
            Command(
                "day", "day school [ERRORS] [LAT LON LAT LON]|off",
                "live between home and school; errors of fixes: " + " ".join(ERRORS), self._day,
            ),
            Command("route", "route FILE.gpx [ERRORS]", "live along a recorded route, from now on", self._route),
            Command("doze", "doze MINUTES SECONDS|off", "sleep so long and wake so long, in turns", self._doze),
            Command("modem", "modem NAME", "one of: " + " ".join(MODEMS), self._modem),
            Command("quirk", "quirk [NAME ...]", "habits of a firmware: " + " ".join(QUIRKS), self._quirk),
            Command("send-file", "send-file TO FILE", "send an AMR or Ogg file as it is", self._send_file),
            Command("save", "save N FILE", "write voice message N as it came", self._save),
        ]  # fmt: skip

    async def _battery(self, rest: str) -> None:
        life = self._watch.life
        match rest:
            case "":
                charging = ", charging" if life.battery.is_charging else ""
                say(f"  {life.battery.level_pct:.1f} %{charging}{', empty' if life.battery.is_flat else ''}")
            case "runs" | "rests":
                life.run_down(runs=rest == "runs")
            case "charge" | "unplug":
                life.charge(charging=rest == "charge")
            case _:
                life.set_battery(number(rest, _PCT_MAX) if rest != "0" else 0)

    async def _wear(self, rest: str) -> None:
        if rest not in {"yes", "no"}:
            raise CommandError("usage: wear yes|no")
        self._watch.life.wear(worn=rest == "yes")

    async def _day(self, rest: str) -> None:
        kind, *more = rest.split() or [""]
        if kind == "off":
            self._watch.life.live(None)
            return
        errors = more.pop(0) if more and more[0] in ERRORS else "city"
        if kind != "school" or len(more) not in {0, _COORDINATES}:
            raise CommandError("usage: day school [ERRORS] [LAT LON LAT LON]|off")
        try:
            places = [float(word) for word in more]
        except ValueError:
            raise CommandError("four numbers, please: home and school") from None
        plan = SchoolDay((places[0], places[1]), (places[2], places[3])) if places else SchoolDay()
        self._watch.life.live(plan, errors)

    async def _route(self, rest: str) -> None:
        (argument,) = words(rest, 1, "route FILE.gpx [ERRORS]")
        name, _, errors = argument.rpartition(" ")
        if errors not in ERRORS:
            name, errors = argument, "city"
        track = read_track(Path(name.strip()))
        now = self._watch.clock.at_its_place()
        self._watch.life.live(RecordedRoute(track, now), errors)
        say(f"on the way until {now + (track[-1].at - track[0].at + timedelta()):%H:%M}")

    async def _doze(self, rest: str) -> None:
        try:
            asleep_min, awake_s = (0.0, 0.0) if rest == "off" else (float(word) for word in rest.split())
        except ValueError:
            raise CommandError("usage: doze MINUTES SECONDS|off") from None
        self._watch.life.doze(asleep_min * 60, awake_s)

    async def _modem(self, rest: str) -> None:
        modem = MODEMS.get(rest)
        if modem is None:
            for name, known in MODEMS.items():
                say(f"  {name:<8} {known.about}")
            raise CommandError("modem one of: " + " ".join(MODEMS))
        self._line.set_modem(modem)
        await self._watch.restate(lambda traits: replace(traits, **modem.traits))

    async def _quirk(self, rest: str) -> None:
        if not rest:
            for name, quirk in QUIRKS.items():
                say(f"  {'●' if name in self._line.quirks else ' '} {name:<17} {quirk.about}")
            return
        self._line.set_quirks(_none_or(rest.split()))

    async def _send_file(self, rest: str) -> None:
        to, name = words(rest, 2, "send-file TO FILE")
        message = self._watch.voice.send_encoded(to, Path(name))
        say(f"message {message.number} is kept until it is with the family")

    async def _save(self, rest: str) -> None:
        place, name = words(rest, 2, "save N FILE")
        items = self._watch.inbox()
        sound = self._watch.voice.clip(items[number(place, len(items)) - 1].ref)
        if sound is None:
            raise SoundRefusedError("there is no sound of it on this watch")
        write_file(Path(name), sound)
        say(f"  {len(sound)} bytes → {name}")


def _none_or(names: Sequence[str]) -> Sequence[str]:
    return () if list(names) == ["none"] else names
