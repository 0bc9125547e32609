"""The battery: how fast it empties and fills. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A watch of a 2G or Cat-1 network with 700 mAh: a day and a half in use, 4 hours to charge.
ONLINE_PCT_H: Final = 2.5
SEARCHING_PCT_H: Final = 4.0  # a modem without a network searches at full power
ASLEEP_PCT_H: Final = 0.4
FIX_PCT: Final = 0.03
CHARGING_PCT_H: Final = 25.0
LOW_PCT: Final = 15.0
# Charged this far, a watch that was flat starts again.
STARTS_PCT: Final = 3.0
_FULL_PCT: Final = 100.0


@dataclass
class Battery:
    """A battery. `runs_down`: it follows the time; otherwise it only has the level that it was given."""

    level_pct: float
    runs_down: bool = False
    is_charging: bool = False
    is_flat: bool = False
    was_low: bool = False

    def pass_time(self, seconds: float, *, online: bool, asleep: bool) -> None:
        """Empty or fill for this long."""
        hours = seconds / 3600
        if self.is_charging:
            self.level_pct = min(_FULL_PCT, self.level_pct + CHARGING_PCT_H * hours)
        elif self.runs_down and not self.is_flat:
            rate = ASLEEP_PCT_H if asleep else ONLINE_PCT_H if online else SEARCHING_PCT_H
            self.level_pct = max(0.0, self.level_pct - rate * hours)

    def take_fix(self) -> None:
        """Pay for a fix."""
        if self.runs_down:
            self.level_pct = max(0.0, self.level_pct - FIX_PCT)

    def turned(self) -> str:
        """Return what has changed since the last call: `flat`, `starts`, `low`, or nothing."""
        if not self.is_flat and self.level_pct <= 0:
            self.is_flat = True
            return "flat"
        if self.is_flat and self.level_pct >= STARTS_PCT:
            self.is_flat = False
            return "starts"
        is_low = self.level_pct < LOW_PCT and not self.is_flat
        turned = "low" if is_low and not self.was_low and not self.is_charging else ""
        self.was_low = is_low or (self.was_low and self.level_pct < LOW_PCT)
        return turned
