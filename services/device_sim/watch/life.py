"""The life of the watch's owner: battery, wear, movement and fixes, as time passes."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from services.device_sim.watch.alerts import Alerts
from services.device_sim.watch.battery import Battery
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.day_plan import DayPlan
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.fix_errors import ERRORS, FixErrors
from services.device_sim.watch.hours import wall_clock
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.places import Places
from services.protocol.words import AlertKind

# When a test moves the clock by days, they are lived through in pieces of this length at most.
_PIECE_S: Final = 600.0
_LIVED_MAX_S: Final = 31 * 86_400.0
_FIX_EVERY_DEFAULT_S: Final = 1800


class Life:
    """Battery, wear and movement: `watch.life`. Nothing happens by itself until one of them is switched on.

    It follows the right time, whatever the watch's own clock believes.
    """

    def __init__(self, body: WatchBody, network: WatchNetwork, alerts: Alerts, places: Places) -> None:
        self._body = body
        self._network = network
        self._alerts = alerts
        self._places = places
        stored_pct = body.store.battery_pct()
        self.battery = Battery(float(body.traits.battery_pct) if stored_pct is None else stored_pct)
        self.errors: FixErrors = ERRORS["none"]
        self.plan: DayPlan | None = None
        self.fixes = 0
        self._is_worn = True
        self._doze_s: tuple[float, float] | None = None
        self._lived_until_s = 0.0
        self._fixed_at_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._seed = random.Random(f"{body.random_source.getrandbits(32)}").getrandbits(32)  # noqa: S311 - a place
        if stored_pct is not None:
            self._show_battery()

    # ---------------------------------------------------------------- switches

    def set_battery(self, level_pct: float) -> None:
        """Have this charge now."""
        self.battery.level_pct = level_pct
        self._after_battery()

    def run_down(self, *, runs: bool) -> None:
        """Let the battery follow the time, or keep its level."""
        self._catch_up()
        self.battery.runs_down = runs
        self._begin()

    def charge(self, *, charging: bool) -> None:
        """Lay the watch on its charger, or take it off."""
        self._catch_up()
        self.battery.is_charging = charging
        self._begin()

    def live(self, plan: DayPlan | None, errors: str | None = None) -> None:
        """Live by a plan from now on, with this model of errors (a name of ERRORS); None: stay where you are."""
        self._catch_up()
        self.plan = plan
        if errors is not None:
            self.errors = ERRORS[errors]
        self._fixed_at_s = 0.0
        self._begin()

    def doze(self, asleep_s: float, awake_s: float) -> None:
        """Sleep and wake in turns, announced each time; 0 ends it."""
        self._doze_s = (asleep_s, awake_s) if asleep_s > 0 else None
        if self._doze_s is not None:
            self._tasks.append(asyncio.create_task(self._doze_again(self._doze_s)))

    def wear(self, *, worn: bool) -> None:
        """Put the watch on, or take it off: an alert tells the family."""
        if worn == self._is_worn:
            return
        self._is_worn = worn
        if worn:
            self._body.counters.put_on()
        elif self._body.store.username() is not None:
            self._alerts.raise_alert(AlertKind.TAKEN_OFF)
        else:
            self._body.counters.taken_off()

    @property
    def is_worn(self) -> bool:
        """Whether the watch is on the wrist."""
        return self._is_worn

    async def end(self) -> None:
        """Stop: the watch is switched off. The battery keeps its charge."""
        self._catch_up()
        self._doze_s = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # ---------------------------------------------------------------- time

    def _begin(self) -> None:
        if not self._lived_until_s:
            self._lived_until_s = self._body.right_now()
            self._tasks.append(asyncio.create_task(self._live_on()))

    async def _live_on(self) -> None:
        while True:
            await asyncio.sleep(self._body.timings.life_step_s)
            self._catch_up()

    def _catch_up(self) -> None:
        """Live through the time since the last look, piece by piece."""
        now_s = self._body.right_now()
        if not self._lived_until_s or now_s <= self._lived_until_s:
            return
        at_s = max(self._lived_until_s, now_s - _LIVED_MAX_S)
        while at_s < now_s:
            piece_s = min(_PIECE_S, now_s - at_s)
            at_s += piece_s
            self._live_piece(at_s, piece_s)
        self._lived_until_s = now_s

    def _live_piece(self, at_s: float, piece_s: float) -> None:
        online, asleep = self._network.is_online, self._network.is_asleep
        self.battery.pass_time(piece_s, online=online, asleep=asleep)
        if self.plan is not None:
            wall = wall_clock(self._body.store.config(), at_s)
            charged = self.plan.is_charged(wall)
            if charged != self.battery.is_charging:
                self.battery.is_charging = charged
            self._wear_silently(worn=self.plan.is_worn(wall))
            if not self.battery.is_flat:
                self._fix(at_s, wall)
        self._after_battery()

    def _wear_silently(self, *, worn: bool) -> None:
        """Put on in the morning and take off in the evening; a watch on its charger alarms nobody."""
        if worn != self._is_worn:
            self._is_worn = worn
            (self._body.counters.put_on if worn else self._body.counters.taken_off)()

    def _fix(self, at_s: float, wall: datetime) -> None:
        config = self._body.store.config()
        every_s = _FIX_EVERY_DEFAULT_S if config is None else config.checkin_interval_s
        if self.plan is None or at_s - self._fixed_at_s < every_s or not self._is_worn:
            return
        self._fixed_at_s = at_s
        fix = self.errors.measured(self.plan.spot(wall), self._body.random_source, self._seed)
        self._body.fix = fix
        self.battery.take_fix()
        if fix is not None and self._places.takes_fixes:
            self._places.keep_fix(fix, datetime.fromtimestamp(at_s, UTC))
            self.fixes += 1

    def _after_battery(self) -> None:
        self._show_battery()
        match self.battery.turned():
            case "low":
                if self._body.store.username() is not None:
                    self._alerts.raise_alert(AlertKind.LOW_BATTERY)
            case "flat":
                self._body.is_flat = True
                self._body.events.emit(EventKind.BATTERY_FLAT)
                self._network.drop_network()
            case "starts":
                self._body.is_flat = False
                self._body.restart()
                self._network.find_network()

    def _show_battery(self) -> None:
        body, level_pct = self._body, int(self.battery.level_pct)
        if body.traits.battery_pct != level_pct:
            body.traits = replace(body.traits, battery_pct=level_pct)
            body.store.set_battery_pct(self.battery.level_pct)

    async def _doze_again(self, times_s: tuple[float, float]) -> None:
        while self._doze_s == times_s:
            await asyncio.sleep(times_s[1])
            if self._network.is_online and not self._body.is_flat:
                await self._network.sleep(times_s[0])
            await asyncio.sleep(times_s[0])
