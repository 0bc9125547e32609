"""The watch on a desk: its battery, its network, its buttons, and everything that the page shows of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import segno

from services.device_sim.screen.training import Moment, Training
from services.device_sim.screen.view import emoji_view, watch_view
from services.device_sim.screen.wire_log import LoggedLine, WireLog
from services.device_sim.sound import Clip, record_clip, samples_of, wav_of
from services.device_sim.speech import RATE_HZ
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.events import EventKind, WatchEvent
from services.device_sim.watch.records import ShownCode, WatchRefusedError
from services.device_sim.watch.watch import AlreadyPairedError, PairingRefusedError, SimWatch
from services.protocol import limits
from services.protocol.topics import UplinkKind
from services.protocol.words import AlertKind, Codec, ItemKind

# Events that the wire log shows as lines of their own, with the field that says why.
_CONNECTION: Final[dict[str, str]] = {
    EventKind.ONLINE: "username",
    EventKind.OFFLINE: "reason",
    EventKind.LOGIN_REFUSED: "username",
    EventKind.PROTOCOL_REFUSED: "highest",
    EventKind.WIPED: "username",
    EventKind.RESTARTED: "boot",
}
_OF_A_CALL: Final = frozenset(
    {EventKind.ALERT_CALLING, EventKind.ALERT_SEEN, EventKind.ALERT_WAS_SEEN, EventKind.ALERT_UNANSWERED}
)


class NoPowerError(Exception):
    """The battery is flat: the watch does nothing."""


class Desk:
    """One watch with its surroundings. Listeners are called whenever something that the page shows may be different."""

    def __init__(self, make: Callable[[LoggedLine, WatchTraits], SimWatch], *, seed: int = 0) -> None:
        self.log = WireLog()
        self._watch = make(LoggedLine(self.log, seed), WatchTraits(records=(Codec.AMR_NB, Codec.OPUS)))
        self._watch.on_event(self._take)
        self._has_network = True
        self._codec = Codec.AMR_NB
        self._code: ShownCode | None = None
        self._refusal: str | None = None
        self._sos: dict[str, Any] | None = None
        # Ids of the calls for help: what becomes of another alert opens no screen.
        self._calls: set[str] = set()
        self._rings = 0
        self._arrivals = 0
        self._tasks: set[asyncio.Task[None]] = set()
        # One change of power or network at a time: somebody presses the switch twice.
        self._switching = asyncio.Lock()
        self.training = Training(self._holds)
        self.listeners: list[Callable[[], None]] = []
        self.log.listeners.append(lambda _: self._tell())

    # ---------------------------------------------------------------- on and off

    async def start(self) -> None:
        """Switch the watch on; one whose battery was flat stays dark."""
        await self._watch.start()
        self.training.look()
        if self._watch.life.battery.level_pct <= 0:
            self._watch.life.set_battery(0)

    async def stop(self) -> None:
        """Switch off as a hand does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._watch.switch_off()

    @property
    def is_flat(self) -> bool:
        """Whether the watch has no power."""
        return self._watch.life.battery.is_flat

    @property
    def watch(self) -> SimWatch:
        """The watch; raises NoPowerError while its battery is flat."""
        if self.is_flat:
            raise NoPowerError
        return self._watch

    async def set_network(self, *, on: bool) -> None:
        """Find or lose the network; a flat watch remembers it for later."""
        async with self._switching:
            self._has_network = on
            self.log.note("network again" if on else "no network")
            if self.is_flat:
                return
            if on:
                await self._watch.go_online()
            else:
                self.training.see(Moment.NETWORK_LOST)
                await self._watch.go_offline()

    async def set_battery(self, pct: int) -> None:
        """Charge or drain. At 0 the watch ends without a word; charged, it starts again where it was."""
        async with self._switching:
            was_flat = self.is_flat
            self._watch.life.set_battery(pct)
            # A watch that starts again finds the network, unless there is none.
            if was_flat and not self.is_flat and not self._has_network:
                await self._watch.go_offline()
        self._tell()

    # ---------------------------------------------------------------- buttons

    def pair(self) -> None:
        """Ask for a pairing code; it is shown once it comes."""
        watch = self.watch
        self._refusal = None
        self._start(self._ask_code(watch))

    async def _ask_code(self, watch: SimWatch) -> None:
        # What comes of it is told by events; without an answer the watch goes on asking by itself.
        with contextlib.suppress(TimeoutError, PairingRefusedError, AlreadyPairedError):
            await watch.pair()

    def cancel_pairing(self) -> None:
        """Show no code any more."""
        self.watch.cancel_pairing()
        self._code = None

    async def record(self, to: str, sound: bytes) -> None:
        """Send what the microphone heard, cut where a watch stops recording; raises SoundRefusedError."""
        watch = self.watch
        # Checked before the work of encoding, as the watch would check before it records.
        if not watch.is_paired or watch.is_locked:
            raise WatchRefusedError("the watch does not record now")
        clip = await asyncio.to_thread(clip_of, sound, self._codec)
        watch.voice.record(to, clip)

    def set_codec(self, codec: Codec) -> None:
        """Record in another format from now on."""
        self._codec = codec

    async def sound(self, ref: str) -> bytes | None:
        """Return a voice message as a WAV file; None where its sound is gone. Raises SoundRefusedError."""
        clip = self.watch.voice.clip(ref)
        return None if clip is None else await asyncio.to_thread(lambda: wav_of(samples_of(clip)))

    def open_item(self, ref: str) -> None:
        """Open a message; its sender is told. Raises KeyError."""
        watch = self.watch
        if any(item.ref == ref and item.kind == ItemKind.VOICE for item in watch.inbox()):
            watch.voice.play(ref)
        else:
            watch.read(ref)
        self.training.see(Moment.OPENED)

    def press_sos(self) -> None:
        """Call for help."""
        alert = self.watch.alerts.raise_alert()
        self._calls.add(alert.wire_id)
        self._sos = {"number": alert.number, "state": "waiting", "by": None, "call": None}

    def cancel_sos(self) -> None:
        """Tell the family that the call for help was a mistake."""
        self.watch.alerts.raise_alert(AlertKind.SOS_CANCELLED)
        self._sos = None
        self._calls.clear()

    def close_sos(self) -> None:
        """Go back to the first screen; the call goes on, and its news come back to the screen."""
        self._sos = None

    # ---------------------------------------------------------------- what is seen

    def view(self) -> dict[str, Any]:
        """Return everything that the page shows beside the wire log."""
        watch = self._watch
        return {
            "power": not self.is_flat,
            "battery_pct": int(watch.life.battery.level_pct),
            "network": self._has_network,
            "codec": self._codec.value,
            "rings": self._rings,
            "arrivals": self._arrivals,
            "refusal": self._refusal,
            "code": None if self._code is None else _code(self._code),
            "sos": self._sos,
            "emoji": emoji_view(),
            "training": self.training.as_json(),
            "watch": None if self.is_flat else {"serial": watch.serial, **watch_view(watch)},
        }

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _holds(self, moment: Moment) -> bool:
        return self._watch.is_paired if moment is Moment.PAIRED else bool(self._watch.contacts())

    def _start(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self, event: WatchEvent) -> None:
        why = _CONNECTION.get(event.kind)
        if why is not None:
            self.log.note(f"{event.kind}: {event[why]}")
        self._take_pairing(event)
        match event.kind:
            case EventKind.CONTACTS_TAKEN if event["count"]:
                self.training.see(Moment.CONTACTS)
            case EventKind.ONLINE:
                self.training.see(Moment.ONLINE)
            case EventKind.BATTERY_FLAT:
                self._code, self._sos = None, None
                self.log.note("flat battery")
                self.training.see(Moment.FLAT)
            case EventKind.RECEIVED if not event["silent"]:
                self._arrivals += 1
            case EventKind.RANG:
                self._rings += 1
            case EventKind.STORED:
                self._take_stored(event["number"])
            case EventKind.FRESH_ID if event["old_id"] in self._calls:
                self._calls.add(event["wire_id"])
            case kind if kind in _OF_A_CALL:
                self._take_call(event)
        self._tell()

    def _take_pairing(self, event: WatchEvent) -> None:
        match event.kind:
            case EventKind.CODE_SHOWN:
                self._code, self._refusal = ShownCode(event["code"], event["qr"], event["expires_tst"]), None
            case EventKind.CODE_GONE | EventKind.WIPED:
                self._code = None
            case EventKind.PAIRING_REFUSED:
                self._code, self._refusal = None, event["error"]
            case EventKind.PAIRED:
                self._code = None
                self.training.see(Moment.PAIRED)

    def _take_stored(self, number: int) -> None:
        kinds = {message.number: message.kind for message in self._watch.sent()}
        if kinds.get(number) == UplinkKind.VOICE_END:
            self.training.see(Moment.SPOKEN)
        if self._sos is not None and self._sos["number"] == number and self._sos["state"] == "waiting":
            self._sos = {**self._sos, "state": "sent"}

    def _take_call(self, event: WatchEvent) -> None:
        if event["ref"] not in self._calls:
            return
        shown = self._sos or {"number": None, "by": None, "call": None}
        match event.kind:
            case EventKind.ALERT_CALLING:
                self._sos = {**shown, "state": "calling"}
            case EventKind.ALERT_UNANSWERED:
                self._sos = {**shown, "state": "unanswered", "call": event["call"]}
            case _:
                self._sos = {**shown, "state": "seen", "by": self._name(event["seen_by"])}
                self.training.see(Moment.SOS_SEEN)

    def _name(self, contact_id: str) -> str | None:
        return next((contact.name for contact in self._watch.contacts() if contact.id == contact_id), None)


def clip_of(sound: bytes, codec: Codec) -> Clip:
    """Encode a recording of any form as a watch does, cut after a minute; raises SoundRefusedError."""
    return record_clip(samples_of(sound)[: limits.CLIP_MAX_S * RATE_HZ], codec)


def _code(shown: ShownCode) -> dict[str, Any]:
    drawn = segno.make(shown.qr, error="m").svg_data_uri(border=2, dark="#000000", light="#ffffff")
    return {"code": shown.code, "qr": shown.qr, "picture": drawn, "expires_tst": shown.expires_tst}
