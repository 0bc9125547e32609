"""Our own simulator under test: its hands and eyes, and its clock at another pace."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from services.device_sim.conformance.bench import Pace
from services.device_sim.conformance.hands import Look, Press
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.events import EventKind, WatchEvent
from services.device_sim.watch.line import Line
from services.device_sim.watch.records import IncomingState, OutgoingState, WatchRefusedError
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import AlreadyPairedError, PairingRefusedError, SimWatch
from services.protocol import limits

SERIAL: Final = "CHECK001"
SECRET: Final = "secret-of-the-simulator-under-test"  # noqa: S105 - of a watch that exists nowhere
# The waits of the contract in a thirtieth of the time: a check of the simulator lasts a minute.
SIM_PACE: Final = Pace(contract=1 / 30, patience_s=12.0, network_s=4.0, quiet_s=0.4)
_PLACE = (23.02, 113.75, 18.0)
_LOOKED_FOR = {
    Look.CALL_STATES: {EventKind.ALERT_CALLING, EventKind.ALERT_SEEN, EventKind.ALERT_UNANSWERED},
    Look.OLD_SEEN: {EventKind.ALERT_WAS_SEEN},
}


def timings_at(pace: Pace) -> Timings:
    """Return the waits of the contract at a pace."""
    plain = Timings()
    return replace(
        plain,
        hello_answer_s=limits.HELLO_ANSWER_TIMEOUT_S * pace.contract,
        reconnect_first_s=plain.reconnect_first_s * pace.contract,
        reconnect_max_s=plain.reconnect_max_s * pace.contract,
        refused_ask_status_s=plain.refused_ask_status_s * pace.contract,
        receipt_first_s=plain.receipt_first_s * pace.contract,
        receipt_max_s=plain.receipt_max_s * pace.contract,
        alert_answer_s=plain.alert_answer_s * pace.contract,
        pairing_answer_s=plain.pairing_answer_s * pace.contract,
    )


class SimHand:
    """Presses and looks at a SimWatch. Use it as `async with`."""

    def __init__(
        self, folder: Path, port: int, *, line: Line | None = None, timings: Timings | None = None,
        tls_ca: Path | None = None, wipes_on_refusal: bool = False, traits: WatchTraits | None = None,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._port = port
        self._line = line or Line()
        self._timings = timings or timings_at(SIM_PACE)
        self._tls_ca = tls_ca
        self._traits = traits
        self._wipes_on_refusal = wipes_on_refusal
        self._events: list[WatchEvent] = []
        self._pairing: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self.watch = SimWatch(
            self._folder, "127.0.0.1", self._port, None if self._tls_ca is None else str(self._tls_ca),
            serial=SERIAL, secret=SECRET, line=self._line, timings=self._timings,
            traits=self._traits,
        )  # fmt: skip
        self.watch.on_event(self._take_event)

    async def __aenter__(self) -> Self:
        await self.watch.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_pairing()
        await self.watch.stop()

    def _take_event(self, event: WatchEvent) -> None:
        self._events.append(event)
        if event.kind == EventKind.LOGIN_REFUSED and self._wipes_on_refusal:
            self.watch.wipe_by_mistake()

    async def _stop_pairing(self) -> None:
        if self._pairing is not None:
            self._pairing.cancel()
            await asyncio.gather(self._pairing, return_exceptions=True)
            self._pairing = None

    # ---------------------------------------------------------------- hands

    async def press(self, press: Press) -> None:
        """Do what a tester would."""
        with contextlib.suppress(WatchRefusedError):
            await self._press(press)

    async def _press(self, press: Press) -> None:  # noqa: C901 - one case a button
        watch = self.watch
        match press:
            case Press.PAIR:
                await self._stop_pairing()
                self._pairing = asyncio.create_task(self._pair())
            case Press.TEXT:
                watch.write("family", "hello from the simulator")
            case Press.VOICE:
                watch.voice.record("family", seconds=4)
            case Press.READ:
                unread = [item for item in watch.inbox() if item.state is not IncomingState.PLAYED]
                if unread:
                    watch.read(unread[-1].ref)
            case Press.SOS:
                self._events.clear()
                watch.alerts.give_fix(*_PLACE)
                watch.alerts.raise_alert()
            case Press.FIX:
                watch.places.check_in(*_PLACE, source="gps")
            case Press.POWER_CYCLE:
                await watch.lose_power()
                self._begin()
                await self.watch.start()
            case Press.SWITCH_OFF:
                await watch.switch_off()
            case Press.SWITCH_ON:
                self._begin()
                await self.watch.start()
            case Press.FILL_MEMORY | Press.FREE_MEMORY:
                watch.has_room = press is Press.FREE_MEMORY
            case Press.USAGE:
                watch.usage.report()

    async def _pair(self) -> None:
        with contextlib.suppress(PairingRefusedError, AlreadyPairedError, TimeoutError):
            await self.watch.pair()

    # ---------------------------------------------------------------- eyes

    async def look(self, look: Look) -> bool | None:  # noqa: PLR0911 - one case a look
        """Return what the watch shows."""
        kinds = [event.kind for event in self._events]
        texts = [item.text for item in self.watch.inbox()]
        match look:
            case Look.NOT_SENT:
                return self.watch.sent()[-1].state is OutgoingState.REJECTED
            case Look.SHOWN_ONCE:
                return texts.count("once only") == 1
            case Look.REMOVED:
                return "will be removed" not in texts
            case Look.STATE_PLAYED:
                return any(state.state == "played" for state in self.watch.sent_states())
            case Look.WHOM_TO_CALL:
                return any(e.kind == EventKind.ALERT_UNANSWERED and "Mama" in e["call"] for e in self._events)
            case Look.RANG_ONCE:
                return kinds.count(EventKind.RANG) == 1
            case Look.SILENT:
                received = [event for event in self._events if event.kind == EventKind.RECEIVED]
                return bool(received) and bool(received[-1]["silent"])
            case _:
                return _LOOKED_FOR[look] <= set(kinds)
