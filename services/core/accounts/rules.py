"""Decisions about log-in: what a phone number is, when a code may be sent, when it still counts, how sessions go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import phonenumbers

from services.core.accounts.errors import BusyTooLongError, PhoneInvalidError

CODE_DIGITS: Final = 6
CODE_LIFETIME: Final = timedelta(minutes=10)
CODE_TRIES: Final = 5
# An SMS in rural networks takes up to a minute; asking again sooner only voids the code on its way.
RESEND_WAIT: Final = timedelta(seconds=60)
# Codes to one phone within a span. Five an hour leave a guesser 25 tries of a million.
CODES_PER_SPAN: Final = ((timedelta(hours=1), 5), (timedelta(days=1), 12))

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
# The answer to a refresh can be lost on the way: the same token gets the same successor again for so long.
REFRESH_GRACE: Final = timedelta(seconds=60)

# The longest shift anyone works; a mistyped year would leave a child waiting.
BUSY_LONGEST: Final = timedelta(hours=24)

_PHONE_CHARACTERS: Final = re.compile(r"\+?[0-9 ()\-.\u00a0]{4,30}", re.ASCII)


def normal_phone(written: str, region: str | None = None) -> str:
    """Return a phone number in E.164 (``+8613800138000``); raises PhoneInvalidError.

    ``region`` (ISO 3166-1) is assumed when the country code is missing. Only the length is judged, not the range:
    operators open new ranges faster than a library's list of them travels.
    """
    if _PHONE_CHARACTERS.fullmatch(written.strip()) is None:
        raise PhoneInvalidError
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalidError from error
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise PhoneInvalidError
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def wait_before_next_code(sent_at: Sequence[datetime], now: datetime) -> timedelta:
    """Return how long a phone must wait before it is sent another code; zero: it may be sent now."""
    waits = [timedelta(0)]
    if sent_at:
        waits.append(max(sent_at) + RESEND_WAIT - now)
    for span, most in CODES_PER_SPAN:
        recent = sorted(at for at in sent_at if at > now - span)
        if len(recent) >= most:
            waits.append(recent[-most] + span - now)
    return max(waits)


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


def session_is_live(ended_at: datetime | None, last_used_at: datetime, now: datetime) -> bool:
    """Tell whether a session still stands: not ended, and refreshed within the life of a refresh token."""
    return ended_at is None and now - last_used_at < REFRESH_LIFETIME


def busy_until(asked: datetime | None, now: datetime) -> datetime | None:
    """Return until when a guardian is on shift; None: not now. Raises BusyTooLongError beyond a day."""
    if asked is None or asked <= now:
        return None
    if asked - now > BUSY_LONGEST:
        raise BusyTooLongError
    return asked
