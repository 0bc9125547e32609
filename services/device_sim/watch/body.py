"""State that every part of one watch shares: memory, clocks, random source, traits and events."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from services.device_sim.watch.calls import CallScreen
from services.device_sim.watch.events import EventBoard, EventKind
from services.device_sim.watch.hours import is_quiet
from services.device_sim.watch.line import Line
from services.device_sim.watch.records import WatchRefusedError
from services.device_sim.watch.store import WatchStore
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.usage_report import UsageCounters
from services.protocol import limits
from services.protocol.uplink import Ack
from services.protocol.words import Codec

_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_CHARS: Final = 14  # 72 random bits; the protocol asks for 48
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL 1.1.0 and later. Python's ssl has no name for it and passes it on.
_NO_CHECK_TIME: Final = 0x200000


@dataclass(frozen=True)
class WatchTraits:
    """Capabilities that this model states in hello, and how it fetches clips."""

    model: str = "sim-1"
    firmware: str = "1.0.0"
    iccid: str | None = None
    battery_pct: int = 81
    plays: tuple[Codec, ...] = (Codec.AMR_NB, Codec.OPUS)
    records: tuple[Codec, ...] = (Codec.AMR_NB,)
    chunk_bytes: int = limits.CHUNK_DEFAULT_BYTES
    max_payload_bytes: int = limits.MAX_PAYLOAD_DEFAULT_BYTES
    max_clip_bytes: int = limits.CLIP_DEFAULT_BYTES
    max_play_s: int = limits.CLIP_MAX_S
    binary: bool = True  # False: a modem that carries text only; chunks are base64 both ways
    alert_states: bool = True  # False: an older model that knows acknowledgements only
    fetch_window: int = 4  # chunks requested at a time
    sound_room_bytes: int = 4 * 1024 * 1024  # for every clip on the watch and every recording not yet uploaded


@dataclass(frozen=True)
class Fix:
    """A position as the watch's receiver would measure it."""

    lat: float
    lon: float
    acc: float | None = None
    source: str | None = None


@dataclass
class WatchBody:
    """One watch that is switched on. `clock` returns Unix seconds of the watch's own clock, right or wrong."""

    store: WatchStore
    clock: Callable[[], float]
    random_source: random.Random
    timings: Timings
    traits: WatchTraits
    # The time that is really there, in Unix seconds: for the battery, the child's day, and seconds since boot.
    right_now: Callable[[], float] = time.time
    line: Line = field(default_factory=Line)
    events: EventBoard = field(default_factory=EventBoard)
    has_room: bool = True
    boot: int = 0
    fix: Fix | None = None
    # The battery is empty: the watch does nothing until it was charged.
    is_flat: bool = False
    # The answer to each command since the watch was switched on.
    answered_commands: dict[str, Ack] = field(default_factory=dict)
    counters: UsageCounters = field(init=False)
    calls: CallScreen = field(init=False)
    _started_s: float = 0.0

    def __post_init__(self) -> None:
        self._started_s = self.right_now()
        self.counters = self._new_counters()
        self.calls = CallScreen(self.events, self.store.contacts, self.server_now, self.timings.alert_answer_s)

    def _new_counters(self) -> UsageCounters:
        # 0 without server time: the backend dates such a report by boot count and seconds since boot.
        return UsageCounters(
            boot=self.boot,
            now_s=lambda: self.server_now() or 0.0,
            since_boot_s=self.since_boot_s,
        )

    def server_now(self) -> float | None:
        """Return server time as far as the watch knows it; None before the first `down/time`."""
        ahead_s = self.store.server_ahead_s()
        return None if ahead_s is None else self.clock() + ahead_s

    def is_quiet(self) -> bool:
        """Return whether the settings ask for silence now."""
        return is_quiet(self.store.config(), self.server_now())

    def dated(self) -> dict[str, Any]:
        """Return the fields that date an uplink: `tst` (0 without a clock), `boot`, `mono_s`."""
        now = self.server_now()
        return {"tst": 0 if now is None else max(0, int(now)), "boot": self.boot, "mono_s": int(self.since_boot_s())}

    def since_boot_s(self) -> float:
        """Return the seconds since the watch was switched on."""
        return max(0.0, self.right_now() - self._started_s)

    def refuse_when_flat(self) -> None:
        """Raise WatchRefusedError while the battery is empty: nothing can be pressed."""
        if self.is_flat:
            raise WatchRefusedError("the battery is empty")

    def begin(self) -> None:
        """Count a boot and start new counters: unreported counters are lost with the power. Worn, without a network."""
        self.boot = self.store.count_boot()
        self._started_s = self.right_now()
        self.counters = self._new_counters()
        self.counters.put_on()
        self.counters.went_offline()
        self.calls.end()

    def restart(self) -> None:
        """Begin another boot; the memory stays."""
        self.begin()
        self.events.emit(EventKind.RESTARTED, boot=self.boot)

    def new_id(self) -> str:
        """Return a fresh random id for an uplink. A counter would restart with the watch."""
        return "".join(self.random_source.choices(_ID_ALPHABET, k=_ID_CHARS))


def watch_tls(ca_file: str, *, has_clock: bool) -> ssl.SSLContext:
    """Return the watch's TLS settings: TLS 1.2 or later, chain and host name verified against `ca_file` only.

    Without a clock the dates of the chain are ignored, as for a watch out of its box; everything else is verified.
    With a clock OpenSSL judges dates by the clock of this computer.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not has_clock:
        context.verify_flags |= _NO_CHECK_TIME
    return context
