"""One step of a check: what it is called, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.hands import Hand


@dataclass(frozen=True)
class Step:
    """A step. It needs the steps before it: the list is walked in order."""

    name: str
    run: Callable[[WatchBench, Hand], Awaitable[None]]
    needs_pairing: bool = True
    lasts_s: int = 10  # at the pace of the contract, presses not counted


class StepSkippedError(Exception):
    """A step cannot go on because something did not come; its sentences stay as they are."""
