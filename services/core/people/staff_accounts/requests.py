"""Requests of an admin to open, reset or promote an account, and their approval by a second person."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.phone_numbers import mobile_phone
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import NotFoundError, SecondPersonNeededError
from services.core.people.programme.errors import StaffEndedError
from services.core.people.programme.queries import scopes_of, staff_within
from services.core.people.programme.rules import check_role
from services.core.people.programme.tables import Programme, Site
from services.core.people.staff_accounts.actions import (
    change_role,
    checked_colleague,
    create_staff,
    refuse_other,
    reset_staff,
)
from services.core.people.staff_accounts.approvals import check_second_person, noting_refusals
from services.core.people.staff_accounts.errors import (
    StaffPhoneNeededError,
    StaffRequestEndedError,
    StaffRequestStandsError,
)
from services.core.people.staff_accounts.queries import requests_within
from services.core.people.staff_accounts.rules import (
    REQUEST_LIFETIME,
    SECOND_PERSON_ROLES,
    check_employer,
    check_reachable,
)
from services.core.people.staff_accounts.tables import StaffRequest
from services.core.platform.audit.actions import record_audit
from services.core.platform.db.database import UnitOfWork


async def request_account(  # noqa: PLR0913 - one field each
    work: UnitOfWork,
    asked_by: uuid.UUID,
    *,
    email: str,
    display_name: str,
    role: str,
    phone: str | None,
    employed_by_factory: bool,
    programme: Programme | None = None,
    site: Site | None = None,
) -> StaffRequest:
    """Request an account for a colleague, or another scope for it; the role ``factory`` needs no second person.

    Raises the errors of checked_colleague and create_staff, StaffPhoneNeededError for every role, and
    StaffRequestStandsError.
    """
    colleague = await checked_colleague(
        work, email=email, display_name=display_name, role=role, programme=programme, site=site, phone=phone,
        employed_by_factory=employed_by_factory,
    )  # fmt: skip
    if colleague.phone is None:
        raise StaffPhoneNeededError
    existing = (await work.session.exec(select(Staff).where(Staff.email == colleague.email))).first()
    if existing is not None:
        refuse_other(existing, colleague)
    return await _request(
        work,
        StaffRequest(
            kind="open", email=colleague.email, display_name=colleague.display_name, role=colleague.role,
            phone=colleague.phone, employed_by_factory=employed_by_factory,
            programme_id=programme.programme_id if programme else None, site_id=site.site_id if site else None,
            asked_by=asked_by, asked_at=work.now,
        ),
    )  # fmt: skip


async def request_reset(work: UnitOfWork, asked_by: uuid.UUID, staff: Staff, phone: str | None) -> StaffRequest:
    """Request a new first password for a colleague, and with ``phone`` a new number.

    Raises StaffEndedError, PhoneInvalidError, StaffPhoneNeededError, StaffRequestStandsError.
    """
    row = await _about(work, asked_by, staff, "reset", staff.role)
    if phone:
        site = None if row.site_id is None else await work.session.get(Site, row.site_id)
        row.phone = mobile_phone(phone, site.country if site else None)
    if row.phone is None and staff.phone is None:
        raise StaffPhoneNeededError
    return await _request(work, row)


async def request_role(work: UnitOfWork, asked_by: uuid.UUID, staff: Staff, role: str) -> StaffRequest:
    """Request another role for a colleague. Raises StaffEndedError, RoleUnknownError, RoleOfFactoryError,
    StaffPhoneNeededError, StaffRequestStandsError.
    """
    checked = check_role(role)
    check_employer(checked, employed_by_factory=staff.employed_by_factory)
    check_reachable(checked, staff.phone)
    return await _request(work, await _about(work, asked_by, staff, "role", checked))


async def approve_request(work: UnitOfWork, staff_id: uuid.UUID, request_id: uuid.UUID) -> StaffRequest:
    """Approve a request as a second person and carry it out at once.

    Raises NotFoundError, StaffRequestEndedError, SecondPersonNeededError, ApproverTooNewError, and the errors of the
    requested action.
    """
    row = await _standing(work, staff_id, request_id)
    author = await work.session.get_one(Staff, row.asked_by)
    if author.ended_at is not None or author.role != "admin":
        raise StaffRequestEndedError
    with noting_refusals(work, staff_id, "staff_request.approved", subject_id=row.request_id):
        if staff_id == row.staff_id:
            raise SecondPersonNeededError
        await check_second_person(work, staff_id, {row.asked_by})
    row.approved_by = staff_id
    record_audit(work, staff_actor(staff_id), "staff_request.approved", subject_id=row.request_id)
    await _carry_out(work, row)
    return row


async def withdraw_request(work: UnitOfWork, staff_id: uuid.UUID, request_id: uuid.UUID) -> StaffRequest:
    """Withdraw a request. Raises NotFoundError, StaffRequestEndedError."""
    row = await _standing(work, staff_id, request_id)
    _end(work, row, "withdrawn")
    record_audit(work, staff_actor(staff_id), "staff_request.withdrawn", subject_id=row.request_id)
    return row


async def _about(work: UnitOfWork, asked_by: uuid.UUID, staff: Staff, kind: str, role: str) -> StaffRequest:
    """Return a request about an account, in one of the account's scopes."""
    if staff.ended_at is not None:
        raise StaffEndedError
    scope = (await scopes_of(work, staff.staff_id))[0]
    return StaffRequest(
        kind=kind, email=staff.email, display_name=staff.display_name, role=role, staff_id=staff.staff_id,
        employed_by_factory=staff.employed_by_factory, programme_id=scope.programme_id, site_id=scope.site_id,
        asked_by=asked_by, asked_at=work.now,
    )  # fmt: skip


