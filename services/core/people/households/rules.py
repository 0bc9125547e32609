"""Decisions about families: rights and who may give them, relations, bounds."""

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

# What a guardian may have taken part in.
TRAININGS: Final = ("watch", "migrant_parents", "family_day", "parenting", "online_safety", "refresher")
# Why an enrolment ended. It ends what is counted, never what the family can do.
END_REASONS: Final = ("left_factory", "moved_away", "watch_returned", "declined", "child_grown", "other")
# What a guardian may ask the office for.
HELP_KINDS: Final = ("broken", "lost", "worried")
# From the day on which a family is told that the programme ends.
END_NOTICE: Final = timedelta(days=END_NOTICE_DAYS)

# Long enough for every guardian to hear of it and to object.
RECOVERY_WAIT: Final = timedelta(hours=48)
# What nobody has approved by then was a mistake.
APPROVAL_LIFETIME: Final = timedelta(days=7)
HAND_OUT_LONGEST: Final = timedelta(hours=2)
HAND_OUT_MOST_FAMILIES: Final = 200
# A text message gets lost now and then.
HAND_OUT_CODES_A_FAMILY: Final = 3
BREAK_GLASS_LASTS: Final = timedelta(hours=1)
BREAK_GLASS_LONGEST_DELAY_DAYS: Final = 30

INVITATION_LIFETIME: Final = timedelta(days=14)
MAX_CHILDREN: Final = 10
MAX_GUARDIANS: Final = 10
MAX_INVITATIONS: Final = 10
_OLDEST_CHILD_YEARS: Final = 18

# The words that watches know how to show; a test outside holds them equal to the wire's.
RELATIONS: Final = (
    "mother", "father", "grandmother", "grandfather", "sister", "brother", "aunt", "uncle", "teacher", "neighbour",
    "friend", "other",
)  # fmt: skip


class Right(StrEnum):
    """What a guardian may do in a family."""

    MESSAGE = "message"
    LOCATE = "locate"
    MANAGE = "manage"


@dataclass(frozen=True)
class Rights:
    """The rights of one guardian; location is off unless somebody turned it on."""

    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False

    def has(self, right: Right) -> bool:
        """Tell whether a right is among them."""
        return {
            Right.MESSAGE: self.may_message, Right.LOCATE: self.may_locate, Right.MANAGE: self.may_manage,
        }[right]  # fmt: skip

    def words(self) -> frozenset[str]:
        """Return the rights held, as words."""
        return frozenset(right.value for right in Right if self.has(right))


PRIMARY_RIGHTS: Final = Rights(may_message=True, may_locate=False, may_manage=True)


@dataclass(frozen=True)
class Standing:
    """How a guardian stands in a family."""

    rights: Rights
    is_primary: bool


def check_grant(giver: Standing, before: Rights, after: Rights) -> None:
    """Raise RightNotYoursError when a guardian adds a right that is not theirs to give.

    The primary guardian may give each right, location too; others only what they hold. Taking away needs no right but
    to manage, which the caller has checked.
    """
    if giver.is_primary:
        return
    if any(after.has(right) and not before.has(right) and not giver.rights.has(right) for right in Right):
        raise RightNotYoursError


def check_change_of(target: Standing, after: Rights, *, by_themselves: bool) -> None:
    """Raise PrimaryGuardianError when a change would leave the family without its first guardian's rule."""
    if not target.is_primary:
        return
    if not by_themselves or not after.may_manage:
        raise PrimaryGuardianError


def check_help_kind(word: str) -> str:
    """Return what a guardian needs help with; raises HelpKindUnknownError unless it is in the closed list."""
    if word not in HELP_KINDS:
        raise HelpKindUnknownError
    return word


def check_training(word: str) -> str:
    """Return the training; raises TrainingUnknownError unless it is in the closed list."""
    if word not in TRAININGS:
        raise TrainingUnknownError
    return word


def check_end_reason(word: str) -> str:
    """Return why an enrolment ends; raises EndReasonUnknownError unless it is in the closed list."""
    if word not in END_REASONS:
        raise EndReasonUnknownError
    return word


def erased_from(ends_on: date, timezone: str, told_at: datetime) -> datetime:
    """Return when a family's erasure is due: after the programme's last day at its site, and 30 days after notice."""
    midnight = datetime.combine(ends_on + timedelta(days=1), time(), ZoneInfo(timezone))
    return max(midnight.astimezone(UTC), told_at + END_NOTICE)


def check_relation(word: str) -> str:
    """Return the relation; raises RelationUnknownError unless it is in the closed list."""
    if word not in RELATIONS:
        raise RelationUnknownError
    return word


def check_birth_year(birth_year: int | None, today: date) -> int | None:
    """Return the year; raises BirthYearInvalidError unless the child is at most 18."""
    if birth_year is not None and not today.year - _OLDEST_CHILD_YEARS <= birth_year <= today.year:
        raise BirthYearInvalidError
    return birth_year


def check_birth_date(birth_date: date, today: date) -> date:
    """Return the date; raises BirthYearInvalidError unless the child is born and at most 18."""
    if birth_date > today or birth_date.year < today.year - _OLDEST_CHILD_YEARS:
        raise BirthYearInvalidError
    return birth_date
