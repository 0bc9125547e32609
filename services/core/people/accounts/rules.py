"""Decisions about log-in: when a code may be sent, when it still counts, how sessions go on. Pure."""

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
# An SMS in rural networks takes up to a minute; asking again sooner only voids the code on its way.
RESEND_WAIT: Final = timedelta(seconds=60)

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
# A number can change hands. A device unused for so long has to prove again that it is the guardian's.
DEVICE_LIFETIME: Final = timedelta(days=60)
# A log-in that nobody completes is over after this.
LIMITED_LIFETIME: Final = timedelta(hours=24)
# The answer to a refresh can be lost on the way: the same token gets the same successor again for so long.
REFRESH_GRACE: Final = timedelta(seconds=60)

# The longest shift anyone works; a mistyped year would leave a child waiting.
BUSY_LONGEST: Final = timedelta(hours=24)

STAFF_ACCESS_LIFETIME: Final = timedelta(minutes=10)
# A browser left open in an office.
STAFF_IDLE: Final = timedelta(minutes=30)
STAFF_LONGEST: Final = timedelta(hours=12)
RECOVERY_CODES: Final = 10
RECOVERY_CODE_GROUP: Final = 5
# Beside an authenticator app; NIST SP 800-63B asks for 8 then.
PASSWORD_CHARACTERS_MIN: Final = 12
_PASSWORD_DIFFERENT_MIN: Final = 5

_PIN: Final = re.compile(r"[0-9]{6,12}", re.ASCII)


def wait_before_next_code(last_sent_at: datetime | None, now: datetime) -> timedelta:
    """Return how long whoever asked last must wait before the phone is sent another code; zero: it may be sent now."""
    return timedelta(0) if last_sent_at is None else max(timedelta(0), last_sent_at + RESEND_WAIT - now)


def number_range(phone: str) -> str:
    """Return the 10,000 numbers that an E.164 number stands among, as their common digits."""
    return phone[:-4]


@dataclass(frozen=True)
class Challenge:
    """What is known of a one-time code when somebody enters one."""

    expires_at: datetime
    ended: bool
    tries: int


def code_counts(challenge: Challenge, now: datetime) -> bool:
    """Tell whether a code may be tried at all."""
    return not challenge.ended and challenge.tries < CODE_TRIES and now < challenge.expires_at


class RefreshVerdict(Enum):
    """What a presented refresh token gets."""

    ROTATE = "rotate"
    # The same successor as before: its first answer was lost.
    REPEAT = "repeat"
    EXPIRED = "expired"
    # Somebody else has it: the session ends.
    REUSED = "reused"


@dataclass(frozen=True)
class PresentedToken:
    """A refresh token as stored, and whether its successor was used."""

    expires_at: datetime
    used_at: datetime | None
    successor_used: bool


def judge_refresh(token: PresentedToken, now: datetime) -> RefreshVerdict:
    """Decide what a refresh token gets.

    A thief who repeats a token within the grace gets the same successor as its owner; whichever of them uses that
    successor second, later than the grace, ends the session for both.
    """
    if token.used_at is not None:
        if not token.successor_used and now - token.used_at <= REFRESH_GRACE:
            return RefreshVerdict.REPEAT
        return RefreshVerdict.REUSED
    return RefreshVerdict.EXPIRED if now >= token.expires_at else RefreshVerdict.ROTATE


def busy_until(asked: datetime | None, now: datetime) -> datetime | None:
    """Return until when a guardian is on shift; None: not now. Raises BusyTooLongError beyond a day."""
    if asked is None or asked <= now:
        return None
    if asked - now > BUSY_LONGEST:
        raise BusyTooLongError
    return asked


@dataclass(frozen=True)
class StoredSession:
    """What is known of a session when somebody speaks in its name."""

    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None = None
    limited: bool = False


def session_is_live(session: StoredSession, now: datetime) -> bool:
    """Tell whether a session still stands: not ended, refreshed in time, and not limited for longer than a day."""
    if session.ended_at is not None or (session.limited and now - session.created_at >= LIMITED_LIFETIME):
        return False
    return now - session.last_used_at < REFRESH_LIFETIME


def staff_session_is_live(session: StoredSession, now: datetime) -> bool:
    """Tell whether a staff session still stands: not ended, used within half an hour, no older than a working day."""
    if session.ended_at is not None or now - session.created_at >= STAFF_LONGEST:
        return False
    return now - session.last_used_at < STAFF_IDLE


def device_is_known(trusted_at: datetime | None, last_used_at: datetime, now: datetime) -> bool:
    """Tell whether a device's token and a code are enough: it was trusted once, and used within 60 days."""
    return trusted_at is not None and now - last_used_at < DEVICE_LIFETIME


def check_password(password: str, before: str) -> str:
    """Return a password of one's own choice.

    Raises PasswordRefusedError unless it has 12 characters or more, 5 different ones, and is not the one before.
    """
    if len(password) < PASSWORD_CHARACTERS_MIN or len(set(password)) < _PASSWORD_DIFFERENT_MIN or password == before:
        raise PasswordRefusedError
    return password


def check_pin(pin: str) -> str:
    """Return a PIN; raises PinRefusedError unless it is 6 to 12 digits that are not the first anybody would try."""
    if _PIN.fullmatch(pin) is None:
        raise PinRefusedError
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {9}):
        raise PinRefusedError
    return pin
