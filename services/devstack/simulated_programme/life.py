"""Model of how simulated families use their watches. Pure, and deterministic for a seed.

The distributions are assumptions that exercise the indicators; they contain no numbers of a real programme.
"""
# ruff: noqa: PLR2004 - the numbers are assumptions, each used once where it applies

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

COUNTRIES: Final = (
    ("CN", "Asia/Shanghai", "zh-Hans", 5), ("VN", "Asia/Ho_Chi_Minh", "vi", 3), ("TR", "Europe/Istanbul", "tr", 2),
)  # fmt: skip
# Holidays, on which parents are at home and families talk without watches: first day, number of days.
HOLIDAYS: Final = {
    "CN": ((date(2025, 1, 25), 14), (date(2026, 2, 14), 14), (date(2027, 2, 3), 14), (date(2025, 10, 1), 7),
           (date(2026, 10, 1), 7)),
    "VN": ((date(2025, 1, 25), 10), (date(2026, 2, 14), 10), (date(2027, 2, 3), 10)),
    "TR": ((date(2025, 3, 29), 4), (date(2025, 6, 6), 5), (date(2026, 3, 19), 4), (date(2026, 5, 26), 5)),
}  # fmt: skip
_BREAKS_H: Final = (6.5, 12.2, 18.5, 20.5)
_SUNDAY: Final = 6


@dataclass(frozen=True)
class Happening:
    """One conversation fact: its kind, its time, its message (none for a reminder), its voice duration."""

    kind: str
    at: datetime
    ref_id: uuid.UUID | None
    voice_ms: int | None = None
    # Set for facts recorded after they happened; ``at`` is then the time of recording.
    happened_at: datetime | None = None


@dataclass(frozen=True)
class Daily:
    """A watch's counters of one day: the period, and the counters under their names in ``up/usage``."""

    started_at: datetime
    ended_at: datetime
    worn_s: int
    calls_in: int
    call_s: int
    reboots: int
    battery_min_pct: int
    offline_s: int


class SimulatedFamily:
    """One family: how often it talks, and when it stops."""

    def __init__(self, chance: random.Random, country: str, zone: ZoneInfo, days: int) -> None:
        self._chance = chance
        self._country = country
        self._zone = zone
        # Exchanges a day; a few families never start.
        self._rate = 0.0 if chance.random() < 0.03 else min(chance.lognormvariate(-0.25, 0.6), 3.0)
        self._answers = chance.betavariate(5, 2)
        self._calls = 0.5 if chance.random() < 0.1 else 0.05
        self._reach = chance.betavariate(9, 1)
        # One family in five stops within a year, mostly early; every thirtieth watch breaks.
        stops = int(chance.expovariate(0.22 / 364))
        breaks = int(chance.expovariate(0.035 / 364))
        # Some guardians turn reminders on; those who stop talking turn them off later.
        self._reminded_until = stops + 14 if chance.random() < 0.3 else 0
        self._spoke = True
        self.quiet_from = stops
        self.broken_on = breaks if breaks < days else None
        self.returned_on = stops + 20 if stops + 20 < days and chance.random() < 0.3 else None

    def day(self, number: int, day: date) -> tuple[list[Happening], Daily | None]:
        """Return the facts of one day, and the watch's report of it."""
        gone = [moment for moment in (self.broken_on, self.returned_on) if moment is not None]
        if gone and number >= min(gone):
            return [], None
        happenings = list(self._talk(number, day))
        spoke = any(happening.kind == "message_to_child_stored" for happening in happenings)
        if not self._spoke and number < self._reminded_until:
            happenings += self._reminder(day, followed=spoke)
        self._spoke = bool(happenings)
        return happenings, self._report(number, day)

    def _reminder(self, day: date, *, followed: bool) -> list[Happening]:
        """Return the facts of a reminder after a silent day: the sending, and a day later its outcome."""
        reminded_at = self._moment(day, 9) + timedelta(minutes=self._chance.random() * 5)
        kind = "starter_followed" if followed else "starter_not_followed"
        return [
            Happening("starter_nudged", reminded_at, None),
            Happening(kind, reminded_at + timedelta(days=1), None, happened_at=reminded_at),
        ]

    def _rate_on(self, number: int, day: date) -> float:
        if number >= self.quiet_from:
            return 0.0
        rate = self._rate * (0.7 + 0.3 * math.exp(-number / 45))
        if day.weekday() == _SUNDAY:
            rate *= 1.6
        if any(first <= day < first + timedelta(days=length) for first, length in HOLIDAYS[self._country]):
            rate *= 0.15
        return rate

    def _talk(self, number: int, day: date) -> Iterator[Happening]:
        rate = self._rate_on(number, day)
        exchanges = int(rate) + (self._chance.random() < rate % 1)
        for _ in range(exchanges):
            spoken_at = self._moment(day, self._chance.choice(_BREAKS_H) + self._chance.random() * 0.5)
            played_at = yield from self._message("to_child", spoken_at)
            if self._chance.random() < self._answers:
                answered_at = max(played_at, self._moment(day, 16.2)) + self._minutes(40)
                yield from self._message("to_family", answered_at)

    def _message(self, direction: str, at: datetime) -> Generator[Happening, None, datetime]:
        ref = uuid.UUID(int=self._chance.getrandbits(128), version=4)
        yield Happening(f"message_{direction}_stored", at, ref, int(self._chance.gauss(7_000, 2_500) % 20_000))
        reachable = self._chance.random() < self._reach
        delivered_at = at + (self._minutes(1.2) if reachable else self._minutes(400))
        yield Happening(f"message_{direction}_delivered", delivered_at, ref)
        played_at = delivered_at + self._minutes(90)
        if self._chance.random() < 0.88:
            yield Happening(f"message_{direction}_played", played_at, ref)
        return played_at

    def _report(self, number: int, day: date) -> Daily | None:
        if self._chance.random() > 0.3 + 0.7 * self._reach or (
            number >= self.quiet_from and self._chance.random() < 0.7  # it lies in a drawer
        ):
            return None
        worn_h = max(0.0, self._chance.gauss(9, 2.5)) if number < self.quiet_from else 0.0
        calls = int(self._chance.random() < self._calls and number < self.quiet_from)
        return Daily(
            started_at=self._moment(day, 7), ended_at=self._moment(day, 21), worn_s=int(min(worn_h, 14) * 3600),
            calls_in=calls, call_s=calls * self._chance.randint(30, 400), reboots=int(self._chance.random() < 0.04),
            battery_min_pct=self._chance.randint(3, 70),
            offline_s=int((1 - self._reach) * 14 * 3600 * self._chance.random()),
        )  # fmt: skip

    def _minutes(self, mean: float) -> timedelta:
        return timedelta(minutes=self._chance.expovariate(1 / mean))

    def _moment(self, day: date, hour: float) -> datetime:
        return (datetime.combine(day, time.min, self._zone) + timedelta(hours=hour)).astimezone(UTC)
