"""A child's date of birth, sealed with the child's key, and the age rules that depend on it."""

from __future__ import annotations

from datetime import date

from services.core.people.consents.ages import is_asked
from services.core.people.consents.queries import agreement_was_taken_back, standing_agreement
from services.core.people.households import rules
from services.core.people.households.child_key import data_key
from services.core.people.households.queries import site_of_family
from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork


def set_birth_date(work: UnitOfWork, child: Child, birth_date: date) -> None:
    """Store the date sealed, and remove the separate year. Raises BirthYearInvalidError."""
    rules.check_birth_date(birth_date, work.now.date())
    child.sealed_birth_date = seal(data_key(work, child), birth_date.isoformat().encode(), _context(child))
    child.birth_year = None


def birth_date_of(work: UnitOfWork, child: Child) -> date | None:
    """Return the date of birth, or None if only the year, or nothing, is known."""
    if child.sealed_birth_date is None:
        return None
    return date.fromisoformat(unseal(data_key(work, child), child.sealed_birth_date, _context(child)).decode())


async def is_of_age(work: UnitOfWork, child: Child) -> bool:
    """Return whether the law of the family's country requires the child's agreement; False without a birth date."""
    birth_date = birth_date_of(work, child)
    if birth_date is None:
        return False
    site = await site_of_family(work, child.family_id)
    return is_asked(birth_date, work.now.date(), site.country if site else None)


async def childs_consent_due(work: UnitOfWork, child: Child) -> bool:
    """Return whether the child's agreement is required and does not stand."""
    return await is_of_age(work, child) and await standing_agreement(work, child.child_id) is None


async def has_refused(work: UnitOfWork, child: Child) -> bool:
    """Return whether the child withdrew its agreement at an age at which the law of its country requires it."""
    return await agreement_was_taken_back(work, child.child_id) and await is_of_age(work, child)


def _context(child: Child) -> str:
    return f"birth-date/{child.child_id}"
