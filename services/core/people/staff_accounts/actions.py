"""Open, reset, promote and end accounts of staff; the first password is sent to the colleague's phone only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.people.accounts.phone_numbers import mobile_phone
from services.core.people.accounts.staff_log_in import reset_second_factor
from services.core.people.accounts.staff_sessions import end_staff_sessions
from services.core.people.accounts.tables import Staff
from services.core.people.programme.errors import (
    ScopeNeededError,
    ScopeOfRoleError,
    StaffDiffersError,
    StaffEndedError,
    StaffUnknownError,
)
from services.core.people.programme.queries import scopes_of, sites_of
from services.core.people.programme.rules import (
    ROLES_OF_ONE_SITE,
    check_email,
    check_name,
    check_role,
    new_initial_password,
)
from services.core.people.programme.tables import Programme, Site, StaffScope
from services.core.people.staff_accounts.queries import is_before_first_family
from services.core.people.staff_accounts.rules import FIRST_PASSWORD_LIFETIME, check_employer, check_reachable
from services.core.people.staff_accounts.sms_texts import first_password_text, number_changed_text
from services.core.people.staff_accounts.tables import StaffOrigin
from services.core.platform.audit.actions import OPERATOR, Actor, record_audit
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import DEFAULT_LOCALE
from services.core.platform.outbox.actions import send_sms


@dataclass(frozen=True)
class Colleague:
    """The attributes of a staff account, validated and in stored form."""

    email: str
    display_name: str
    role: str
    phone: str | None
    employed_by_factory: bool


@dataclass(frozen=True)
class NewStaff:
    """An account; ``first_password`` is set only if this call created one and there was no phone to send it to."""

    staff: Staff
    is_new: bool
    scope_is_new: bool
    first_password: str | None = None


async def checked_colleague(
    work: UnitOfWork,
    *,
    email: str,
    display_name: str,
    role: str,
    programme: Programme | None,
    site: Site | None,
    phone: str | None,
    employed_by_factory: bool,
) -> Colleague:
    """Return the colleague in stored form.

    Raises EmailRefusedError, TextNotAllowedError, RoleUnknownError, ScopeNeededError, ScopeOfRoleError,
    RoleOfFactoryError, PhoneInvalidError, StaffPhoneNeededError.
    """
    address, name, checked_role = check_email(email), check_name(display_name), check_role(role)
    if (programme is None) == (site is None):
        raise ScopeNeededError
    if programme is not None and checked_role in ROLES_OF_ONE_SITE:
        raise ScopeOfRoleError
    check_employer(checked_role, employed_by_factory=employed_by_factory)
    first = site or await _first_site(work, programme)
    number = mobile_phone(phone, first.country if first else None) if phone else None
    check_reachable(checked_role, number)
    return Colleague(address, name, checked_role, number, employed_by_factory)


async def create_staff(  # noqa: PLR0913 - one field each
    work: UnitOfWork,
    actor: Actor,
    *,
    email: str,
    display_name: str,
    role: str,
    programme: Programme | None = None,
    site: Site | None = None,
    phone: str | None = None,
    employed_by_factory: bool = False,
    asked_by: uuid.UUID | None = None,
) -> NewStaff:
    """Open an account for one programme or one site; a second call with another scope adds that scope.

    The first password is sent to ``phone``; only its argon2id hash is stored. For an account without the right to
    approve, the phone is optional, and without one the call returns the password. ``asked_by`` is the account that
    stands behind this one from now on; None: the command line, whose accounts can approve at once until the first
    family is enrolled. A second call with the same scope changes nothing. Raises the errors of checked_colleague,
    StaffDiffersError, StaffEndedError.
    """
    colleague = await checked_colleague(
        work, email=email, display_name=display_name, role=role, programme=programme, site=site, phone=phone,
        employed_by_factory=employed_by_factory,
    )  # fmt: skip
    password = new_initial_password()
    is_founding = actor == OPERATOR and await is_before_first_family(work)
    made = await work.run(
        insert(Staff)
        .values(
            staff_id=new_id(), email=colleague.email, display_name=colleague.display_name, role=colleague.role,
            phone=colleague.phone, employed_by_factory=employed_by_factory, is_founding=is_founding, reset_by_two=False,
            password_hash=await hash_password(password), first_password_ends_at=work.now + FIRST_PASSWORD_LIFETIME,
            appointed_at=work.now, created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(col(Staff.staff_id))
    )  # fmt: skip
    is_new = made.scalar_one_or_none() is not None
    result = await work.session.exec(select(Staff).where(col(Staff.email) == colleague.email).with_for_update())
    staff = result.one()
    refuse_other(staff, colleague)
    scope_is_new = await _add_scope(
        work, staff.staff_id, programme.programme_id if programme else None, site.site_id if site else None
    )
    if scope_is_new and colleague.role in ROLES_OF_ONE_SITE:
        await _refuse_second_site(work, staff.staff_id)
    if is_new:
        record_audit(work, actor, "staff.created", subject_id=staff.staff_id)
    if scope_is_new:
        record_audit(work, actor, "staff.scope_added", subject_id=staff.staff_id)
        await _appoint(work, staff, asked_by, is_founding=is_founding)
    first_password = await _send_first_password(work, staff, password) if is_new else None
    return NewStaff(staff, is_new, scope_is_new, first_password)


async def reset_staff(
    work: UnitOfWork,
    actor: Actor,
    email: str,
    *,
    phone: str | None = None,
    asked_by: uuid.UUID | None = None,
) -> str | None:
    """Send an account a new first password, require a new authenticator app, and end its sessions.

    ``phone``: the account's new number; the previous number is notified. ``asked_by``: as in create_staff, after the
    approval of a second person; None: the command line, which with a ``phone`` also clears the accounts that stood
    behind this one. Returns the password only if the account has no phone and needs none.
    Raises EmailRefusedError, StaffUnknownError, StaffEndedError, PhoneInvalidError, StaffPhoneNeededError.
    """
    staff = await _staff_with(work, email)
    if staff.ended_at is not None:
        raise StaffEndedError
    first = await _site_of(work, staff.staff_id)
    number = mobile_phone(phone, first.country if first else None) if phone else staff.phone
    check_reachable(staff.role, number)
    moved = number != staff.phone
    if moved and staff.phone is not None:
        locale = first.locale if first else DEFAULT_LOCALE
        await send_sms(work, staff.phone, number_changed_text(locale))
    password = new_initial_password()
    staff.phone = number
    staff.password_hash = await hash_password(password)
    staff.first_password_ends_at = work.now + FIRST_PASSWORD_LIFETIME
    if actor != OPERATOR or not await is_before_first_family(work):
        staff.reset_at = work.now
        staff.reset_by_two = asked_by not in {None, staff.staff_id} and not moved
    await reset_second_factor(work, staff)
    await end_staff_sessions(work, staff.staff_id, "reset")
    if asked_by is not None:
        await _note_origin(work, staff.staff_id, asked_by)
    elif phone:
        await work.run(delete(StaffOrigin).where(col(StaffOrigin.staff_id) == staff.staff_id))
    record_audit(work, actor, "staff.reset", subject_id=staff.staff_id)
    return await _send_first_password(work, staff, password)


async def change_role(
    work: UnitOfWork, actor: Actor, email: str, role: str, *, asked_by: uuid.UUID | None = None
) -> bool:
    """Change an account's role; return whether it differed.

    Raises EmailRefusedError, StaffUnknownError, StaffEndedError, RoleUnknownError, RoleOfFactoryError,
    ScopeOfRoleError, StaffPhoneNeededError.
    """
    staff, checked = await _staff_with(work, email), check_role(role)
    if staff.ended_at is not None:
        raise StaffEndedError
    if staff.role == checked:
        return False
    check_employer(checked, employed_by_factory=staff.employed_by_factory)
    check_reachable(checked, staff.phone)
    if checked in ROLES_OF_ONE_SITE:
        scopes = await scopes_of(work, staff.staff_id)
        if len(scopes) > 1 or any(scope.programme_id is not None for scope in scopes):
            raise ScopeOfRoleError
    staff.role = checked
    is_founding = actor == OPERATOR and await is_before_first_family(work)
    await _appoint(work, staff, asked_by, is_founding=is_founding)
    record_audit(work, actor, "staff.role_changed", subject_id=staff.staff_id)
    return True


async def end_staff(work: UnitOfWork, actor: Actor, email: str) -> bool:
    """End an account permanently, including its sessions; return whether this call ended it.

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


