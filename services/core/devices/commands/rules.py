"""Decisions about commands: which there are, how long they wait, how often they may be given, their states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class CommandKind(StrEnum):
    """What a watch can be told to do. Nothing listens, calls unasked or uses a camera: such kinds do not exist.

    Nor does ``wipe``: a watch wipes itself when it learns, as factory identity, that its pairing has ended.
    """

    LOCATE = "locate"
    RING = "ring"
    RESTART = "restart"
    LOST = "lost"
    # It is back: the screen that `lost` locked opens.
    FOUND = "found"


class CommandState(StrEnum):
    """How far a command has come. ``sent`` is our word, ``delivered`` and what follows are the watch's."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


# Whoever gives one takes back the other, so that the last word is the one that holds.
OPPOSITE: Final = {CommandKind.LOST: CommandKind.FOUND, CommandKind.FOUND: CommandKind.LOST}

OPEN_STATES: Final = (CommandState.WAITING, CommandState.SENT, CommandState.DELIVERED)

# A command is worth something now or not at all; a watch that is lost may come back into reach days later.
_TTL_S: Final = {
    CommandKind.LOCATE: 90,
    CommandKind.RING: 120,
    CommandKind.RESTART: 600,
    CommandKind.LOST: 7 * 24 * 3600,
    CommandKind.FOUND: 7 * 24 * 3600,
}
# An answer is on its way for a while after the watch has given it.
ANSWER_GRACE: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Limit:
    """How often a kind may be given to one child's watch, whoever asks: a pause between two, and so many an hour."""

    pause: timedelta
    per_hour: int


_LIMITS: Final = {
    CommandKind.LOCATE: Limit(timedelta(seconds=30), 20),
    CommandKind.RING: Limit(timedelta(seconds=10), 20),
    CommandKind.RESTART: Limit(timedelta(minutes=5), 4),
    CommandKind.LOST: Limit(timedelta(seconds=10), 10),
    CommandKind.FOUND: Limit(timedelta(seconds=10), 10),
}
_HOUR: Final = timedelta(hours=1)

# From which states the watch's word moves a command on. `expired` is our guess until the watch has spoken.
_MOVES: Final = {
    CommandState.DELIVERED: frozenset({CommandState.WAITING, CommandState.SENT}),
    CommandState.DONE: frozenset({*OPEN_STATES, CommandState.EXPIRED}),
    CommandState.FAILED: frozenset({*OPEN_STATES, CommandState.EXPIRED}),
    CommandState.EXPIRED: frozenset(OPEN_STATES),
}
# The words of an acknowledgement on the wire; a test holds them equal.
ANSWERS: Final = {
    "taken": CommandState.DELIVERED,
    "done": CommandState.DONE,
    "failed": CommandState.FAILED,
    "expired": CommandState.EXPIRED,
}


def ttl_s(kind: CommandKind) -> int:
    """Return for how many seconds a command may still be carried out."""
    return _TTL_S[kind]


def wait_before_next(kind: CommandKind, asked_at: Sequence[datetime], now: datetime) -> timedelta:
    """Return how long to wait before this kind may be given to the child's watch again; zero: now."""
    limit = _LIMITS[kind]
    if not asked_at:
        return timedelta(0)
    waits = [timedelta(0), max(asked_at) + limit.pause - now]
    recent = sorted(at for at in asked_at if at > now - _HOUR)
    if len(recent) >= limit.per_hour:
        waits.append(recent[-limit.per_hour] + _HOUR - now)
    return max(waits)


def may_move(state: CommandState, asked: CommandState) -> bool:
    """Tell whether a command can go from one state to the other; a repeat is no move."""
    return state in _MOVES.get(asked, frozenset())


def is_to_be_sent(state: CommandState, sent_at: datetime | None, hello_at: datetime | None) -> bool:
    """Tell whether the watch is to be told: never yet, or not on the connection it has now."""
    if state is CommandState.WAITING or sent_at is None:
        return state in OPEN_STATES
    return state is CommandState.SENT and hello_at is not None and sent_at < hello_at
