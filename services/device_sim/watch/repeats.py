"""When what was not answered is said again. Pure: no clock, no socket."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Generic, TypeVar

from services.device_sim.watch.timings import backoff_s

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class RepeatSchedule(Generic[K]):
    """Keys and when each is due (seconds of any steady clock). A new connection starts with a new schedule."""

    def __init__(self, first_s: float, max_s: float, random_source: random.Random) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._random = random_source
        self._due: dict[K, tuple[float, int]] = {}

    def add(self, key: K, due_at: float) -> None:
        """Plan a key; one that is planned already keeps its time."""
        self._due.setdefault(key, (due_at, 0))

    def plan_anew(self, key: K, due_at: float) -> None:
        """Plan a key whatever was planned before; its waits begin from the first again."""
        self._due.pop(key, None)
        self._due[key] = (due_at, 0)

    def forget(self, key: K) -> None:
        """An answer came."""
        self._due.pop(key, None)

    def due(self, now: float) -> list[K]:
        """Return what is to be said now, in the order in which it was planned."""
        return [key for key, (due_at, _) in self._due.items() if due_at <= now]

    def is_due(self, key: K, now: float) -> bool:
        """Tell whether this is (still) to be said now."""
        return key in self._due and self._due[key][0] <= now

    def mark_said(self, key: K, now: float) -> None:
        """It was said: again after the next wait, unless it is answered before."""
        if key in self._due:
            attempt = self._due[key][1]
            self._due[key] = (now + backoff_s(attempt, self._first_s, self._max_s, self._random), attempt + 1)

    def next_at(self) -> float | None:
        """Return when the next is due, None when nothing is planned."""
        return min((due_at for due_at, _ in self._due.values()), default=None)


class PartsCollector(Generic[T]):
    """Puts together what comes in parts. Another name or number of parts starts afresh: the newest counts."""

    def __init__(self) -> None:
        self._name: tuple[Hashable, int] | None = None
        self._pieces: dict[int, T] = {}

    def add(self, name: Hashable, part: int, parts: int, piece: T) -> list[T] | None:
        """Take a part (1 to `parts`); return all in order once the last has come, whatever order they came in."""
        if self._name != (name, parts):
            self._name = (name, parts)
            self._pieces = {}
        self._pieces[part] = piece
        if len(self._pieces) < parts:
            return None
        whole = [self._pieces[number] for number in sorted(self._pieces)]
        self._name = None
        self._pieces = {}
        return whole
