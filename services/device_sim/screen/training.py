"""Training mode: steps that a trainer takes with the watch, each done when what it asks for has happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Moment(StrEnum):
    """What the steps wait for."""

    PAIRED = "paired"
    CONTACTS = "contacts"  # a list of contacts is on the watch
    SPOKEN = "spoken"  # a voice message of the child is stored
    OPENED = "opened"  # the child has opened a message
    SOS_SEEN = "sos_seen"
    NETWORK_LOST = "network_lost"
    FLAT = "flat"
    ONLINE = "online"


@dataclass(frozen=True)
class Step:
    """One step: its name, by which the page finds its words, and the moments that make it done, in their order."""

    name: str
    moments: tuple[Moment, ...]


STEPS: Final = (
    Step("pair", (Moment.PAIRED,)),
    Step("contacts", (Moment.CONTACTS,)),
    Step("speak", (Moment.SPOKEN,)),
    Step("receive", (Moment.OPENED,)),
    Step("sos", (Moment.SOS_SEEN,)),
    Step("offline", (Moment.NETWORK_LOST, Moment.ONLINE)),
    Step("flat", (Moment.FLAT, Moment.ONLINE)),
)
# States rather than events: a step that asks for one is done at once where it holds already.
STANDING: Final = frozenset({Moment.PAIRED, Moment.CONTACTS})


class Training:
    """The progress through the steps. `holds` tells whether a standing moment holds now."""

    def __init__(self, holds: Callable[[Moment], bool]) -> None:
        self._holds = holds
        self._is_on = False
        self._step = 0
        self._moment = 0

    def begin(self) -> None:
        """Begin with the first step."""
        self._is_on, self._step, self._moment = True, 0, 0
        self.look()

    def end(self) -> None:
        """Leave the training."""
        self._is_on = False

    def skip(self) -> None:
        """Go to the next step without having taken this one."""
        if self._is_on and self._step < len(STEPS):
            self._next()

    def see(self, moment: Moment) -> None:
        """Take a moment into account; another one than the step waits for changes nothing."""
        if not self._is_on or self._step == len(STEPS):
            return
        wanted = STEPS[self._step].moments
        if moment is not wanted[self._moment]:
            return
        self._moment += 1
        if self._moment == len(wanted):
            self._next()

    def look(self) -> None:
        """Pass the steps whose states hold already; the watch was switched on, or the step is new."""
        while self._is_on and self._step < len(STEPS):
            moments = STEPS[self._step].moments
            if not (STANDING.issuperset(moments) and all(self._holds(moment) for moment in moments)):
                return
            self._step += 1

    def as_json(self) -> dict[str, Any] | None:
        """Return the progress as the page reads it; None while there is no training. No step: all are done."""
        if not self._is_on:
            return None
        step = STEPS[self._step].name if self._step < len(STEPS) else None
        return {"step": step, "number": min(self._step + 1, len(STEPS)), "of": len(STEPS)}

    def _next(self) -> None:
        self._step, self._moment = self._step + 1, 0
        self.look()
