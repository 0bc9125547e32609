"""Set up programme, sites, cohorts and staff. Each may be repeated: what is there already is left as it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.people.accounts.staff_log_in import forget_second_factor
from services.core.people.accounts.staff_sessions import end_staff_sessions
from services.core.people.accounts.tables import Staff
from services.core.people.programme.errors import (
    CohortDiffersError,
    ScopeNeededError,
    ScopeOfRoleError,
    SiteDiffersError,
    StaffDiffersError,
    StaffEndedError,
    StaffUnknownError,
)
from services.core.people.programme.queries import programme_named, scopes_of
from services.core.people.programme.rules import (
    ROLES_OF_ONE_SITE,
    check_country,
    check_dates,
    check_email,
    check_ends_on,
    check_locale,
    check_name,
    check_role,
    check_site_kind,
    check_timezone,
    new_initial_password,
)
from services.core.people.programme.tables import Cohort, Programme, Site, StaffScope
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork

Row = TypeVar("Row")


@dataclass(frozen=True)
class Made(Generic[Row]):
    """A row that was asked for, and whether this call made it."""

    row: Row
    is_new: bool


async def set_last_day(work: UnitOfWork, actor: Actor, programme: Programme, ends_on: date | None) -> bool:
    """Set the programme's last day, or take it back (None); a repeat returns False. Raises EndTooSoonError.

    Families are told in families.ending, which calls this.
    """
    held = await work.session.get_one(
        Programme, programme.programme_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if held.ends_on == ends_on:
        return False
    if ends_on is not None:
        check_ends_on(ends_on, work.now.date())
    held.ends_on = ends_on
    work.add(held)
    action = "programme.end_announced" if ends_on else "programme.end_taken_back"
    record_audit(work, actor, action, subject_id=held.programme_id)
    return True


@dataclass(frozen=True)
class NewStaff:
    """A staff member; ``initial_password`` is there when this call made the account, and never again."""

    staff: Staff
    initial_password: str | None
    scope_is_new: bool


async def create_programme(work: UnitOfWork, actor: Actor, name: str) -> Made[Programme]:
    """Make a programme; a repeat returns the one that is there. Raises TextNotAllowedError."""
    checked = check_name(name)
    # ON CONFLICT rather than look-then-add: of two operators at once both get the one row.
    made = await work.run(
        insert(Programme)
        .values(programme_id=new_id(), name=checked, created_at=work.now)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(col(Programme.programme_id))
    )
    made_id = made.scalar_one_or_none()
    if made_id is not None:
        record_audit(work, actor, "programme.created", subject_id=made_id)
    return Made(await programme_named(work, checked), made_id is not None)


async def create_site(
    work: UnitOfWork,
    actor: Actor,
    programme: Programme,
    *,
    name: str,
    country: str,
    timezone: str,
    locale: str,
    kind: str = "factory",
) -> Made[Site]:
    """Make a site; a repeat returns the one that is there if nothing differs, else raises SiteDiffersError.

    ``country`` ISO 3166-1 alpha-2, ``timezone`` an IANA name, ``locale`` one of LOCALES; each refused by its own error.
    """
    asked = {
        "country": check_country(country),
        "timezone": check_timezone(timezone),
        "locale": check_locale(locale),
        "kind": check_site_kind(kind),
    }
    checked = check_name(name)
    made = await work.run(
        insert(Site)
        .values(site_id=new_id(), programme_id=programme.programme_id, name=checked, created_at=work.now, **asked)
        .on_conflict_do_nothing(index_elements=["programme_id", "name"])
        .returning(col(Site.site_id))
    )
    made_id = made.scalar_one_or_none()
    found = await work.session.exec(
        select(Site).where(col(Site.programme_id) == programme.programme_id, col(Site.name) == checked)
    )
    site = found.one()
    differing = [name for name, value in asked.items() if getattr(site, name) != value]
    if differing:
        raise SiteDiffersError(", ".join(differing))
    if made_id is not None:
        record_audit(work, actor, "site.created", subject_id=made_id)
    return Made(site, made_id is not None)


async def create_cohort(
    work: UnitOfWork,
    actor: Actor,
    site: Site,
    *,
    name: str,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Made[Cohort]:
    """Make a cohort of a site; a repeat returns the one that is there.

    Raises TextNotAllowedError, DatesReversedError, and CohortDiffersError if the dates given differ from those kept.
    """
    checked = check_name(name)
    check_dates(starts_on, ends_on)
    made = await work.run(
        insert(Cohort)
        .values(
            cohort_id=new_id(), site_id=site.site_id, name=checked, starts_on=starts_on, ends_on=ends_on,
            created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "name"])
        .returning(col(Cohort.cohort_id))
    )  # fmt: skip
    made_id = made.scalar_one_or_none()
    found = await work.session.exec(
        select(Cohort).where(col(Cohort.site_id) == site.site_id, col(Cohort.name) == checked)
    )
    cohort = found.one()
    if starts_on not in {None, cohort.starts_on} or ends_on not in {None, cohort.ends_on}:
        raise CohortDiffersError
    if made_id is not None:
        record_audit(work, actor, "cohort.created", subject_id=made_id)
    return Made(cohort, made_id is not None)


async def create_staff(
    work: UnitOfWork,
    actor: Actor,
    *,
    email: str,
    display_name: str,
    role: str,
    programme: Programme | None = None,
    site: Site | None = None,
) -> NewStaff:
    """Make a staff account that serves one programme or one site; a repeat with another scope adds that scope.

    The initial password is made here, kept as argon2id only, and returned once: a repeat returns none and changes
    none. Raises EmailRefusedError, TextNotAllowedError, RoleUnknownError, ScopeNeededError, ScopeOfRoleError,
    StaffDiffersError, StaffEndedError.
    """
    address, name, checked_role = check_email(email), check_name(display_name), check_role(role)
    if (programme is None) == (site is None):
        raise ScopeNeededError
    if programme is not None and checked_role in ROLES_OF_ONE_SITE:
        raise ScopeOfRoleError
    password = new_initial_password()
    made = await work.run(
        insert(Staff)
        .values(
            staff_id=new_id(), email=address, display_name=name, role=checked_role,
            password_hash=await hash_password(password), created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(col(Staff.staff_id))
    )  # fmt: skip
    is_new = made.scalar_one_or_none() is not None
    staff = (await work.session.exec(select(Staff).where(col(Staff.email) == address))).one()
    if staff.ended_at is not None:
        raise StaffEndedError
    if (staff.display_name, staff.role) != (name, checked_role):
        raise StaffDiffersError
    if is_new:
        record_audit(work, actor, "staff.created", subject_id=staff.staff_id)
    scope_is_new = await _add_scope(
        work, staff.staff_id, programme.programme_id if programme else None, site.site_id if site else None
    )
    if scope_is_new and checked_role in ROLES_OF_ONE_SITE:
        await _refuse_second_site(work, staff.staff_id)
    if scope_is_new:
        record_audit(work, actor, "staff.scope_added", subject_id=staff.staff_id)
    return NewStaff(staff, password if is_new else None, scope_is_new)


async def reset_staff(work: UnitOfWork, actor: Actor, email: str) -> str:
    """Give a staff member a new initial password, which is returned once, and have the app set up anew.

    Every session ends. Raises EmailRefusedError, StaffUnknownError, StaffEndedError.
    """
    staff = await _staff_with(work, email)
    if staff.ended_at is not None:
        raise StaffEndedError
    password = new_initial_password()
    staff.password_hash = await hash_password(password)
    await forget_second_factor(work, staff)
    await end_staff_sessions(work, staff.staff_id, "reset")
    record_audit(work, actor, "staff.reset", subject_id=staff.staff_id)
    return password


async def end_staff(work: UnitOfWork, actor: Actor, email: str) -> bool:
    """End an account for good, and its sessions at once; return whether this call ended it.

    Raises EmailRefusedError, StaffUnknownError.
    """
    staff = await _staff_with(work, email)
    if staff.ended_at is not None:
        return False
    staff.ended_at = work.now
    work.add(staff)
    await end_staff_sessions(work, staff.staff_id, "account_ended")
    record_audit(work, actor, "staff.ended", subject_id=staff.staff_id)
    return True


async def _staff_with(work: UnitOfWork, email: str) -> Staff:
    found = await work.session.exec(
        select(Staff).where(col(Staff.email) == check_email(email)).with_for_update(key_share=True)
    )
    staff = found.first()
    if staff is None:
        raise StaffUnknownError
    return staff


async def _refuse_second_site(work: UnitOfWork, staff_id: uuid.UUID) -> None:
    if len(await scopes_of(work, staff_id)) > 1:
        raise ScopeOfRoleError


async def _add_scope(
    work: UnitOfWork, staff_id: uuid.UUID, programme_id: uuid.UUID | None, site_id: uuid.UUID | None
) -> bool:
    made = await work.run(
        insert(StaffScope)
        .values(staff_scope_id=new_id(), staff_id=staff_id, programme_id=programme_id, site_id=site_id)
        .on_conflict_do_nothing(index_elements=["staff_id", "programme_id", "site_id"])
        .returning(col(StaffScope.staff_scope_id))
    )
    return made.scalar_one_or_none() is not None
