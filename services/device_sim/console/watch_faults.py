"""Commands of the watch's console that break things: faults of the line, wrong clocks, a loss of power."""

from __future__ import annotations

from services.device_sim.console.console import Command, CommandError, say
from services.device_sim.watch.fault_clock import WRONG_CLOCKS, FaultyClock
from services.device_sim.watch.faults import FAULTS, FaultyLine, parsed_values
from services.device_sim.watch.watch import SimWatch


class FaultCommands:
    """Switches faults of one watch on and off while it runs."""

    def __init__(self, watch: SimWatch, line: FaultyLine, clock: FaultyClock) -> None:
        self._watch = watch
        self._line = line
        self._clock = clock

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command("fault", "fault [NAME [NAME=VALUE ...]]", "switch a fault on; alone: list them", self._fault),
            Command("heal", "heal [NAME]", "switch one fault off, or all", self._heal),
            Command(
                "clock",
                "clock WORD|SECONDS|drift SECONDS",
                "one of: " + " ".join(WRONG_CLOCKS) + "; a jump; or so much too fast a day",
                self._set_clock,
            ),
            Command("room", "room yes|no", "whether the watch has room for messages", self._room),
        ]

    async def _fault(self, rest: str) -> None:
        arguments = rest.split()
        if arguments:
            self._line.set(arguments[0], **parsed_values(arguments[1:]))
            return
        for name, kind in FAULTS.items():
            values = " ".join(f"{given}={value}" for given, value in self._line.active.get(name, {}).items())
            say(f"  {'●' if name in self._line.active else ' '} {name:<15} {values or kind.about}")

    async def _heal(self, rest: str) -> None:
        self._line.clear(rest or None)

    async def _set_clock(self, rest: str) -> None:
        word, _, amount = rest.partition(" ")
        try:
            if word == "drift":
                self._clock.drift(float(amount))
            else:
                self._clock.jump(float(rest))
        except ValueError:
            self._clock.set_to(rest)

    async def _room(self, rest: str) -> None:
        if rest not in {"yes", "no"}:
            raise CommandError("usage: room yes|no")
        self._watch.has_room = rest == "yes"