async def _request(work: UnitOfWork, row: StaffRequest) -> StaffRequest:
    result = await work.session.exec(
        select(StaffRequest)
        .where(StaffRequest.email == row.email, StaffRequest.state == "asked")
        .with_for_update(key_share=True)
    )
    for standing in result:
        if standing.asked_at > work.now - REQUEST_LIFETIME:
            raise StaffRequestStandsError
        _end(work, standing, "withdrawn")
    await work.flush()
    work.add(row)
    await work.flush()
    record_audit(work, staff_actor(row.asked_by), "staff_request.asked", subject_id=row.request_id)
    if not await _needs_second_person(work, row):
        await _carry_out(work, row)
    return row


async def _needs_second_person(work: UnitOfWork, row: StaffRequest) -> bool:
    if row.role in SECOND_PERSON_ROLES:
        return True
    # Demoting an approver needs a second person: one person alone must not reduce the number of possible objectors.
    return row.staff_id is not None and ((await work.session.get_one(Staff, row.staff_id)).role in SECOND_PERSON_ROLES)


async def _carry_out(work: UnitOfWork, row: StaffRequest) -> None:
    actor = staff_actor(row.asked_by)
    if row.kind == "open":
        made = await create_staff(
            work, actor, email=row.email, display_name=row.display_name, role=row.role, phone=row.phone,
            employed_by_factory=row.employed_by_factory, asked_by=row.asked_by,
            programme=None if row.programme_id is None else await work.session.get_one(Programme, row.programme_id),
            site=None if row.site_id is None else await work.session.get_one(Site, row.site_id),
        )  # fmt: skip
        row.staff_id = made.staff.staff_id
    elif row.kind == "reset":
        await reset_staff(work, actor, row.email, phone=row.phone, asked_by=row.asked_by)
    else:
        await change_role(work, actor, row.email, row.role, asked_by=row.asked_by)
    _end(work, row, "done")


def _end(work: UnitOfWork, row: StaffRequest, state: str) -> None:
    row.state = state
    row.ended_at = work.now
    work.add(row)


async def _standing(work: UnitOfWork, staff_id: uuid.UUID, request_id: uuid.UUID) -> StaffRequest:
    """Return a pending request within the scopes of this staff member, with its row locked."""
    listed = {row.request_id: row for row in await requests_within(work, staff_id)}.get(request_id)
    if listed is None:
        raise NotFoundError
    if listed.kind != "open" and listed.staff_id not in {
        staff.staff_id for staff, _ in await staff_within(work, staff_id)
    }:
        raise NotFoundError
    result = await work.session.exec(
        select(StaffRequest)
        .where(col(StaffRequest.request_id) == request_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    row = result.one()
    if row.state != "asked" or row.asked_at <= work.now - REQUEST_LIFETIME:
        raise StaffRequestEndedError
    return row
