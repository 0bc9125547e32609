"""Decide which guardian may pair which watch with which child. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

CODE_LIVES = timedelta(minutes=10)
# A repeated request returns the same code while it is valid for this long: a parent may be typing it.
CODE_REUSED_WHILE = timedelta(seconds=60)
# A watch that shows a new code every ten minutes asks 6 times an hour; 20 leaves room for restarts.
CODES_PER_WATCH = 20
CODES_PER_WATCH_WINDOW = timedelta(hours=1)
# A six-digit code among 50 live ones is hit by 1 in 20,000 guesses: 5 guesses a quarter of an hour are harmless.
TRIES_PER_GUARDIAN = 5
TRIES_WINDOW = timedelta(minutes=15)
# Credentials that no hello confirmed are revoked after this.
UNCONFIRMED_LIVES = timedelta(hours=24)


class UnpairReason(StrEnum):
    """Reasons for the end of a pairing."""

    UNPAIRED = "unpaired"
    LOST = "lost"
    RETURNED = "returned"
    REPLACED = "replaced"
    UNCONFIRMED = "unconfirmed"
    ERASED = "erased"


class Verdict(StrEnum):
    """The decision about an entered code."""

    PAIR = "pair"
    # The same child again, after the watch lost its credentials: history stays, the old identity ends.
    REPLACE = "replace"
    # Not a watch of this guardian: the answer is "unknown or expired".
    UNKNOWN = "unknown"
    # The same, and the guardians of the paired child are notified.
    UNKNOWN_AND_NOTIFY = "unknown_and_tell"
    CHILD_HAS_WATCH = "child_has_watch"


@dataclass(frozen=True)
class Situation:
    """The facts when a current code is entered for a child."""

    watch_may_log_in: bool
    watch_site_id: uuid.UUID
    handed_out_to: uuid.UUID | None
    worn_by_child: uuid.UUID | None
    family_id: uuid.UUID
    family_site_id: uuid.UUID | None
    child_id: uuid.UUID
    child_wears_a_watch: bool


def judge(situation: Situation) -> Verdict:
    """Return the decision; all refusals look the same to a stranger."""
    if not situation.watch_may_log_in:
        return Verdict.UNKNOWN
    if situation.worn_by_child is not None:
        return Verdict.REPLACE if situation.worn_by_child == situation.child_id else Verdict.UNKNOWN_AND_NOTIFY
    if situation.handed_out_to is not None:
        mine = situation.handed_out_to == situation.family_id
    else:
        mine = situation.family_site_id is not None and situation.watch_site_id == situation.family_site_id
    if not mine:
        return Verdict.UNKNOWN
    return Verdict.CHILD_HAS_WATCH if situation.child_wears_a_watch else Verdict.PAIR
