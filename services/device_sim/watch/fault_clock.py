"""The wrong clocks of the field: ahead, behind, at the beginning of time, a GPS week counter that ran over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from services.device_sim.watch.faults import FaultRefusedError

_GPS_WEEKS_S: Final = 1024 * 7 * 86_400
_2038_S: Final = 2**31
WRONG_CLOCKS: Final = ("right", "1970", "2038", "gps-rollover", "ahead", "behind")
_TWO_YEARS_S: Final = 2 * 365 * 86_400


class FaultyClock:
    """Seconds since 1970 as a watch believes. `right` is the time that is there."""

    def __init__(self, right: Callable[[], float] = time.time) -> None:
        self.right = right
        self._offset_s = 0.0
        self._drift = 0.0
        self._drifts_since_s = 0.0

    def __call__(self) -> float:
        """Return the watch's own time."""
        now = self.right()
        return now + self._offset_s + self._drift * (now - self._drifts_since_s)

    def jump(self, seconds: float) -> None:
        """Jump forwards, or backwards."""
        self._offset_s += seconds

    def drift(self, seconds_a_day: float) -> None:
        """Run fast by so many seconds a day from now on, or slow; 0: at the right speed."""
        self._offset_s = self() - self.right()
        self._drift, self._drifts_since_s = seconds_a_day / 86_400, self.right()

    def set_to(self, word: str) -> None:
        """Set to one of WRONG_CLOCKS; raises FaultRefusedError."""
        now = self.right()
        self._drift = 0.0
        match word:
            case "right":
                self._offset_s = 0.0
            case "1970":
                self._offset_s = -now
            case "2038":
                self._offset_s = _2038_S - now
            case "gps-rollover":
                self._offset_s = -float(_GPS_WEEKS_S)
            case "ahead":
                self._offset_s = float(_TWO_YEARS_S)
            case "behind":
                self._offset_s = -float(_TWO_YEARS_S)
            case _:
                raise FaultRefusedError(f"there is no clock {word!r}; one of: {' '.join(WRONG_CLOCKS)}")
