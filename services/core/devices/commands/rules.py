"""Decisions about commands: kinds, lifetimes, rates, states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class CommandKind(StrEnum):
    """Kinds of command. No kind listens, calls unasked or uses a camera.

    There is no ``wipe``: a watch wipes itself when it learns, as factory identity, that its pairing has ended.
    """

    LOCATE = "locate"
    RING = "ring"
    RESTART = "restart"
    LOST = "lost"
    # Unlocks the screen that `lost` locked.
    FOUND = "found"


class CommandState(StrEnum):
    """States of a command. The backend sets ``sent``; ``delivered`` and the later states follow the watch's answers."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


# Either command cancels the other, so that the last one counts.
OPPOSITE: Final = {CommandKind.LOST: CommandKind.FOUND, CommandKind.FOUND: CommandKind.LOST}

OPEN_STATES: Final = (CommandState.WAITING, CommandState.SENT, CommandState.DELIVERED)

# Most commands are useful for minutes only; a lost watch may be reachable days later.
_TTL_S: Final = {
    CommandKind.LOCATE: 90,
    CommandKind.RING: 120,
    CommandKind.RESTART: 600,
    CommandKind.LOST: 7 * 24 * 3600,
    CommandKind.FOUND: 7 * 24 * 3600,
}
# Time that an answer may need on its way.
ANSWER_GRACE: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Limit:
    """The rate of a kind for one child's watch, over all guardians: a pause between two, and a number an hour."""

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

# From which states an answer of the watch changes the state. `expired` is the backend's guess until an answer comes.
_MOVES: Final = {
    CommandState.DELIVERED: frozenset({CommandState.WAITING, CommandState.SENT}),
    CommandState.DONE: frozenset({*OPEN_STATES, CommandState.EXPIRED}),
    CommandState.FAILED: frozenset({*OPEN_STATES, CommandState.EXPIRED}),
    CommandState.EXPIRED: frozenset(OPEN_STATES),
}
# Words of `up/ack`; a test compares them with the protocol.
ANSWERS: Final = {
    "taken": CommandState.DELIVERED,
    "done": CommandState.DONE,
    "failed": CommandState.FAILED,
    "expired": CommandState.EXPIRED,
}


def ttl_s(kind: CommandKind) -> int:
    """Return the lifetime of a command in seconds."""
    return _TTL_S[kind]


def wait_before_next(kind: CommandKind, asked_at: Sequence[datetime], now: datetime) -> timedelta:
    """Return how long this kind has to wait until it may be queued for the child's watch again; zero: now."""
    limit = _LIMITS[kind]
    if not asked_at:
        return timedelta(0)
    waits = [timedelta(0), max(asked_at) + limit.pause - now]
    recent = sorted(at for at in asked_at if at > now - _HOUR)
    if len(recent) >= limit.per_hour:
        waits.append(recent[-limit.per_hour] + _HOUR - now)
    return max(waits)


def may_move(state: CommandState, target: CommandState) -> bool:
    """Return whether a command can change from one state to the other; a repeat of a state is no change."""
    return state in _MOVES.get(target, frozenset())


def is_to_be_sent(state: CommandState, sent_at: datetime | None, hello_at: datetime | None) -> bool:
    """Return whether a command has to be sent: it was never sent, or not on the present connection."""
    if state is CommandState.WAITING or sent_at is None:
        return state in OPEN_STATES
    return state is CommandState.SENT and hello_at is not None and sent_at < hello_at
