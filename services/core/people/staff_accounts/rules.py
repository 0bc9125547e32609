"""Rules for approvals by staff: which accounts can approve, from when on, and which count as another person. Pure.

Two accounts count as two people only if no account stands behind both. An account stands behind every account that it
opened, reset or promoted, and transitively behind those that such an account opened, reset or promoted: its author may
know the first password or own the phone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.core.people.staff_accounts.errors import RoleOfFactoryError, StaffPhoneNeededError

# Time for colleagues to notice an unknown account.
PROBATION: Final = timedelta(days=7)
FIRST_PASSWORD_LIFETIME: Final = timedelta(hours=24)
REQUEST_LIFETIME: Final = timedelta(days=7)
# Break-glass with a delayed notification needs three people: one requests, two approve.
APPROVERS_WANTED: Final = 3

# Roles that can approve a recovery, break-glass or another account.
APPROVING_ROLES: Final = frozenset({"staff", "manager", "admin"})
# Roles that can approve break-glass.
BREAK_GLASS_ROLES: Final = frozenset({"manager", "admin"})
# A coordinator often belongs to the factory's personnel office, so granting that role always needs two people.
SECOND_PERSON_ROLES: Final = APPROVING_ROLES | {"coordinator"}


@dataclass(frozen=True)
class Standing:
    """The attributes that determine when an account can approve; times are aware UTC.

    ``appointed_at``: time of creation or of the last change of role or scope. ``is_founding``: opened by the command
    line before the first family was enrolled. ``reset_by_two``: two colleagues reset it, and its phone number stayed.
    """

    appointed_at: datetime
    is_founding: bool = False
    reset_at: datetime | None = None
    reset_by_two: bool = False


def approves_from(standing: Standing, *, urgent: bool = False) -> datetime:
    """Return when an account can first approve: 7 days after it was opened, promoted, or reset by another person.

    ``urgent`` (break-glass with immediate notification of the guardian): a reset by two colleagues starts no new wait.
    """
    from_at = standing.appointed_at + (timedelta(0) if standing.is_founding else PROBATION)
    if standing.reset_at is None or (urgent and standing.reset_by_two):
        return from_at
    return max(from_at, standing.reset_at + PROBATION)


def was_there_before(standing: Standing, since_at: datetime) -> bool:
    """Return whether the last opening, promotion and reset of an account all lie before ``since_at``."""
    return max(standing.appointed_at, standing.reset_at or standing.appointed_at) < since_at


def count_people(behind: Mapping[uuid.UUID, AbstractSet[uuid.UUID]]) -> int:
    """Return the greatest possible number of people; ``behind``: the accounts behind each account, itself included."""
    people: list[set[uuid.UUID]] = []
    for accounts in behind.values():
        joined, apart = set(accounts), []
        for person in people:
            if person & joined:
                joined |= person
            else:
                apart.append(person)
        people = [*apart, joined]
    return len(people)


def check_employer(role: str, *, employed_by_factory: bool) -> None:
    """Reject any role but ``factory`` for a person employed by the factory; raises RoleOfFactoryError."""
    if employed_by_factory and role != "factory":
        raise RoleOfFactoryError


def check_reachable(role: str, phone: str | None) -> None:
    """Reject an approving account without a phone number; raises StaffPhoneNeededError."""
    if role in APPROVING_ROLES and phone is None:
        raise StaffPhoneNeededError
