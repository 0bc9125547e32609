"""The watch's usage counters, and the ``up/usage`` that reports them: one period after the other.

A reported period is kept by the sender until its receipt, like every uplink; this file only counts. Counters that the
watch cannot measure are left out of the message and not reported as 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.protocol.uplink import Usage

Clock = Callable[[], float]


@dataclass
class UsageCounters:
    """Counters of one watch between two reports; times are the watch's own, in seconds since 1970 and since boot."""

    boot: int
    now_s: Clock = time.time
    since_boot_s: Clock = time.monotonic
    knows_time: bool = True
    _worn_since_s: float | None = None
    _offline_since_s: float | None = None
    _began_s: float = field(init=False)
    _counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._began_s = self.since_boot_s()
        # Counters exist after a boot: this boot is reported once, in the first period.
        self._counts["reboots"] = 1 if self.boot > 1 else 0

    def count(self, what: str, by: int = 1) -> None:
        """Count a recording, a play, a call, seconds of the screen, bytes up or down."""
        self._counts[what] = self._counts.get(what, 0) + by

    def call(self, *, incoming: bool, length_s: int) -> None:
        """Count a call by direction and length, never by number."""
        self.count("calls_in" if incoming else "calls_out")
        self.count("call_s", length_s)

    def put_on(self) -> None:
        """Count the watch as worn from now on."""
        if self._worn_since_s is None:
            self._worn_since_s = self.since_boot_s()

    def taken_off(self) -> None:
        """Count the watch as not worn from now on."""
        self._gather("worn_s", self._worn_since_s)
        self._worn_since_s = None

    def went_offline(self) -> None:
        """Count the network as lost from now on."""
        if self._offline_since_s is None:
            self._offline_since_s = self.since_boot_s()

    def came_online(self) -> None:
        """Count the network as available from now on."""
        self._gather("offline_s", self._offline_since_s)
        self._offline_since_s = None

    def see(self, *, battery_pct: int, signal_dbm: int | None = None) -> None:
        """Keep the lowest battery and signal of the period."""
        self._counts["battery_min_pct"] = min(battery_pct, self._counts.get("battery_min_pct", battery_pct))
        if signal_dbm is not None:
            self._counts["signal_min_dbm"] = min(signal_dbm, self._counts.get("signal_min_dbm", signal_dbm))

    def report(self, ref: str) -> Usage:
        """Return the period that ends now as a message with this id, and begin the next one."""
        worn, offline = self._worn_since_s is not None, self._offline_since_s is not None
        self.taken_off()
        self.came_online()
        mono_s = self.since_boot_s()
        length_s = int(mono_s - self._began_s)
        to_tst = int(self.now_s()) if self.knows_time else 0
        report = Usage.model_validate(
            {
                "id": ref, "boot": self.boot, "mono_s": int(mono_s), "to_tst": to_tst,
                "from_tst": to_tst - length_s if to_tst else 0, "worn_s": 0, "offline_s": 0, **self._counts,
            }
        )  # fmt: skip
        self._counts = {"reboots": 0}
        self._began_s = mono_s
        self._worn_since_s = mono_s if worn else None
        self._offline_since_s = mono_s if offline else None
        return report

    def _gather(self, what: str, since_s: float | None) -> None:
        if since_s is not None:
            self.count(what, int(self.since_boot_s() - since_s))
