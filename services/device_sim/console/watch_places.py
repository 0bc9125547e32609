"""Commands of the watch's console: position and usage."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from services.device_sim.console.console import Command, CommandError, say, words
from services.device_sim.watch.gpx import read_track
from services.device_sim.watch.watch import SimWatch

_LAT_MAX, _LON_MAX = 90, 180
_SPEED_MAX = 100_000.0
_MINUTES_MAX = 7 * 24 * 60.0
_PAST = "past"


class PlaceCommands:
    """Position of the watch, and its counters."""

    def __init__(self, watch: SimWatch) -> None:
        self._watch = watch

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command(
                "fix", "fix [LAT LON [METRES]]", "position of the watch; without arguments: no satellite", self._fix
            ),
            Command("checkin", "checkin LAT LON [METRES]", "check in at a position", self._check_in),
            Command(
                "walk",
                "walk FILE.gpx [SPEED|past]",
                "walk it, so many times as fast; or have walked it without a network until now",
                self._walk,
            ),
            Command("put-on", "put-on", "be worn again, after `alert taken_off`", self._put_on),
            Command("report", "report [MINUTES]", "report the counters now, or periodically", self._report),
        ]

    async def _fix(self, rest: str) -> None:
        if not rest.split():
            self._watch.alerts.lose_fix()
        else:
            self._watch.alerts.give_fix(*_place(rest, "fix [LAT LON [METRES]]"))

    async def _check_in(self, rest: str) -> None:
        kept = self._watch.places.check_in(*_place(rest, "checkin LAT LON [METRES]"))
        say(f"check-in {kept.number} is kept until it is with the family")

    async def _walk(self, rest: str) -> None:
        usage = "walk FILE.gpx [SPEED|past]"
        (argument,) = words(rest, 1, usage)
        name, _, how = argument.rpartition(" ")
        if not name or (how != _PAST and _is_no_number(how)):
            name, how = argument, "1"
        track = read_track(Path(name.strip()))
        if how == _PAST:
            kept = self._watch.places.walked(track, ended_at=datetime.now(UTC))
        else:
            speed = float(how)
            if not 0 < speed <= _SPEED_MAX:
                raise CommandError(f"a speed up to {_SPEED_MAX:.0f}, please: 60 walks an hour in a minute")
            kept = await self._watch.places.walk(track, speed=speed)
        say(f"walked: {len(kept)} of {len(track)} fixes were taken")

    async def _put_on(self, _rest: str) -> None:
        self._watch.usage.put_on()

    async def _report(self, rest: str) -> None:
        if not rest:
            say(f"report {self._watch.usage.report().number} is kept until it is with the backend")
            return
        if _is_no_number(rest) or not 0 < float(rest) <= _MINUTES_MAX:
            raise CommandError("usage: report [MINUTES]")
        await self._watch.usage.report_every(float(rest))


def _is_no_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return True
    return False


def _place(rest: str, usage: str) -> tuple[float, float, float | None]:
    try:
        lat, lon, *more = (float(word) for word in rest.split())
    except ValueError:
        raise CommandError(f"usage: {usage}") from None
    # Written so that what is not a number is refused as well.
    if not (abs(lat) <= _LAT_MAX and abs(lon) <= _LON_MAX) or len(more) > 1 or not all(number >= 0 for number in more):
        raise CommandError(f"usage: {usage}")
    return lat, lon, more[0] if more else None
