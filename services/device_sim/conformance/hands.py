"""Whose hands press the buttons of the watch under test: a tester's, or those of our own simulator."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final, Protocol

from services.device_sim.console.console import say


class Press(StrEnum):
    """The request of a step."""

    PAIR = "pair"
    TEXT = "text"
    VOICE = "voice"
    READ = "read"
    SOS = "sos"
    FIX = "fix"
    POWER_CYCLE = "power_cycle"
    SWITCH_OFF = "switch_off"
    SWITCH_ON = "switch_on"
    FILL_MEMORY = "fill_memory"
    FREE_MEMORY = "free_memory"
    USAGE = "usage"


class Look(StrEnum):
    """Questions that only eyes and ears can answer."""

    NOT_SENT = "not_sent"
    SHOWN_ONCE = "shown_once"
    REMOVED = "removed"
    STATE_PLAYED = "state_played"
    WHOM_TO_CALL = "whom_to_call"
    CALL_STATES = "call_states"
    OLD_SEEN = "old_seen"
    RANG_ONCE = "rang_once"
    SILENT = "silent"


PRESSES: Final = {
    Press.PAIR: "Switch the watch on and let it show a pairing code.",
    Press.TEXT: "Send a text or an emoji to the family.",
    Press.VOICE: "Record three seconds for the family.",
    Press.READ: "Open the newest message on the watch.",
    Press.SOS: "Press SOS.",
    Press.FIX: "Let the watch check in with its place (the button, or what stands for it).",
    Press.POWER_CYCLE: "Take the battery out (or hold the power button until the screen is dark), then switch on.",
    Press.SWITCH_OFF: "Switch the watch off by its menu.",
    Press.SWITCH_ON: "Switch the watch on.",
    Press.FILL_MEMORY: "Fill the memory for messages. Skip this where it cannot be done: wait.",
    Press.FREE_MEMORY: "Make room again.",
    Press.USAGE: "Let the watch report its usage counters.",
}
LOOKS: Final = {
    Look.NOT_SENT: "Does the watch show that the last message was not sent?",
    Look.SHOWN_ONCE: "Does the message `once only` stand on the watch exactly once?",
    Look.REMOVED: "Is the message `will be removed` gone from the watch?",
    Look.STATE_PLAYED: "Does the watch show that Mama has heard or read the child's message?",
    Look.WHOM_TO_CALL: "Does the watch show whom the child can call (Mama)?",
    Look.CALL_STATES: "Did the watch show: the family is being called, Mama has seen it, then whom to call?",
    Look.OLD_SEEN: "Did the watch show the last answer with its time, and without sound?",
    Look.RANG_ONCE: "Did the watch ring exactly once?",
    Look.SILENT: "Did the last message come silently?",
}


class Hand(Protocol):
    """Presses and looks. `press` returns at once where nobody can press; the step then waits in vain."""

    async def press(self, press: Press) -> None:
        """Press, or ask the tester to."""

    async def look(self, look: Look) -> bool | None:
        """Return what is seen; None when nobody can tell."""


class TesterHand:
    """Asks a person at the terminal."""

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks

    async def press(self, press: Press) -> None:
        """Print what to press; the step sees the frame, so nothing has to be typed."""
        say(f"  → {PRESSES[press]}")

    async def look(self, look: Look) -> bool | None:
        """Ask a question; anything but y and n counts as "cannot tell"."""
        if not self._asks:
            return None
        answer = await asyncio.to_thread(input, f"  ? {LOOKS[look]} [y/n, Enter: cannot tell] ")
        return {"y": True, "n": False}.get(answer.strip().lower()[:1])
