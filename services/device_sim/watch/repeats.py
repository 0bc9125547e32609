"""When an unanswered message is repeated. Pure: no clock, no socket."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Generic, TypeVar

from services.device_sim.watch.timings import backoff_s

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class RepeatSchedule(Generic[K]):
    """Keys and when each is due (seconds of a steady clock). A new connection starts with a new schedule."""

    def __init__(self, first_s: float, max_s: float, random_source: random.Random) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._random = random_source
        self._due: dict[K, tuple[float, int]] = {}

    def add(self, key: K, due_at: float) -> None:
        """Schedule a key; a scheduled key keeps its time."""
        self._due.setdefault(key, (due_at, 0))

    def plan_anew(self, key: K, due_at: float) -> None:
        """Schedule a key anew; its waits begin again from the first."""
        self._due.pop(key, None)
        self._due[key] = (due_at, 0)

    def forget(self, key: K) -> None:
        """Remove a key: it was answered."""
        self._due.pop(key, None)

    def due(self, now: float) -> list[K]:
        """Return the keys that are due, in the order in which they were scheduled."""
        return [key for key, (due_at, _) in self._due.items() if due_at <= now]

    def is_due(self, key: K, now: float) -> bool:
        """Return whether this key is due."""
        return key in self._due and self._due[key][0] <= now

    def mark_said(self, key: K, now: float) -> None:
        """Schedule the next repeat of a key that was published."""
        if key in self._due:
            attempt = self._due[key][1]
            self._due[key] = (now + backoff_s(attempt, self._first_s, self._max_s, self._random), attempt + 1)

    def next_at(self) -> float | None:
        """Return when the next key is due; None when nothing is scheduled."""
        return min((due_at for due_at, _ in self._due.values()), default=None)


class PartsCollector(Generic[T]):
    """Joins the parts of a message. Another name or number of parts starts anew: the newest message counts."""

    def __init__(self) -> None:
        self._name: tuple[Hashable, int] | None = None
        self._pieces: dict[int, T] = {}

    def add(self, name: Hashable, part: int, parts: int, piece: T) -> list[T] | None:
        """Add part `part` of 1 to `parts`; return all parts in order once the last has come, in whatever order."""
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
