"""Rules for families: rights and their grants, relations, limits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.core.people.households.errors import (
    BirthYearInvalidError,
    EndReasonUnknownError,
    HelpKindUnknownError,
    PrimaryGuardianError,
    RelationUnknownError,
    RightNotYoursError,
    TrainingUnknownError,
)
from services.core.people.programme.rules import END_NOTICE_DAYS

# Trainings that a guardian can attend.
TRAININGS: Final = ("watch", "migrant_parents", "family_day", "parenting", "online_safety", "refresher")
# Reasons for the end of an enrolment. The end stops the measurement and nothing else.
END_REASONS: Final = ("left_factory", "moved_away", "watch_returned", "declined", "child_grown", "other")
# Kinds of help that a guardian can request from the office.
HELP_KINDS: Final = ("broken", "lost", "worried")
# Counted from the day on which a family is notified of the programme's end.
END_NOTICE: Final = timedelta(days=END_NOTICE_DAYS)

# Days before the last day on which a family is reminded, after the notification.
END_REMINDERS_DAYS: Final = (30, 7, 1)

# Time for every guardian to read the notification and to object.
RECOVERY_WAIT: Final = timedelta(hours=48)
# A request without approval expires after this period.
APPROVAL_LIFETIME: Final = timedelta(days=7)
HAND_OUT_LONGEST: Final = timedelta(hours=2)
# Counted from the opening. A day in the factory's hall is longer than planned, and families see codes on paper.
HAND_OUT_LONGEST_PROLONGED: Final = timedelta(hours=6)
HAND_OUT_MOST_FAMILIES: Final = 200
# Three codes for each family allow for lost SMS.
HAND_OUT_CODES_A_FAMILY: Final = 3
BREAK_GLASS_LASTS: Final = timedelta(hours=1)
BREAK_GLASS_LONGEST_DELAY_DAYS: Final = 30

INVITATION_LIFETIME: Final = timedelta(days=14)
MAX_CHILDREN: Final = 10
MAX_GUARDIANS: Final = 10
MAX_INVITATIONS: Final = 10
_OLDEST_CHILD_YEARS: Final = 18

# The relations that watches can display; a test compares them with the wire protocol's list.
RELATIONS: Final = (
    "mother", "father", "grandmother", "grandfather", "sister", "brother", "aunt", "uncle", "teacher", "neighbour",
    "friend", "other",
)  # fmt: skip


class Right(StrEnum):
    """A guardian's right in a family."""

    MESSAGE = "message"
    LOCATE = "locate"
    MANAGE = "manage"


@dataclass(frozen=True)
class Rights:
    """The rights of one guardian; location is off by default."""

    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False

    def has(self, right: Right) -> bool:
        """Return whether a right is included."""
        return {
            Right.MESSAGE: self.may_message, Right.LOCATE: self.may_locate, Right.MANAGE: self.may_manage,
        }[right]  # fmt: skip

    def words(self) -> frozenset[str]:
        """Return the granted rights by name."""
        return frozenset(right.value for right in Right if self.has(right))


PRIMARY_RIGHTS: Final = Rights(may_message=True, may_locate=False, may_manage=True)


@dataclass(frozen=True)
class Standing:
    """A guardian's rights and role in a family."""

    rights: Rights
    is_primary: bool


def check_grant(giver: Standing, before: Rights, after: Rights) -> None:
    """Raise RightNotYoursError if a guardian grants a right without the authority to do so.

    The primary guardian can grant every right, including location; others only rights of their own. Removing a right
    requires only the right to manage, which the caller has checked.
    """
    if giver.is_primary:
        return
    if any(after.has(right) and not before.has(right) and not giver.rights.has(right) for right in Right):
        raise RightNotYoursError


def check_change_of(target: Standing, after: Rights, *, by_themselves: bool) -> None:
    """Raise PrimaryGuardianError if others change a primary guardian's rights, or if the right to manage is removed."""
    if not target.is_primary:
        return
    if not by_themselves or not after.may_manage:
        raise PrimaryGuardianError


def check_help_kind(word: str) -> str:
    """Return the kind of help; raises HelpKindUnknownError unless it is in the closed list."""
    if word not in HELP_KINDS:
        raise HelpKindUnknownError
    return word


def check_training(word: str) -> str:
    """Return the training; raises TrainingUnknownError unless it is in the closed list."""
    if word not in TRAININGS:
        raise TrainingUnknownError
    return word


def check_end_reason(word: str) -> str:
    """Return the reason for the end of an enrolment; raises EndReasonUnknownError unless it is in the closed list."""
    if word not in END_REASONS:
        raise EndReasonUnknownError
    return word


def erased_from(ends_on: date, timezone: str, told_at: datetime) -> datetime:
    """Return when a family's erasure is due: after the last day at its site, at the earliest 30 days after notice."""
    midnight = datetime.combine(ends_on + timedelta(days=1), time(), ZoneInfo(timezone))
    return max(midnight.astimezone(UTC), told_at + END_NOTICE)


def reminder_due(days_left: int, reminded_days: int | None) -> int | None:
    """Return which reminder of the programme's end is due: that of the shortest span begun, once, and never later."""
    if days_left < 0:
        return None
    begun = [days for days in END_REMINDERS_DAYS if days_left <= days]
    if not begun:
        return None
    return begun[-1] if reminded_days is None or begun[-1] < reminded_days else None


def check_relation(word: str) -> str:
    """Return the relation; raises RelationUnknownError unless it is in the closed list."""
    if word not in RELATIONS:
        raise RelationUnknownError
    return word


def check_birth_year(birth_year: int | None, today: date) -> int | None:
    """Return the year; raises BirthYearInvalidError unless the child is 0 to 18 years old."""
    if birth_year is not None and not today.year - _OLDEST_CHILD_YEARS <= birth_year <= today.year:
        raise BirthYearInvalidError
    return birth_year


def check_birth_date(birth_date: date, today: date) -> date:
    """Return the date; raises BirthYearInvalidError for a future date and for a child over 18."""
    if birth_date > today or birth_date.year < today.year - _OLDEST_CHILD_YEARS:
        raise BirthYearInvalidError
    return birth_date