def refuse_other(staff: Staff, colleague: Colleague) -> None:
    """Reject a repeated call with other attributes; raises StaffEndedError, StaffDiffersError."""
    if staff.ended_at is not None:
        raise StaffEndedError
    kept = (staff.display_name, staff.role, staff.employed_by_factory)
    if kept != (colleague.display_name, colleague.role, colleague.employed_by_factory) or (
        colleague.phone is not None and colleague.phone != staff.phone
    ):
        raise StaffDiffersError


async def _appoint(work: UnitOfWork, staff: Staff, asked_by: uuid.UUID | None, *, is_founding: bool) -> None:
    staff.appointed_at = work.now
    staff.is_founding = is_founding
    work.add(staff)
    if asked_by is not None:
        await _note_origin(work, staff.staff_id, asked_by)


async def _note_origin(work: UnitOfWork, staff_id: uuid.UUID, by_staff_id: uuid.UUID) -> None:
    if by_staff_id != staff_id:
        await work.run(
            insert(StaffOrigin)
            .values(staff_id=staff_id, by_staff_id=by_staff_id, since_at=work.now)
            .on_conflict_do_nothing()
        )


async def _send_first_password(work: UnitOfWork, staff: Staff, password: str) -> str | None:
    """Send a first password to the account's phone; return the password if there is no phone."""
    if staff.phone is None:
        return password
    site = await _site_of(work, staff.staff_id)
    locale = site.locale if site else DEFAULT_LOCALE
    await send_sms(work, staff.phone, first_password_text(locale, password))
    return None


async def _first_site(work: UnitOfWork, programme: Programme | None) -> Site | None:
    sites = [] if programme is None else await sites_of(work, programme.programme_id)
    return sites[0] if sites else None


async def _site_of(work: UnitOfWork, staff_id: uuid.UUID) -> Site | None:
    """Return a site in the account's scope, as the source of its country and language."""
    await work.flush()
    result = await work.session.exec(
        select(Site)
        .join(
            StaffScope,
            (col(StaffScope.site_id) == col(Site.site_id)) | (col(StaffScope.programme_id) == col(Site.programme_id)),
        )
        .where(StaffScope.staff_id == staff_id)
        .order_by(col(Site.name), col(Site.site_id))
        .limit(1)
    )
    return result.first()


async def _staff_with(work: UnitOfWork, email: str) -> Staff:
    result = await work.session.exec(
        select(Staff).where(col(Staff.email) == check_email(email)).with_for_update(key_share=True)
    )
    staff = result.first()
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
