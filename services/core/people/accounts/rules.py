"""Log-in rules: when a code can be sent, when it is accepted, how long sessions last. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Final

from services.core.people.accounts.errors import (
    BusyTooLongError,
    PasswordRefusedError,
    PinRefusedError,
)

CODE_DIGITS: Final = 6
CODE_LIFETIME: Final = timedelta(minutes=10)
CODE_TRIES: Final = 5
# In rural networks an SMS takes up to a minute; an earlier request would void the code in transit.
RESEND_WAIT: Final = timedelta(seconds=60)

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
# Phone numbers change owners. A device unused for this period needs the second step again.
DEVICE_LIFETIME: Final = timedelta(days=60)
# A log-in without the second step expires after this period.
LIMITED_LIFETIME: Final = timedelta(hours=24)
# Another guardian can approve a log-in only while somebody still waits for it.
APPROVAL_LIFETIME: Final = timedelta(minutes=30)
# A guardian reads which phone asks before a tap on "approve" counts.
READING_TIME: Final = timedelta(seconds=5)
# How long the owner of a number keeps new phones out.
BLOCK_LIFETIME: Final = timedelta(hours=24)
# A step that cannot be undone needs a PIN, a second step or a fresh code given within this period.
STEP_UP_LIFETIME: Final = timedelta(minutes=5)
# A refresh response can be lost: within this period the same token returns the same successor.
REFRESH_GRACE: Final = timedelta(seconds=60)

# The longest shift; without a bound, a mistyped year would show a child the wrong state for months.
BUSY_LONGEST: Final = timedelta(hours=24)

STAFF_ACCESS_LIFETIME: Final = timedelta(minutes=10)
# Protects a browser left open in an office.
STAFF_IDLE: Final = timedelta(minutes=30)
STAFF_LONGEST: Final = timedelta(hours=12)
RECOVERY_CODES: Final = 10
RECOVERY_CODE_GROUP: Final = 5
# In addition to the authenticator app; NIST SP 800-63B requires 8 in that case.
PASSWORD_CHARACTERS_MIN: Final = 12
_PASSWORD_DIFFERENT_MIN: Final = 5

_PIN: Final = re.compile(r"[0-9]{6,12}", re.ASCII)


def wait_before_next_code(last_sent_at: datetime | None, now: datetime) -> timedelta:
    """Return how long the last requester must wait before the phone is sent another code; zero: no wait."""
    return timedelta(0) if last_sent_at is None else max(timedelta(0), last_sent_at + RESEND_WAIT - now)


def number_range(phone: str) -> str:
    """Return the block of 10,000 numbers around an E.164 number, as their common prefix."""
    return phone[:-4]


@dataclass(frozen=True)
class Challenge:
    """The stored state of a one-time code when an attempt is made."""

    expires_at: datetime
    ended: bool
    tries: int


def code_counts(challenge: Challenge, now: datetime) -> bool:
    """Return whether a code still accepts attempts."""
    return not challenge.ended and challenge.tries < CODE_TRIES and now < challenge.expires_at


class RefreshVerdict(Enum):
    """The outcome for a presented refresh token."""

    ROTATE = "rotate"
    # The same successor as before, because its first response was lost.
    REPEAT = "repeat"
    EXPIRED = "expired"
    # Reuse indicates a stolen token: the session ends.
    REUSED = "reused"


@dataclass(frozen=True)
class PresentedToken:
    """A stored refresh token, and whether its successor was used."""

    expires_at: datetime
    used_at: datetime | None
    successor_used: bool


def judge_refresh(token: PresentedToken, now: datetime) -> RefreshVerdict:
    """Decide the outcome for a refresh token.

    A thief who reuses a token within the grace period gets the same successor as its owner. The second use of that
    successor, after the grace period, ends the session for both.
    """
    if token.used_at is not None:
        if not token.successor_used and now - token.used_at <= REFRESH_GRACE:
            return RefreshVerdict.REPEAT
        return RefreshVerdict.REUSED
    return RefreshVerdict.EXPIRED if now >= token.expires_at else RefreshVerdict.ROTATE


def busy_until(until: datetime | None, now: datetime) -> datetime | None:
    """Return the end of a guardian's shift; None: not on shift. Raises BusyTooLongError beyond a day."""
    if until is None or until <= now:
        return None
    if until - now > BUSY_LONGEST:
        raise BusyTooLongError
    return until


@dataclass(frozen=True)
class StoredSession:
    """The stored state of a session when a request uses it."""

    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None = None
    limited: bool = False


def session_is_live(session: StoredSession, now: datetime) -> bool:
    """Return whether a session is live: not ended, refreshed in time, and not limited for longer than a day."""
    if session.ended_at is not None or (session.limited and now - session.created_at >= LIMITED_LIFETIME):
        return False
    return now - session.last_used_at < REFRESH_LIFETIME


def wait_before_approval(shown_at: datetime | None, now: datetime) -> timedelta:
    """Return how long an approver must still read a waiting log-in; None: it was never shown. Zero: no wait."""
    return READING_TIME if shown_at is None else max(timedelta(0), shown_at + READING_TIME - now)


def approval_is_open(created_at: datetime, now: datetime) -> bool:
    """Return whether a log-in that was opened at ``created_at`` can still be approved by another guardian."""
    return now - created_at < APPROVAL_LIFETIME


def is_stepped_up(stepped_up_at: datetime | None, now: datetime) -> bool:
    """Return whether a session gave its proof within the last five minutes."""
    return stepped_up_at is not None and now - stepped_up_at < STEP_UP_LIFETIME


def new_phones_are_blocked(until: datetime | None, now: datetime) -> bool:
    """Return whether the owner of a number keeps new phones out."""
    return until is not None and now < until


def staff_session_is_live(session: StoredSession, now: datetime) -> bool:
    """Return whether a staff session is live: not ended, used within half an hour, no older than a working day."""
    if session.ended_at is not None or now - session.created_at >= STAFF_LONGEST:
        return False
    return now - session.last_used_at < STAFF_IDLE


def device_is_known(trusted_at: datetime | None, last_used_at: datetime, now: datetime) -> bool:
    """Return whether a device's token and a code suffice: trusted before, and used within 60 days."""
    return trusted_at is not None and now - last_used_at < DEVICE_LIFETIME


def check_password(password: str, before: str) -> str:
    """Return a valid self-chosen password.

    Raises PasswordRefusedError unless it has at least 12 characters, 5 distinct ones, and differs from the previous
    password.
    """
    if len(password) < PASSWORD_CHARACTERS_MIN or len(set(password)) < _PASSWORD_DIFFERENT_MIN or password == before:
        raise PasswordRefusedError
    return password


def check_pin(pin: str) -> str:
    """Return a valid PIN; raises PinRefusedError unless it is 6 to 12 digits and not an obvious sequence."""
    if _PIN.fullmatch(pin) is None:
        raise PinRefusedError
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {9}):
        raise PinRefusedError
    return pin
