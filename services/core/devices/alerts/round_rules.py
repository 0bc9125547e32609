"""Decisions about rounds of calls: who is called when, when a round repeats, when calling ends. Pure.

docs/sos.md shows the time line of a call that nobody answers.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# In each round, guardians whose phone took no push note lately are called at once, the others after this time.
OTHERS_AFTER: Final = timedelta(seconds=60)
# Time after the last call of a round before the child is told that nobody answered.
UNANSWERED_AFTER: Final = timedelta(seconds=60)
# Time from the last call of a round to the next round; the last pause repeats.
_PAUSES: Final = (
    timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60),
)  # fmt: skip
# How long guardians are called after a press of the button.
CALLING_MAX: Final = timedelta(hours=6)
# A phone that took a push note within this time is expected to show the next one.
PUSH_FRESH_FOR: Final = timedelta(hours=24)
# Time after "I take care" before the guardian is asked whether the child is all right.
CHECK_AFTER: Final = timedelta(minutes=15)
# An answer that took longer from tap to backend is old news for the child.
LATE_AFTER: Final = timedelta(seconds=60)


class Step(StrEnum):
    """The step that is due at ``escalate_at``."""

    BEGIN = "begin"
    OTHERS = "others"
    CONCLUDE = "conclude"


class CallState(StrEnum):
    """State of a call on the child's watch; words of the watch protocol (a test compares them)."""

    CALLING = "calling"
    SEEN = "seen"
    UNANSWERED = "unanswered"


class AnswerKind(StrEnum):
    """A guardian's answer to an alert."""

    TAKE_CARE = "take_care"
    CANNOT_HELP = "cannot_help"


def pause_after(round_no: int) -> timedelta:
    """Return the time from the last call of a round (counted from 1) to the next round."""
    return _PAUSES[min(max(round_no, 1), len(_PAUSES)) - 1]


def next_round_at(round_no: int, called_at: datetime, until: datetime) -> datetime | None:
    """Return when the next round begins, or None when calling ends before."""
    at = called_at + pause_after(round_no)
    return at if at < until else None


def earlier_round_at(due_at: datetime, called_at: datetime, now: datetime) -> datetime:
    """Return when the next round begins after another press: five minutes after the last calls, or at once.

    Ten presses must not cost each guardian ten messages, and a press during a pause of an hour must not wait for it.
    """
    return min(due_at, max(now, called_at + pause_after(1)))


def called_at_once(guardians: Collection[str], with_push: Collection[str]) -> list[str]:
    """Return the guardians who are called at the begin of a round, in their order: those without a working push."""
    return [guardian for guardian in guardians if guardian not in with_push]


def tapped_at(said_at: datetime | None, raised_at: datetime, now: datetime) -> datetime:
    """Return when an answer was tapped; a time before the alert or in the future is a wrong clock and counts as now."""
    if said_at is None or not raised_at <= said_at <= now:
        return now
    return said_at


def is_late(tapped: datetime, received_at: datetime) -> bool:
    """Return whether an answer is too old to be shown to the child as new."""
    return received_at - tapped > LATE_AFTER
