"""The limits, and the arithmetic of token buckets. Pure.

A bucket holds ``burst`` tokens, each request costs one, and it refills at a constant rate. docs/limits.md is generated
from this file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Final, NamedTuple

# Floating-point: ten minutes at one token per ten minutes may add slightly less than a token. It counts as one.
ROUNDING: Final = 1e-6
# Maximum number of open event streams of one session, and of all sessions of one guardian.
MOST_STREAMS_OF_SESSION: Final = 4
MOST_STREAMS_OF_GUARDIAN: Final = 12
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NO_WAIT: Final = timedelta(0)


@dataclass(frozen=True)
class Limit:
    """``burst`` at once, then ``refill`` more per ``span``, evenly; ``each`` and ``what`` are texts of the page.

    ``is_shared``: all processes count together, in the database. Money and secrets are behind such limits only.
    """

    burst: int
    refill: int
    span: timedelta
    each: str
    what: str
    is_shared: bool = True

    @cached_property
    def tokens_per_s(self) -> float:
        """Refill rate of a bucket."""
        return self.refill / self.span.total_seconds()

    @property
    def fills_in(self) -> timedelta:
        """Time in which an empty bucket becomes full."""
        return self.span * (self.burst / self.refill)


class Limits(Enum):
    """Every limit of the product except the sizes of the watch protocol. Limits are locked in this order."""

    # The workers of a factory share one address; hand-outs have their own budget.
    CODES_OF_ADDRESS = Limit(60, 60, _HOUR, "client address", "requests for one-time codes")
    # A budget of its own, so that requests of strangers for the same number cannot lock out a known phone.
    CODES_OF_DEVICE = Limit(
        6, 6, _HOUR, "known device", "requests for one-time codes from a device that has logged in before"
    )
    # Half of the phone's daily budget, so that abuse from one address leaves the other half.
    CODES_OF_PHONE_AT_ADDRESS = Limit(5, 12, _DAY, "phone and client address", "requests for one-time codes")
    # With five tries per code, a guesser gets 170 tries of a million on the first day, and 120 on each later day.
    CODES_OF_PHONE = Limit(10, 24, _DAY, "phone", "requests for one-time codes from unknown devices")
    # Numbers that differ only in the last four digits: premium-rate fraud requests codes for whole ranges.
    CODES_OF_PREFIX = Limit(
        30, 30, _HOUR, "range of 10,000 numbers", "requests for one-time codes from unknown devices"
    )
    SMS_OF_COUNTRY = Limit(3000, 3000, _DAY, "country of the number", "text messages requested by unknown devices")
    SMS_OF_COUNTRY_KNOWN = Limit(3000, 3000, _DAY, "country of the number", "text messages requested by known devices")
    TRIES_OF_ADDRESS = Limit(120, 240, _HOUR, "client address", "codes, slips and passwords entered")
    STAFF_TRIES_OF_ACCOUNT_AT_ADDRESS = Limit(10, 10, _HOUR, "staff address and client address", "log-ins of staff")
    # Attempts from many addresses are indistinguishable from the owner's, so the wait stays below two minutes.
    STAFF_TRIES_OF_ACCOUNT = Limit(40, 40, _HOUR, "staff address", "log-ins of staff")
    REQUESTS_OF_STAFF = Limit(1200, 7200, _HOUR, "staff member", "requests", is_shared=False)
    RECOVERIES_OF_STAFF = Limit(20, 20, _DAY, "staff member", "account changes requested or approved")
    LISTS_OF_STAFF = Limit(30, 60, _HOUR, "staff member", "uploaded lists of watches, families, SIM cards and answers")
    # A phone refreshes every 15 minutes, and hundreds of phones share an address.
    REFRESHES_OF_ADDRESS = Limit(600, 6000, _HOUR, "client address", "refreshes of sessions")
    SECOND_STEPS_OF_GUARDIAN = Limit(5, 5, _HOUR, "guardian", "PINs and watch codes entered to prove a new device")
    STEP_UPS_OF_GUARDIAN = Limit(6, 12, _HOUR, "guardian", "PINs entered before a step that cannot be undone")
    NUMBER_CHANGES_OF_GUARDIAN = Limit(3, 3, timedelta(days=30), "guardian", "changes of the own number")
    REQUESTS_OF_GUARDIAN = Limit(1200, 7200, _HOUR, "guardian", "requests", is_shared=False)
    RECORDINGS_OF_GUARDIAN = Limit(60, 120, _HOUR, "guardian", "recordings and parts of uploads begun")
    INVITATIONS_OF_GUARDIAN = Limit(20, 20, _DAY, "guardian", "invitations, each of which sends a text message")
    PUSH_TRIALS_OF_GUARDIAN = Limit(5, 10, _HOUR, "guardian", "trial notifications to an own phone")
    # Per guardian, so that one guardian's requests do not delay the copy of another.
    EXPORTS_OF_GUARDIAN = Limit(6, 12, _DAY, "guardian", "requests for a copy of a family's data")
    EXPORTS_OF_STAFF = Limit(20, 40, _DAY, "staff member", "requests for files of usage")
    # Each hand-out may send up to three text messages per family.
    HAND_OUTS_OF_STAFF = Limit(6, 12, _DAY, "staff member", "hand-outs opened")
    # A wall asks every ten seconds, and several can hang behind one address.
    WALLS_OF_ADDRESS = Limit(600, 3600, _HOUR, "client address", "readings of a hand-out's wall")
    # One process reads uplinks, so these buckets are kept in memory (docs/decisions/0041-watch-rate-limits.md).
    # A recording of a minute has at most 2,048 chunks.
    MESSAGES_OF_WATCH = Limit(
        3000, 36000, _HOUR, "watch (user name)", "MQTT messages; beyond it: receipt `retry`", is_shared=False
    )
    # A minute of speech has at most 1 MiB, and 3,000 arrays of fixes about 32 MiB: a week without network fits.
    BYTES_OF_WATCH = Limit(
        32 * 1024 * 1024, 384 * 1024 * 1024, _HOUR, "watch (user name)", "bytes of MQTT messages; beyond it: `retry`",
        is_shared=False,
    )  # fmt: skip
    # A flooding watch does not get a receipt for each message; it resends messages without a receipt after 30 s.
    RETRIES_OF_WATCH = Limit(
        200, 3600, _HOUR, "watch (user name)", "receipts `retry` for messages beyond the limits", is_shared=False
    )


class Bucket(NamedTuple):
    """The number of tokens at a point in time."""

    tokens: float
    filled_at: datetime


class Taken(NamedTuple):
    """The bucket after a request, and the wait of a refused request (zero: granted)."""

    bucket: Bucket
    wait: timedelta


def take(limit: Limit, bucket: Bucket | None, now: datetime, cost: int = 1) -> Taken:
    """Charge ``cost`` tokens, or none with the wait until they are available. None stands for a full bucket.

    A clock that moves backwards adds and removes nothing. The statement in actions.py computes the same.
    """
    tokens, filled_at = (float(limit.burst), now) if bucket is None else bucket
    if now > filled_at:
        tokens = min(float(limit.burst), tokens + (now - filled_at).total_seconds() * limit.tokens_per_s)
        filled_at = now
    if tokens + ROUNDING >= cost:
        return Taken(Bucket(tokens - cost, filled_at), _NO_WAIT)
    return Taken(Bucket(tokens, filled_at), wait_for(limit, tokens, cost))


def wait_for(limit: Limit, tokens: float, cost: int = 1) -> timedelta:
    """Return the wait until ``cost`` tokens are available."""
    return timedelta(seconds=max(0.0, (cost - tokens) / limit.tokens_per_s))


def whole_seconds(wait: timedelta) -> int:
    """Return a wait as clients receive it: whole seconds, rounded up, at least one."""
    return max(1, math.ceil(wait.total_seconds()))
