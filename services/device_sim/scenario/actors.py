"""The people and devices of a scenario, and what can be seen of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from services.device_sim.console.parent import ParentConsole
from services.device_sim.console.watch import WatchConsole
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import ProblemError, has_consent
from services.device_sim.scenario.document import OBSERVABLES, Scenario
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.fault_clock import FaultyClock
from services.device_sim.watch.faults import FaultyLine
from services.device_sim.watch.modems import MODEMS
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import Codec

# What a watch shows that is switched off, by the form of the look.
_OFF: Final[Mapping[type, Any]] = {bool: False, list: [], int: 0}
_HISTORY: Final = 50
_LOG_INS_MAX: Final = 120
_WAIT_S: Final = 30.0


@dataclass(frozen=True)
class Household:
    """A family of the system under test: its watch and the phone of its first guardian."""

    serial: str
    secret: str
    phone: str
    # Where the system can hand its watch to another family.
    family_code: str = ""


@dataclass(frozen=True)
class System:
    """The system under test. `now` and `shift` are the one test clock, where the runner may move it.

    `actions` are what the steps `system:` can do to it; `hand_over` gives the watch of one family to another.
    `timings` are those of the watches.
    """

    broker_host: str
    broker_port: int
    tls_ca_file: Path | None
    api_url: str
    sms_file: Path
    households: tuple[Household, ...]
    timings: Timings = field(default_factory=Timings.quick)
    now: Callable[[], float] | None = None
    shift: Callable[[float], None] | None = None
    actions: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    hand_over: Callable[[Household, Household], Awaitable[None]] | None = None

    async def let_pass(self, seconds: float) -> None:
        """Let time pass: at once where the clock is ours."""
        if self.shift is None:
            await asyncio.sleep(seconds)
        else:
            self.shift(seconds)


class Family:
    """One household in a scenario: a watch that can be switched off and on, and a parent."""

    def __init__(self, system: System, scenario: Scenario, household: Household, folder: Path, number: int) -> None:
        self._system = system
        self._scenario = scenario
        self._household = household
        self._watch_folder = folder / "watch"
        self._random = random.Random(f"{scenario.seed}/{number}")  # noqa: S311 - it makes a run repeatable
        self.line = FaultyLine(scenario.seed + number)
        self.clock = FaultyClock() if system.now is None else FaultyClock(system.now)
        self.saw: list[str] = []
        self.child_id = ""
        self.watch: SimWatch | None = None
        self.parent = SimParent(system.api_url, folder / "parent")
        self.parent_console = ParentConsole(self.parent, phone=household.phone, sms_file=system.sms_file)

    async def begin(self) -> None:
        """Log the parent in, agree, add a child where there is none, and switch the watch on."""
        if not self.parent.is_logged_in:
            await self._log_in()
        family = (await self.parent.me()).families[0]
        if not has_consent(family):
            await self.parent.family.consent(family.family_id)
        children = await self.parent.family.children(family.family_id)
        child = children[0] if children else await self.parent.family.create_child(family.family_id, "Mei")
        self.child_id = child.child_id
        await self.switch_on()

    async def _log_in(self) -> None:
        """Log in; where many log in behind one address, wait as they would have to."""
        for _ in range(_LOG_INS_MAX):
            try:
                await self.parent.log_in_by_sms_file(self._household.phone, self._system.sms_file)
            except ProblemError as error:
                if error.status != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
                await self._system.let_pass(_WAIT_S)
            else:
                return
        raise TimeoutError("too many log-ins from this address")

    async def end(self) -> None:
        """Switch everything off."""
        await self.parent_console.close()
        if self.watch is not None:
            await self.watch.stop()
        await self.parent.close()

    async def switch_on(self) -> None:
        """Switch the watch on, with the memory it has."""
        system, ca_file = self._system, self._system.tls_ca_file
        self.watch = SimWatch(
            self._watch_folder, system.broker_host, system.broker_port, None if ca_file is None else str(ca_file),
            serial=self._household.serial, secret=self._household.secret, clock=self.clock, line=self.line,
            random_source=self._random, timings=system.timings,
            traits=self._traits(), right_clock=system.now or time.time,
        )  # fmt: skip
        self.watch.on_event(lambda event: self.saw.append(event.kind))
        self.watch_console = WatchConsole(self.watch, show_qr=False, line=self.line, clock=self.clock)
        await self.watch.start()

    def _traits(self) -> WatchTraits:
        make = self._scenario.make
        modem = MODEMS.get(make.modem)
        self.line.set_modem(modem)
        self.line.set_quirks(make.quirks)
        of_modem = {} if modem is None else modem.traits
        records = (Codec(make.records),) if make.records else WatchTraits().records
        return replace(WatchTraits(), **{**of_modem, "records": records, **self._scenario.traits})

    def wall_clock(self) -> datetime:
        """Return the time on the wall at the child's place; raises RuntimeError while the watch is off."""
        if self.watch is None:
            raise RuntimeError("the first watch is switched off, and its wall clock with it")
        return self.watch.clock.at_its_place()

    async def take_watch_of(self, other: Family) -> None:
        """Take over the watch that another family had, with whatever it remembers; its own one goes away."""
        for family in (self, other):
            await family.power("off")
        self._household = replace(
            self._household, serial=other._household.serial, secret=other._household.secret
        )  # fmt: skip
        self._watch_folder = other._watch_folder
        await self.switch_on()

    @property
    def household(self) -> Household:
        """The household, with the watch that it has now."""
        return self._household

    async def power(self, how: str) -> None:
        """Switch off by hand, on, or take the battery out and put it in again."""
        if how != "on" and self.watch is not None:
            await (self.watch.switch_off() if how == "off" else self.watch.lose_power())
            self.watch = None
        if how != "off" and self.watch is None:
            await self.switch_on()

    async def pair(self) -> None:
        """Show a code on the watch and enter it on the phone."""
        if self.watch is None:
            raise RuntimeError("the watch is switched off")
        shown = await self.watch.pair()
        await self.parent.family.pair(self.child_id, shown.code)
        paired = await self.watch.wait_for("paired")
        await self.watch.wait_for("online", username=paired["username"])

    async def run_line(self, role: str, line: str) -> bool:
        """Run a command of a console; return whether it succeeded."""
        console = self.watch_console.console if role == "watch" else self.parent_console.console
        return await console.run_line(line)

    # ---------------------------------------------------------------- what can be seen

    async def look(self, name: str) -> Any:  # noqa: ANN401 - the value of any look
        """Return what `watch.…` or `parent.…` shows now."""
        role, _, what = name.partition(".")
        return self._look_at_watch(what) if role == "watch" else await self._look_at_parent(what)

    def _look_at_watch(self, what: str) -> Any:  # noqa: ANN401 - the value of any look
        if what == "saw":
            return list(dict.fromkeys(self.saw))
        watch = self.watch
        if watch is None:
            return _OFF.get(OBSERVABLES[f"watch.{what}"])
        waiting = any(message.state in {"queued", "sent"} for message in watch.sent()) or watch.owed_receipts()
        observables: Mapping[str, Callable[[], Any]] = {
            "paired": lambda: watch.is_paired,
            "online": lambda: watch.is_online,
            "locked": lambda: watch.is_locked,
            "location": lambda: watch.places.takes_fixes,
            "quiet": lambda: watch.clock.is_quiet,
            "worn": lambda: watch.life.is_worn,
            "flat": lambda: watch.life.battery.is_flat,
            "battery_at_most": lambda: watch.life.battery.level_pct,
            "fixes": lambda: watch.life.fixes,
            "settled": lambda: not waiting,
            "inbox": lambda: [item.text if item.kind != "voice" else "[voice]" for item in watch.inbox()],
            "sent": lambda: [str(message.state) for message in watch.sent()],
            "told": lambda: [state.state for state in watch.sent_states()],
            "contacts": lambda: [contact.name for contact in watch.contacts()],
        }
        return observables[what]()

    async def _look_at_parent(self, what: str) -> Any:  # noqa: ANN401 - the value of any look
        parent, child_id = self.parent, self.child_id
        match what:
            case "history":
                messages = (await parent.messages(child_id, limit=_HISTORY)).messages[::-1]
                return [f"[{message.kind}]" if message.text is None else message.text for message in messages]
            case "told":
                messages = (await parent.messages(child_id, limit=_HISTORY)).messages
                states = [
                    message.recipients[0].state
                    for message in messages
                    if message.direction == "to_child" and message.recipients
                ]
                return states[0] if states else "nothing"
            case "alerts":
                return [alert.kind for alert in await parent.places.alerts(child_id)]
            case "stays":
                return len((await parent.places.day(child_id)).stays)
            case "place":
                latest = await parent.places.latest_place(child_id)
                return "unknown" if latest.seen is None else "known"
            case _:
                watch = (await parent.family.child(child_id)).watch
                return "no watch" if watch is None else str(watch.state)
